# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One recording of a batch: what is to be done, whether it has been, and doing it. Tasks and their
outcomes are plain numbers and texts: a cluster sends them over the network."""

import argparse
import collections
import contextlib
import glob
import hashlib
import itertools
import json
import os
import threading
from pathlib import Path

from ..bearing_python import __version__
from ..bearing_report import bearing_report
from ..hier.recording_source import recording_source
from .command_line import bad_input, one_line, open_recording, output_files
from .command_line import system_errors_of
from .replay_flowgraph import replay_flowgraph, stalled
from .replay_options import choose_array, choose_estimator, part_of_recording
from .replay_output import elapsed_time, json_lines

# Of the summaries.
_FORMAT = 1
_LARGEST_SUMMARY = 1 << 20
_BLOCK = 1 << 20
_FILE_OPTIONS = ("array", "calibration")

_starting = threading.Lock()


class interrupted(Exception):
    """The batch was stopped before the recording was at its end."""


def replay_options(arguments):
    """Options that results depend on, of a namespace of the command line; files by their absolute
    names."""
    names = ("array", "wavelengths", "calibration", "heading", "frequency", "method", "variant")
    names += ("sources", "limits", "snapshots", "interval", "start", "duration")
    options = {name: getattr(arguments, name) for name in names}
    options["limits"] = list(options["limits"])
    if options["snapshots"] is not None:
        options["interval"] = None
    for name in _FILE_OPTIONS:
        if options[name] is not None and not _is_description(name, options[name]):
            options[name] = os.path.abspath(options[name])
    return options


def _is_description(name, text):
    return name == "array" and text.startswith(("uca:", "ula:"))


def identified(options):
    """The same with the SHA-256 of files in place of their names; raises bad_input."""
    known = dict(options)
    for name in _FILE_OPTIONS:
        if options[name] is not None and not _is_description(name, options[name]):
            known[name] = {"sha256": _sha256(options[name])}
    return known


def make_task(metadata, name, folder, options, known):
    """What is to be done with a recording.

    metadata: path of its metadata; name: of the recording, relative to what is processed, for
    messages; folder: of the results. options, known: of replay_options and identified.
    """
    stem = os.path.join(folder, name[: -len(".sigmf-meta")])
    return {
        "name": name,
        "metadata": os.path.abspath(metadata),
        "results": os.path.abspath(f"{stem}.jsonl"),
        "summary": os.path.abspath(f"{stem}.summary.json"),
        "options": options,
        "identified": known,
        "version": __version__,
    }


def reason_to_process(task):
    """None where the results are there already; "" where there are none; otherwise why they do
    not count."""
    try:
        with open(task["summary"], "rb") as file:
            summary = json.loads(file.read(_LARGEST_SUMMARY))
        made_of, results = summary["made_of"], summary["results"]
        same_format = summary["format"] == _FORMAT
        known = (made_of["options"], made_of["version"], results["bytes"], results["sha256"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "their summary cannot be read"
    if not same_format or known[1] != task["version"]:
        return "they were made by another version"
    if known[0] != task["identified"]:
        return "they were made with other options"
    try:
        if made_of != _made_of(task, open_recording(task["metadata"])):
            return "the recording has changed"
        if (os.path.getsize(task["results"]), _sha256(task["results"])) != known[2:]:
            return "they have been changed"
    except (OSError, bad_input):
        return "the recording or the results cannot be read"
    return None


def process(task, stop=None, advance=None):
    """Writes the bearings in a recording and a summary of them, both whole or not at all.

    stop: an event; when it is set, interrupted is raised. advance: called with numbers of bytes of
    the recording that have been read.

    Returns a dict: state, "done" or "failed"; reason, of a failure; seconds of the recording that
    were processed, and bytes that it has.
    """
    try:
        return _process(task, stop, advance)
    except interrupted:
        raise
    except Exception as error:  # whatever a recording can cause must not end the others
        reason = one_line(error) or type(error).__name__
        if not isinstance(error, bad_input):
            reason = f"{type(error).__name__}: {reason}"
        return {"state": "failed", "reason": reason}


def _process(task, stop, advance):
    if task["version"] != __version__:
        raise bad_input(f"this worker has gr-bearing {__version__}, the batch {task['version']}")
    arguments = argparse.Namespace(**task["options"], recording=task["metadata"])
    if identified(task["options"]) != task["identified"]:
        raise bad_input("a file of the options is another one here, or has changed")
    recording = open_recording(task["metadata"])
    made_of = _made_of(task, recording)
    array = choose_array(arguments, recording)
    part = part_of_recording(arguments, recording)
    estimator = choose_estimator(arguments, recording, array)
    flowgraph = replay_flowgraph(
        recording_source(recording, start_s=part.start_s),
        recording.num_channels,
        part.snapshots,
        estimator,
        part.num_samples if part.is_cut else None,
    )
    with system_errors_of(Path(task["results"]).parent):
        os.makedirs(Path(task["results"]).parent, exist_ok=True)
    frame = made_of["data"]["bytes"] // recording.num_samples
    with output_files(task["results"], task["summary"]) as (results, summary):
        try:
            written, told = _play(flowgraph, part, results, stop, frame, advance)
        except stalled:
            raise bad_input(
                f"{recording.data_path}: could not be read any further after "
                f"{flowgraph.samples_read} samples a channel"
            )
        if _made_of(task, open_recording(task["metadata"])) != made_of:
            raise bad_input(f"{recording.data_path}: was changed while it was read")
        said = {
            "format": _FORMAT,
            "made_of": made_of,
            "results": written,
            "num_channels": recording.num_channels,
            "sample_rate": recording.sample_rate,
            "num_samples": part.num_samples,
            "snapshots": part.snapshots,
        }
        summary.write((json.dumps(said, indent=1, sort_keys=True) + "\n").encode())
    size = made_of["data"]["bytes"]
    if advance is not None:
        # What fills no item, and what lies outside the part that is wanted.
        advance(size - told)
    return {"state": "done", "seconds": part.duration, "bytes": size}


def _play(flowgraph, part, results, stop, frame, advance):
    """Runs the flowgraph and writes what it finds; what the summary says of it, and the bytes that
    advance was told."""
    elapsed_of = elapsed_time(part.interval)
    statuses = collections.Counter()
    digest, size, item = hashlib.sha256(), 0, 0
    told = 0
    with contextlib.closing(flowgraph.messages()) as batches:
        # Buffers of GNU Radio want places in memory beside each other: two flowgraphs that start at
        # once take them from each other.
        with _starting:
            first = next(batches, [])
        for messages in itertools.chain([first], batches):
            if stop is not None and stop.is_set():
                raise interrupted
            lines = []
            for report in map(bearing_report.from_message, messages):
                lines.append(json_lines(item, elapsed_of(item, report), report))
                statuses[report.status] += 1
                item += 1
            text = "".join(lines).encode()
            results.write(text)
            digest.update(text)
            size += len(text)
            if advance is not None:
                advance(item * part.snapshots * frame - told)
                told = item * part.snapshots * frame
    made, passed = flowgraph.items
    if not made == passed == item or flowgraph.samples_read != part.num_samples:
        raise bad_input(
            f"{flowgraph.samples_read} of {part.num_samples} samples a channel were read, {made} "
            f"covariances were made, {passed} given to the estimator and {item} bearing messages "
            "received; these must agree"
        )
    written = {
        "items": item,
        "statuses": dict(sorted(statuses.items())),
        "bytes": size,
        "sha256": digest.hexdigest(),
    }
    return written, told


def remove_parts(task):
    """Removes what a process that was killed has left of the results."""
    for path in (task["results"], task["summary"]):
        folder, name = os.path.split(path)
        for part in glob.glob(os.path.join(glob.escape(folder), f".{glob.escape(name)}.*.part")):
            with contextlib.suppress(OSError):
                os.unlink(part)


def _made_of(task, recording):
    """What results depend on, and how it is noticed that it is no longer the same."""
    with system_errors_of(recording.data_path):
        status = os.stat(recording.data_path)
    return {
        "metadata_sha256": _sha256(task["metadata"]),
        "data": {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns},
        "options": task["identified"],
        "version": task["version"],
    }


def _sha256(path):
    digest = hashlib.sha256()
    with system_errors_of(path), open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
