# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SigMF recordings of several coherent channels, with the array that made them.

Format: Signal Metadata Format (SigMF) 1.x, https://github.com/sigmf/SigMF. A recording is a pair
of files, NAME.sigmf-meta (JSON) and NAME.sigmf-data (samples, the channels interleaved). What the
core namespace has no words for is in the extension namespace "bearing".
"""

import calendar
import dataclasses
import datetime
import decimal
import itertools
import json
import math
import os
import re
import stat
from fractions import Fraction
from pathlib import Path
from typing import Optional, Tuple

import numpy as np

from ..bearing_python import __version__
from ..bearing_python import array as antenna_array
from ..bearing_python import calibration

SIGMF_VERSION = "1.0.0"
EXTENSION_VERSION = "0.1.0"
MAX_CHANNELS = 64
MAX_METADATA_BYTES = 64 * 2**20
# SigMF's own limits of core:sample_rate and core:frequency.
MIN_SAMPLE_RATE = 1.0
MAX_SAMPLE_RATE = 1e12
MAX_FREQUENCY = 1e12
# No file is longer, and sums of two still fit into 64 bits.
MAX_INDEX = 2**62
SPEED_OF_LIGHT = 299792458.0

_META = ".sigmf-meta"
_DATA = ".sigmf-data"
_LAST_SECOND = 253402300799  # 9999-12-31T23:59:59Z
_DATETIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,1100}))?Z"
)
_VERSION = re.compile(r"([0-9]{1,9})\.[0-9]{1,9}\.[0-9]{1,9}")
_temporary_count = itertools.count()


@dataclasses.dataclass(frozen=True)
class sample_type:
    """How one component (I or Q) of a sample is stored: its NumPy type, and the stored value that
    stands for 1."""

    component: np.dtype
    full_scale: int

    @property
    def item_size(self):
        """Bytes of one complex sample of one channel."""
        return 2 * self.component.itemsize


DATATYPES = {
    "ci8": sample_type(np.dtype("i1"), 128),
    "ci16_le": sample_type(np.dtype("<i2"), 32768),
    "cf32_le": sample_type(np.dtype("<f4"), 1),
}


class recording_error(ValueError):
    """A recording that cannot be read; the message names the file, the field and what is
    allowed."""


@dataclasses.dataclass(frozen=True)
class capture:
    """A run of samples under one tuning and without a loss, up to the next capture.

    start: its first sample, counted from the first in the file.
    rx_freq: tuned frequency in Hz, or None.
    rx_time: (seconds since 1970-01-01 UTC, fraction of a second in [0, 1)) of its first sample,
        or None.
    gap: samples lost before it, 0 for an unknown number; None: none were lost.
    rx_freq_repeated: the frequency is that of the capture before, written again because SigMF
        demands it; it comes from no tag and becomes none.
    """

    start: int
    rx_freq: Optional[float] = None
    rx_time: Optional[Tuple[int, float]] = None
    gap: Optional[int] = None
    rx_freq_repeated: bool = False


@dataclasses.dataclass(frozen=True)
class recording:
    """What the metadata of a recording say; the samples stay in the file.

    path, data_path: the two files.
    datatype: "ci8", "ci16_le" or "cf32_le"; integers of full scale (128, 32768) stand for 1.
    sample_rate: in Hz.
    num_channels: N, interleaved in the file.
    num_samples: T, of each channel.
    captures: in the order of their starts; the first one starts at 0.
    array: bearing.array with its calibration, or None.
    heading_deg: of the array's +y axis in degrees clockwise from north, or None.
    description: text, perhaps empty.
    """

    path: Path
    data_path: Path
    datatype: str
    sample_rate: float
    num_channels: int
    num_samples: int
    captures: Tuple[capture, ...]
    array: Optional[antenna_array] = None
    heading_deg: Optional[float] = None
    description: str = ""

    @property
    def duration(self):
        """Seconds."""
        return self.num_samples / self.sample_rate

    @property
    def frame_size(self):
        """Bytes of one sample of all channels."""
        return self.num_channels * DATATYPES[self.datatype].item_size

    def read(self, start=0, count=None):
        """Samples [start, start + count) of all channels as N x count complex64; without a count
        up to the end. Only these are read from the file; cf32_le comes bit by bit as stored.

        Raises ValueError naming start or count that leave the recording, recording_error when
        the data file has shrunk or gone.
        """
        start = _index_argument("start", start, self.num_samples)
        rest = self.num_samples - start
        count = rest if count is None else _index_argument("count", count, rest)
        samples = np.empty((self.num_channels, count), np.complex64)
        if count == 0:
            return samples
        kind = DATATYPES[self.datatype]
        try:
            stored = np.memmap(
                self.data_path,
                kind.component,
                "r",
                offset=start * self.frame_size,
                shape=(count, self.num_channels, 2),
            )
        except (OSError, ValueError) as error:
            raise recording_error(
                f"{self.data_path}: cannot be read: {reason(error)}"
            ) from None
        if kind.component.kind == "f":
            # Moved as integers: a NaN keeps its payload.
            samples.view(np.uint64)[...] = stored.view("<u8")[:, :, 0].T
        else:
            components = samples.view(np.float32).reshape(self.num_channels, count, 2)
            components[...] = stored.transpose(1, 0, 2)
            components *= np.float32(1 / kind.full_scale)
        return samples

    def capture_at(self, sample):
        """The capture that holds the sample, as if it began there: its rx_time is advanced to the
        sample, also from an earlier capture when the number of samples lost since is known. The
        gap is told only at a capture's own first sample.

        Raises ValueError naming a sample outside the recording.
        """
        sample = _index_argument("sample", sample, max(0, self.num_samples - 1))
        time = None  # told last, and the samples since then, lost ones included
        since = 0
        previous = 0
        for segment in self.captures:
            if segment.start > sample:
                break
            since += segment.start - previous + (segment.gap or 0)
            if segment.rx_time is not None:
                time, since = segment.rx_time, 0
            elif segment.gap == 0:
                time = None
            previous = segment.start
            found = segment
        since += sample - previous
        if time is not None and since > 0:
            time = advanced(time, since, self.sample_rate)
        gap = found.gap if found.start == sample else None
        return dataclasses.replace(found, start=sample, rx_time=time, gap=gap)


def _index_argument(name, value, limit):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name} is {value!r}; it must be an integer")
    if not 0 <= value <= limit:
        raise ValueError(f"{name} is {value}; it must be from 0 to {limit}")
    return int(value)


def advanced(rx_time, samples, sample_rate):
    """(seconds, fraction) that many samples later; None beyond 64 bits. Exact but for the last
    rounding."""
    total = rx_time[0] + Fraction(rx_time[1]) + Fraction(samples) / Fraction(sample_rate)
    return _split(total)


def _split(total):
    seconds = total.numerator // total.denominator
    fraction = float(total - seconds)
    if fraction >= 1.0:  # rounded up
        seconds, fraction = seconds + 1, 0.0
    return (seconds, fraction) if 0 <= seconds < 2**64 else None


def normalised_time(seconds, fraction):
    """(seconds, fraction in [0, 1)) of a time whose fraction may lie outside; None when it is not
    finite or before 1970."""
    if not math.isfinite(fraction):
        return None
    if 0.0 <= fraction < 1.0:
        return seconds, fraction + 0.0  # no negative zero
    return _split(seconds + Fraction(fraction))


def recording_paths(path):
    """(NAME.sigmf-meta, NAME.sigmf-data) for a path to either file or their common stem."""
    text = os.fsdecode(path)
    for suffix in (_META, _DATA):
        if text.endswith(suffix):
            text = text[: -len(suffix)]
            break
    return Path(text + _META), Path(text + _DATA)


# Writing


def write_metadata(
    path,
    datatype,
    sample_rate,
    num_channels,
    captures=(),
    array=None,
    heading_deg=None,
    description="",
    num_samples=None,
    unfinished=False,
):
    """Writes the metadata file of a recording, atomically: readers find the old one or the new.

    Parameters
    ----------
    path : str or os.PathLike
        NAME.sigmf-meta, NAME.sigmf-data or NAME.
    datatype : "ci8", "ci16_le" or "cf32_le"
    sample_rate : float
        Hz.
    num_channels : int, 1 .. 64
    captures : sequence of capture
        In the order of their starts; none: one that starts at 0 and knows nothing.
    array : bearing.array, optional
        Of num_channels elements; with its calibration.
    heading_deg : float, optional
        Of the array's +y axis, degrees clockwise from north.
    description : str
    num_samples : int, optional
        Of each channel; readers refuse a data file that holds fewer.
    unfinished : bool
        The data file is still being written: readers take as much of it as is there.

    Returns
    -------
    pathlib.Path
        The metadata file.

    Raises
    ------
    ValueError
        Naming the parameter that is wrong.
    OSError
        When the file cannot be written.
    """
    meta_path, _ = recording_paths(path)
    check_format(datatype, sample_rate, num_channels)
    check_array(array, heading_deg, num_channels)
    if not isinstance(description, str):
        raise ValueError(f"description is {description!r}; it must be a str")
    document = {
        "core:datatype": datatype,
        "core:version": SIGMF_VERSION,
        "core:sample_rate": float(sample_rate),
        "core:num_channels": int(num_channels),
        "core:recorder": f"gr-bearing {__version__}",
    }
    if description:
        document["core:description"] = description
    own = _array_fields(array, heading_deg)
    if num_samples is not None:
        own["bearing:num_samples"] = _index_argument("num_samples", num_samples, MAX_INDEX)
    if unfinished:
        own["bearing:unfinished"] = True
    segments = _capture_fields(captures)
    if own or any(key.startswith("bearing:") for segment in segments for key in segment):
        document["core:extensions"] = [
            {"name": "bearing", "version": EXTENSION_VERSION, "optional": True}
        ]
    document.update(own)
    _replace_file(meta_path, _layout(document, segments).encode("ascii"))
    return meta_path


def _layout(top, segments):
    """JSON with a line for every global field and every capture: people read it, and tens of
    thousands of captures are soon written."""
    fields = ",\n".join(
        f"    {json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in top.items()
    )
    captures = ",\n".join(f"    {json.dumps(segment, allow_nan=False)}" for segment in segments)
    return (
        f'{{\n  "global": {{\n{fields}\n  }},\n'
        f'  "captures": [\n{captures}\n  ],\n  "annotations": []\n}}\n'
    )


def check_format(datatype, sample_rate, num_channels):
    """Raises ValueError naming the parameter that no recording can have."""
    if datatype not in DATATYPES:
        allowed = ", ".join(DATATYPES)
        raise ValueError(f"datatype is {datatype!r}; it must be one of {allowed}")
    if not _is_real(sample_rate) or not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise ValueError(
            f"sample_rate is {sample_rate!r}; it must be a number from "
            f"{MIN_SAMPLE_RATE:g} to {MAX_SAMPLE_RATE:g} (Hz)"
        )
    if isinstance(num_channels, bool) or not isinstance(num_channels, (int, np.integer)):
        raise ValueError(f"num_channels is {num_channels!r}; it must be an integer")
    if not 1 <= num_channels <= MAX_CHANNELS:
        raise ValueError(f"num_channels is {num_channels}; it must be from 1 to {MAX_CHANNELS}")


def check_array(array, heading_deg, num_channels):
    """Raises ValueError naming the one that does not fit a recording of that many channels."""
    if array is not None:
        if not isinstance(array, antenna_array):
            raise ValueError(f"array is {array!r}; it must be a bearing.array or None")
        if array.n != num_channels:
            raise ValueError(
                f"array has {array.n} elements; it must have as many as there are channels, "
                f"{num_channels}"
            )
    if heading_deg is not None and not (_is_real(heading_deg) and abs(heading_deg) <= 360.0):
        raise ValueError(
            f"heading_deg is {heading_deg!r}; it must be a number from -360 to 360 or None"
        )


def _is_real(value):
    if isinstance(value, (bool, np.bool_)):
        return False
    return isinstance(value, (int, float, np.integer, np.floating)) and math.isfinite(value)


def _array_fields(array, heading_deg):
    fields = {}
    if array is not None:
        positions = np.asarray(array.positions).tolist()
        if array.wavelength is None:
            fields["bearing:positions_wavelengths"] = positions
        else:
            fields["bearing:positions_m"] = positions
            fields["bearing:wavelength_m"] = array.wavelength
        errors = array.calibration
        if any(part is not None for part in (errors.gains, errors.positions, errors.coupling)):
            fields["bearing:calibration"] = json.loads(errors.to_json())
    if heading_deg is not None:
        fields["bearing:heading_deg"] = float(heading_deg)
    return fields


def _capture_fields(captures):
    segments = []
    previous = -1
    for segment in captures or (capture(0),):
        start = _index_argument("captures: start", segment.start, MAX_INDEX)
        if start <= previous:
            raise ValueError(f"captures: start {start} must be greater than the one before it")
        previous = start
        fields = {"core:sample_start": start}
        if segment.rx_freq is not None:
            if not _is_real(segment.rx_freq) or abs(segment.rx_freq) > MAX_FREQUENCY:
                raise ValueError(
                    f"captures: rx_freq is {segment.rx_freq!r}; it must be a number of Hz of a "
                    f"magnitude of at most {MAX_FREQUENCY:g}"
                )
            fields["core:frequency"] = float(segment.rx_freq)
        if segment.rx_time is not None:
            fields["core:datetime"] = format_datetime(segment.rx_time)
        if segment.gap is not None:
            fields["bearing:gap"] = _index_argument("captures: gap", segment.gap, 2**64 - 1)
        if segment.rx_freq_repeated:
            fields["bearing:frequency_repeated"] = True
        segments.append(fields)
    return segments


def is_datable(rx_time):
    """Whether the date of (seconds, fraction) has the four-digit year that SigMF wants."""
    return 0 <= rx_time[0] <= _LAST_SECOND


def format_datetime(rx_time):
    """core:datetime of (seconds, fraction), with as many digits as it takes to give back the very
    same fraction. ValueError for a fraction outside [0, 1) or a year after 9999."""
    seconds, fraction = rx_time
    if not (is_datable(rx_time) and 0.0 <= fraction < 1.0):
        raise ValueError(
            f"captures: rx_time is {rx_time!r}; it must be seconds from 0 to {_LAST_SECOND} and "
            "a fraction in [0, 1)"
        )
    date = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=int(seconds))
    # The shortest digits that read as this double, never in exponent notation.
    digits = format(decimal.Decimal(repr(float(fraction))), "f").partition(".")[2]
    return date.isoformat(timespec="seconds") + "." + (digits or "0") + "Z"


def _replace_file(path, content):
    # Not a private file as tempfile makes them: a recording is for every reader that the umask
    # allows.
    while True:
        temporary = f"{os.fspath(path)}.{os.getpid()}-{next(_temporary_count)}.tmp"
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            descriptor = os.open(temporary, flags, 0o666)
            break
        except FileExistsError:
            continue
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    # The new name outlives a power cut only once the folder is on the disk.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


# Reading


def load_recording(path):
    """Reads and checks the metadata of a SigMF recording.

    Parameters
    ----------
    path : str or os.PathLike
        NAME.sigmf-meta, NAME.sigmf-data or NAME.

    Returns
    -------
    recording

    Raises
    ------
    FileNotFoundError
        Naming the metadata file that is not there.
    recording_error
        Naming the file and the field that is missing, wrong or does not fit the data file.
    """
    meta_path, data_path = recording_paths(path)
    return _reader(meta_path, data_path).recording()


def reason(error):
    """What an exception says, for a message: without the file's name, short and printable."""
    text = getattr(error, "strerror", None) or str(error)
    text = "".join(c if c.isprintable() else "?" for c in text[:300])
    return text if len(text) < 300 else text[:297] + "..."


def _shown(value):
    """A value for a message, short and printable whatever it is."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


class _reader:
    """Reads one recording; every complaint names the file and the field."""

    def __init__(self, meta_path, data_path):
        self.path = meta_path
        self.data_path = data_path

    def fail(self, field, complaint):
        raise recording_error(f"{self.path}: {field} {complaint}")

    # Text

    def text(self):
        try:
            # A FIFO without a writer must not make the reader wait.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise FileNotFoundError(f"no such recording: {self.path}") from None
        except (OSError, ValueError) as error:
            raise recording_error(f"{self.path}: cannot be read: {reason(error)}") from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise recording_error(f"{self.path}: is not a file; metadata must be a JSON file")
        with open(descriptor, "rb", buffering=0) as file:
            try:
                content = self._up_to(file, MAX_METADATA_BYTES + 1)
            except OSError as error:
                raise recording_error(f"{self.path}: cannot be read: {reason(error)}") from None
        if len(content) > MAX_METADATA_BYTES:
            raise recording_error(
                f"{self.path}: is larger than the {MAX_METADATA_BYTES // 2**20} MiB that metadata "
                "may have"
            )
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise recording_error(
                f"{self.path}: is not UTF-8 text at byte {error.start}"
            ) from None

    @staticmethod
    def _up_to(file, limit):
        parts = []
        while limit > 0:
            part = file.read(limit)
            if not part:
                break
            parts.append(part)
            limit -= len(part)
        return b"".join(parts)

    def document(self):
        not_finite = []

        def real(text):
            value = float(text)
            if not math.isfinite(value):
                not_finite.append(text)
            return value

        def integer(text):
            # Longer ones fit nowhere, and conversion takes time that grows with the square.
            return int(text) if len(text) <= 40 else real(text)

        def constant(text):
            not_finite.append(text)
            return math.nan

        def unique_keys(pairs):
            found = dict(pairs)
            if len(found) < len(pairs):
                keys = [key for key, _ in pairs]
                twice = next(key for key in keys if keys.count(key) > 1)
                self.fail(_shown(twice), "stands twice in one object; a key must be unique")
            return found

        try:
            document = json.loads(
                self.text(),
                object_pairs_hook=unique_keys,
                parse_float=real,
                parse_int=integer,
                parse_constant=constant,
            )
        except recording_error:
            raise
        except RecursionError:
            raise recording_error(f"{self.path}: is nested too deep for metadata") from None
        except ValueError as error:
            raise recording_error(f"{self.path}: is not JSON: {reason(error)}") from None
        if not_finite:
            self.fail(
                self.place_of_not_finite(document),
                "is no finite number; JSON allows neither NaN nor Infinity, nor more than a "
                "double holds",
            )
        if not isinstance(document, dict):
            self.fail("the top level", f"is {_shown(document)}; it must be an object")
        return document

    @staticmethod
    def place_of_not_finite(document):
        stack = [("", document)]
        while stack:
            place, value = stack.pop()
            if isinstance(value, dict):
                stack.extend((f"{place} {_name(key)}", v) for key, v in value.items())
            elif isinstance(value, list):
                stack.extend((f"{place}[{k}]", v) for k, v in enumerate(value))
            elif isinstance(value, float) and not math.isfinite(value):
                place = place.strip() or "the top level"
                return place if len(place) <= 200 else "..." + place[-200:]
        return "a value"

    # Fields of one object

    def member(self, holder, key, kind, name, place, required=False):
        """holder[key] when it is of that kind; None when it is absent."""
        if key not in holder:
            if required:
                self.fail(f"{place}{key}", f"is missing; it must be {name}")
            return None
        value = holder[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fail(f"{place}{key}", f"is {_shown(value)}; it must be {name}")
        return value

    def text_of(self, holder, key, place, required=False):
        return self.member(holder, key, str, "a string", place, required)

    def number(self, holder, key, place, low, high, required=False):
        name = f"a number from {low:g} to {high:g}"
        value = self.member(holder, key, (int, float), name, place, required)
        if value is not None and not low <= value <= high:
            self.fail(f"{place}{key}", f"is {_shown(value)}; it must be {name}")
        return None if value is None else float(value)

    def index(self, holder, key, place, low=0, high=MAX_INDEX, required=False):
        name = f"an integer from {low} to {high}"
        value = self.member(holder, key, int, name, place, required)
        if value is not None and not low <= value <= high:
            self.fail(f"{place}{key}", f"is {_shown(value)}; it must be {name}")
        return value

    def flag(self, holder, key, place):
        return bool(self.member(holder, key, bool, "true or false", place))

    # The whole

    def recording(self):
        document = self.document()
        top = self.member(document, "global", dict, "an object", "", required=True)
        captures = self.member(document, "captures", list, "a list", "", required=True)
        annotations = self.member(document, "annotations", list, "a list", "", required=True)
        for name, entries in (("captures", captures), ("annotations", annotations)):
            for k, entry in enumerate(entries):
                if not isinstance(entry, dict):
                    self.fail(f"{name}[{k}]", f"is {_shown(entry)}; it must be an object")

        self.check_version(top)
        self.check_extensions(top)
        datatype = self.text_of(top, "core:datatype", "global ", required=True)
        if datatype not in DATATYPES:
            self.fail(
                "global core:datatype",
                f"is {_shown(datatype)}; it must be one of {', '.join(DATATYPES)}",
            )
        sample_rate = self.number(
            top, "core:sample_rate", "global ", MIN_SAMPLE_RATE, MAX_SAMPLE_RATE, required=True
        )
        channels = self.index(top, "core:num_channels", "global ", 1, MAX_CHANNELS)
        channels = 1 if channels is None else channels
        description = self.text_of(top, "core:description", "global ") or ""
        unfinished = self.flag(top, "bearing:unfinished", "global ")
        self.check_conforming(top, captures)

        data_path = self.find_data(top)
        num_samples = self.count_samples(top, data_path, datatype, channels, unfinished)
        offset = self.index(top, "core:offset", "global ") or 0
        segments = self.captures(captures, offset, num_samples, unfinished)
        self.check_annotations(annotations, offset, num_samples, unfinished)
        return recording(
            path=self.path,
            data_path=data_path,
            datatype=datatype,
            sample_rate=sample_rate,
            num_channels=channels,
            num_samples=num_samples,
            captures=segments,
            array=self.array(top, channels, segments[0]),
            heading_deg=self.number(top, "bearing:heading_deg", "global ", -360.0, 360.0),
            description=description,
        )

    def check_version(self, top):
        version = self.text_of(top, "core:version", "global ", required=True)
        match = _VERSION.match(version)
        if not match or int(match[1]) > 1:
            self.fail(
                "global core:version",
                f"is {_shown(version)}; it must be X.Y.Z with X at most 1",
            )

    def check_extensions(self, top):
        place = "global core:extensions"
        extensions = self.member(top, "core:extensions", list, "a list", "global ") or []
        for k, extension in enumerate(extensions):
            if not isinstance(extension, dict):
                self.fail(f"{place}[{k}]", f"is {_shown(extension)}; it must be an object")
            name = self.text_of(extension, "name", f"{place}[{k}] ", required=True)
            self.text_of(extension, "version", f"{place}[{k}] ", required=True)
            optional = self.member(
                extension, "optional", bool, "true or false", f"{place}[{k}] ", required=True
            )
            if not optional and name != "bearing":
                self.fail(
                    f"{place}[{k}]",
                    f"says that the extension {_shown(name)} is needed to read this recording; "
                    "only bearing is known",
                )

    def check_conforming(self, top, captures):
        if self.flag(top, "core:metadata_only", "global "):
            self.fail("global core:metadata_only", "is true; recordings without data are not "
                      "supported")
        if self.index(top, "core:trailing_bytes", "global "):
            self.fail("global core:trailing_bytes", "is not 0; data files with anything but "
                      "samples are not supported")
        for k, segment in enumerate(captures):
            if self.index(segment, "core:header_bytes", f"captures[{k}] "):
                self.fail(f"captures[{k}] core:header_bytes", "is not 0; data files with anything "
                          "but samples are not supported")

    # The data file

    def find_data(self, top):
        """Path of the data file. A name in the metadata leads to no other folder."""
        name = self.text_of(top, "core:dataset", "global ")
        if name is None:
            return self.data_path
        field = "global core:dataset"
        is_plain = 0 < len(name) <= 255 and name not in (".", "..") and name.isprintable()
        if not is_plain or any(c in '/\\:*?"<>|' for c in name):
            self.fail(field, f"is {_shown(name)}; it must be the plain name of a file in the "
                      "same folder")
        path = self.path.parent / name
        if path.is_symlink():
            self.fail(field, f"{_shown(name)} is a symbolic link; it must be a file in the same "
                      "folder")
        return path

    def count_samples(self, top, data_path, datatype, channels, unfinished):
        try:
            status = os.stat(data_path)
        except FileNotFoundError:
            self.fail("the data file", f"{data_path} is missing")
        except (OSError, ValueError) as error:
            self.fail("the data file", f"{data_path} cannot be read: {reason(error)}")
        if not stat.S_ISREG(status.st_mode):
            self.fail("the data file", f"{data_path} is not a file")
        item_size = DATATYPES[datatype].item_size
        num_samples, rest = divmod(status.st_size, channels * item_size)
        # What a power cut left of the last samples is not worth an error.
        if rest and not unfinished:
            self.fail(
                "core:num_channels and core:datatype",
                f"do not fit the data file {data_path}: its {status.st_size} bytes are no multiple "
                f"of {channels} channels x {item_size} bytes",
            )
        promised = self.index(top, "bearing:num_samples", "global ")
        if promised is not None and promised > num_samples:
            self.fail(
                "global bearing:num_samples",
                f"is {promised}, but the data file {data_path} holds {num_samples} samples of "
                f"{channels} channels; it is truncated",
            )
        return num_samples

    # Captures and annotations

    def start_of(self, entry, place, offset, previous, is_strict):
        start = self.index(entry, "core:sample_start", place, required=True)
        if start < offset:
            self.fail(f"{place}core:sample_start", f"is {start}; it must be at least core:offset, "
                      f"{offset}")
        start -= offset
        if start < previous or (is_strict and start == previous):
            self.fail(f"{place}core:sample_start", f"is {start + offset}; it must be "
                      f"{'greater than' if is_strict else 'at least'} the one before it, "
                      f"{previous + offset}")
        return start

    def captures(self, entries, offset, num_samples, unfinished):
        segments = []
        previous = -1
        lead = 0  # of core:global_index over the sample's own
        for k, entry in enumerate(entries):
            place = f"captures[{k}] "
            start = self.start_of(entry, place, offset, previous, is_strict=True)
            previous = start
            rx_freq = self.number(entry, "core:frequency", place, -MAX_FREQUENCY, MAX_FREQUENCY)
            rx_time = self.datetime(entry, place)
            gap = self.index(entry, "bearing:gap", place, 0, 2**64 - 1)
            position = self.index(entry, "core:global_index", place, 0, 2**64 - 1)
            if position is not None:
                jump = position - start - offset - lead
                lead += jump
                if jump and k and gap is None:
                    gap = max(0, jump)  # backwards: unknown
            repeated = self.flag(entry, "bearing:frequency_repeated", place)
            if start >= max(1, num_samples):
                if unfinished:
                    break
                self.fail(f"{place}core:sample_start", f"is {start + offset}; the data file holds "
                          f"only {num_samples} samples a channel")
            segments.append(capture(start, rx_freq, rx_time, gap, repeated and rx_freq is not None))
        if not segments or segments[0].start > 0:
            segments.insert(0, capture(0))
        return tuple(segments)

    def datetime(self, entry, place):
        text = self.text_of(entry, "core:datetime", place)
        if text is None:
            return None
        match = _DATETIME.fullmatch(text)
        if match:
            year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
            try:
                # A leap second is, as in POSIX, the first one of the next minute.
                date = datetime.datetime(year, month, day, hour, minute, min(second, 59))
            except ValueError:
                match = None
            if second > 60:
                match = None
        if not match:
            self.fail(f"{place}core:datetime", f"is {_shown(text)}; it must be a date and time of "
                      "the form YYYY-MM-DDThh:mm:ss.sssZ, with up to 1100 digits in the fraction")
        seconds = calendar.timegm(date.timetuple()) + (second == 60)
        fraction = float("0." + (match[7] or "0"))
        if fraction >= 1.0:  # more nines than a double holds
            seconds, fraction = seconds + 1, 0.0
        if seconds < 0:
            self.fail(f"{place}core:datetime", f"is {_shown(text)}; it must not be before 1970")
        return seconds, fraction

    def check_annotations(self, entries, offset, num_samples, unfinished):
        previous = 0
        for k, entry in enumerate(entries):
            place = f"annotations[{k}] "
            start = self.start_of(entry, place, offset, previous, is_strict=False)
            previous = start
            count = self.index(entry, "core:sample_count", place) or 0
            for key in ("core:freq_lower_edge", "core:freq_upper_edge"):
                self.number(entry, key, place, -MAX_FREQUENCY, MAX_FREQUENCY)
            for key in ("core:label", "core:comment", "core:generator", "core:uuid"):
                self.text_of(entry, key, place)
            if start + count > num_samples and not unfinished:
                self.fail(f"{place}core:sample_start", f"and core:sample_count reach sample "
                          f"{start + count + offset}; the data file holds only {num_samples} "
                          "samples a channel")

    # The array

    def positions(self, top, key, channels):
        rows = self.member(top, key, list, "a list of rows [x, y, z]", "global ")
        if rows is None:
            return None
        is_right = len(rows) == channels and all(
            isinstance(row, list)
            and len(row) == 3
            and all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in row)
            for row in rows
        )
        if not is_right:
            self.fail(f"global {key}", f"must be {channels} rows of three numbers, one for each "
                      "channel")
        return np.array([[float(x) for x in row] for row in rows])

    def array(self, top, channels, first):
        in_metres = self.positions(top, "bearing:positions_m", channels)
        in_wavelengths = self.positions(top, "bearing:positions_wavelengths", channels)
        wavelength = self.member(
            top, "bearing:wavelength_m", (int, float), "a number > 0", "global "
        )
        if wavelength is not None and wavelength <= 0:
            self.fail("global bearing:wavelength_m", f"is {_shown(wavelength)}; it must be a "
                      "number > 0")
        errors = self.member(top, "bearing:calibration", dict, "an object", "global ")
        if in_metres is not None and in_wavelengths is not None:
            self.fail("global bearing:positions_wavelengths", "and bearing:positions_m exclude "
                      "each other")
        if in_metres is None and in_wavelengths is None:
            if errors is not None:
                self.fail("global bearing:calibration", "needs bearing:positions_m or "
                          "bearing:positions_wavelengths")
            return None
        if in_metres is None:
            key, positions, wavelength = "bearing:positions_wavelengths", in_wavelengths, None
        else:
            key, positions = "bearing:positions_m", in_metres
            if wavelength is None:
                if not first.rx_freq or first.rx_freq <= 0:
                    self.fail("global bearing:wavelength_m", "is missing; bearing:positions_m need "
                              "it, or a core:frequency > 0 in the first capture")
                wavelength = SPEED_OF_LIGHT / first.rx_freq
        try:
            found = antenna_array.custom(positions, wavelength)
        except (ValueError, RuntimeError) as error:
            self.fail(f"global {key}", f"makes no array: {reason(error)}")
        if errors is None:
            return found
        try:
            text = json.dumps(errors)
            return found.calibrated(calibration.from_json(text, "bearing:calibration"))
        except (ValueError, RuntimeError, RecursionError) as error:
            self.fail("global bearing:calibration", f"does not fit: {reason(error)}")


def _name(key):
    """A key for a message."""
    return _shown(key)[1:].rstrip('"')
