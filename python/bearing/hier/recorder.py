# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The block that follows a stream into the files of a recording."""

import math
import os
import shutil
import threading
import time

import numpy as np
import pmt
from gnuradio import gr

from .. import stream_time
from .packed_stream import GAP, RX_FREQ, RX_RATE, RX_TIME
from .recording import capture
from .sample_time import advanced, is_datable, normalised_time
from .sigmf_format import DATATYPES, MAX_FREQUENCY, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE

# Captures in one recording: some 10 MB of metadata. Streams that are lost, retuned or timed more
# often than this in one recording are not what files are for.
MAX_CAPTURES = 50000
# A source that tells the time of every packet must not come near: from so many captures on, an
# rx_time that only confirms what was to be expected starts none.
MAX_CONFIRMATIONS = 1000

_KEYS = (RX_RATE, RX_TIME, RX_FREQ, GAP)

# Rates closer than this are one rate that went through somebody's arithmetic: it is half a sample
# in the largest item of 2^29 samples.
_RATE_TOLERANCE = 1e-9
# Seconds between two looks at captures and disk; writing metadata takes at most a twentieth of
# the time.
_WATCH_S = 1.0
_REST_PER_WRITE = 20.0
# Seconds without progress after which the file blocks are taken to have stopped.
_PATIENCE_S = 0.5
# Free space that a recording leaves: what may come until the next look, within bounds.
_SPARE_S = 2.5
_LEAST_SPARE_BYTES = 16 * 2**20
_MOST_SPARE_BYTES = 2**30
# Integers at full scale are worth a warning from this share of all on.
_NOTABLE_SHARE = 1e-3
_NOTABLE_NUMBER = 100


class recorder(gr.basic_block):
    """Passes packed samples on to the files, and keeps the metadata that go with them.

    Tags are read in the flowgraph's thread; files are touched by a thread of its own, so that a
    slow disk holds up no samples because of metadata.
    """

    def __init__(self, frame_size, sample_rate, datatype, files, paths, item_size, write):
        """files: blocks that write items of item_size bytes to the paths;
        write(sample_rate, captures, num_samples, unfinished) or None."""
        packed = [(np.uint8, frame_size)]
        gr.basic_block.__init__(self, "recorder", packed, packed)
        self.set_tag_propagation_policy(gr.TPP_DONT)
        self._log = gr.logger("recording_sink")
        self.sample_rate = sample_rate
        self._component = DATATYPES[datatype].component
        self.at_full_scale = 0  # values of I and Q
        self._is_overdriven = False
        self._files = files
        self._paths = paths
        self._item_size = item_size
        self._write = write
        self._spare = spare_bytes(frame_size, sample_rate)
        # Samples between two looks at the disk, however fast they come.
        self._stride = max(1, self._spare // (4 * frame_size))
        self._next_look = 0
        self.ended = None  # why nothing more is recorded
        self.captures = [capture(0)]
        self._clock = None  # (rx_time, its sample) as it was told last
        self.count = 0  # samples passed on
        self._begin = 0  # samples in the files when the flowgraph started
        self._ignored = False
        self._is_dirty = False
        self._is_broken = False
        self._wake = threading.Condition()
        self._is_running = False
        self._watcher = None

    # The flowgraph's thread

    def start(self):
        if self.nitems_written(0) == 0 and self.count:
            # A flowgraph that starts again has dropped what was on its way to the files.
            self._begin = self.count = self._in_files()
            self.captures = [c for c in self.captures if c.start < max(1, self.count)]
            self._add_capture(self.count, None, None, 0)
        self._is_running = True
        self._is_dirty = True
        self._watcher = threading.Thread(
            target=self._watch, name="recording_sink", daemon=True
        )
        self._watcher.start()
        return True

    def forecast(self, noutput_items, ninputs):
        return [noutput_items] * ninputs

    def general_work(self, input_items, output_items):
        size = min(len(input_items[0]), len(output_items[0]))
        if self.ended is not None:
            self.consume(0, len(input_items[0]))
            return 0
        first = self.nitems_read(0)
        keep = size
        for offset, told in self._told(size):
            self._follow(self.count + offset - first, told)
            if self.ended is not None:
                keep = offset - first
                break
        output_items[0][:keep] = input_items[0][:keep]
        self.consume(0, size)
        self.count += keep
        self._watch_full_scale(output_items[0][:keep])
        if self.count >= self._next_look:
            self._next_look = self.count + self._stride
            self._look_at_disk()
        return keep

    def _watch_full_scale(self, frames):
        """Counts integers that stand at an end of their range, and warns once."""
        if self._component.kind != "i" or not frames.size:
            return
        values = frames.view(self._component)
        limits = np.iinfo(self._component)
        self.at_full_scale += int(
            np.count_nonzero(values == limits.max) + np.count_nonzero(values == limits.min)
        )
        total = self.count * frames.shape[1] // self._component.itemsize
        notable = max(_NOTABLE_NUMBER, _NOTABLE_SHARE * total)
        if self.at_full_scale > notable and not self._is_overdriven:
            self._is_overdriven = True
            self._log.warn(
                "values of I and Q beyond 1 are clipped, which spoils bearings; make the streams "
                "smaller, or record cf32_le"
            )

    def _told(self, size):
        """(offset, {key: value}) of the tags that matter, in order; of several inputs' tags the
        first input's."""
        found = {}
        for key in _KEYS:
            for tag in self.get_tags_in_window(0, 0, size, key):
                found.setdefault(tag.offset, {}).setdefault(key, tag.value)
        return sorted(found.items(), key=lambda item: item[0])

    def _follow(self, sample, told):
        """Opens a capture at this sample when the tags say so, or ends the recording."""
        rate = self._number(told, RX_RATE)
        if rate is not None and not math.isclose(
            rate, self.sample_rate, rel_tol=_RATE_TOLERANCE
        ):
            if sample > 0 or not MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE:
                self._end(f"rx_rate became {rate!r} Hz, sample_rate is {self.sample_rate!r} Hz")
                return
            # The stream knows better than who announced it.
            self._log.warn(f"rx_rate is {rate!r} Hz, not {self.sample_rate!r} Hz; it is recorded")
            self.sample_rate = rate
            self._is_dirty = True
        rx_time = self._time(told)
        rx_freq = self._number(told, RX_FREQ)
        if rx_freq is not None and abs(rx_freq) > MAX_FREQUENCY:
            self._ignore(RX_FREQ)
            rx_freq = None
        gap = self._gap(told)
        if self._write is None or (rx_time, rx_freq, gap) == (None, None, None):
            return
        if rx_freq is None and gap is None and self._only_confirms(sample, rx_time):
            return
        self._add_capture(sample, rx_freq, rx_time, gap)

    def _only_confirms(self, sample, rx_time):
        """Whether this time, of which there were enough, is the expected one to half a sample."""
        if len(self.captures) < MAX_CONFIRMATIONS or self._clock is None:
            return False
        told, since = self._clock
        expected = advanced(told, sample - since, self.sample_rate)
        if expected is None:
            return False
        error = rx_time[0] - expected[0] + (rx_time[1] - expected[1])
        return abs(error) <= 0.5 / self.sample_rate

    def _add_capture(self, sample, rx_freq, rx_time, gap):
        if rx_time is not None:
            self._clock = rx_time, sample
        elif gap is not None:
            self._clock = None
        last = self.captures[-1]
        if sample == last.start:
            # The first sample, or a restart on which the first tags now tell more.
            if rx_freq is None:
                rx_freq, repeated = last.rx_freq, last.rx_freq_repeated
            else:
                repeated = False
            rx_time = last.rx_time if rx_time is None else rx_time
            gap = last.gap if gap is None else gap
            self.captures[-1] = capture(sample, rx_freq, rx_time, gap, repeated)
        elif len(self.captures) >= MAX_CAPTURES:
            self._end(f"more than {MAX_CAPTURES} captures")
            return
        else:
            repeated = rx_freq is None and last.rx_freq is not None
            rx_freq = last.rx_freq if rx_freq is None else rx_freq
            self.captures.append(capture(sample, rx_freq, rx_time, gap, repeated))
        self._is_dirty = True

    def _end(self, reason):
        if self.ended is None:
            self.ended = reason
            self._log.error(f"the recording ends here: {reason}")

    def _ignore(self, key):
        if not self._ignored:
            self._ignored = True
            self._log.warn(
                f"a tag {pmt.symbol_to_string(key)} has a value that no recording can hold; it "
                "and all further such values are ignored"
            )

    def _number(self, told, key):
        value = told.get(key)
        if value is None:
            return None
        if pmt.is_real(value) or pmt.is_integer(value):
            number = pmt.to_double(value)
            if math.isfinite(number):
                return number
        self._ignore(key)
        return None

    def _time(self, told):
        value = told.get(RX_TIME)
        if value is None:
            return None
        found = stream_time.from_pmt(value)
        if found is not None:
            found = normalised_time(*found)
        if found is not None and is_datable(found):
            return found
        self._ignore(RX_TIME)
        return None

    def _gap(self, told):
        value = told.get(GAP)
        if value is None:
            return None
        if pmt.is_uint64(value):
            return pmt.to_uint64(value)
        if pmt.is_integer(value):
            return max(0, pmt.to_long(value))
        # Whatever its value, samples are missing here.
        self._ignore(GAP)
        return 0

    def stop(self):
        with self._wake:
            self._is_running = False
            self._wake.notify()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
            self._close()
        return True

    def _close(self):
        """What was passed on is in the files, or never will be: then metadata say how much."""
        written = self._in_files()
        patience = time.monotonic() + _PATIENCE_S
        while written < self.count and time.monotonic() < patience:
            time.sleep(0.002)
            before, written = written, self._in_files()
            if written > before:
                patience = time.monotonic() + _PATIENCE_S
        self._look_at_files()
        # Channels of equal length, and no part of a sample.
        self._guarded(self._truncate, written)
        if self._write is not None:
            captures = [c for c in self.captures if c.start < max(1, written)]
            self._guarded(self._write, self.sample_rate, captures, written, False)

    def _in_files(self):
        """Samples that are in all files."""
        try:
            return min(path.stat().st_size for path in self._paths) // self._item_size
        except OSError:  # somebody took one away
            return 0

    def _truncate(self, num_samples):
        for path in self._paths:
            os.truncate(path, num_samples * self._item_size)

    def _look_at_disk(self):
        try:
            if shutil.disk_usage(self._paths[0].parent).free < self._spare:
                self._end(f"less than {self._spare // 2**20} MiB are free on the disk")
        except OSError:
            pass  # writing tells

    def _look_at_files(self):
        """A file_sink says nothing of samples that the system does not take."""
        taken = min(file.nitems_read(0) for file in self._files)
        if self._in_files() < self._begin + taken:
            names = ", ".join(map(str, self._paths))
            self._end(f"samples could not be written to {names}")

    # The thread of its own

    def _watch(self):
        next_write = 0.0
        while True:
            begun = time.monotonic()
            if self._is_dirty and self._write is not None and begun >= next_write:
                self._is_dirty = False
                self._guarded(
                    self._write, self.sample_rate, list(self.captures), None, True
                )
                now = time.monotonic()
                next_write = now + _REST_PER_WRITE * (now - begun)
            self._look_at_disk()
            self._look_at_files()
            with self._wake:
                if self._is_running:
                    self._wake.wait(_WATCH_S)
                if not self._is_running:
                    return

    def _guarded(self, action, *arguments):
        try:
            action(*arguments)
        except (OSError, ValueError) as error:
            if not self._is_broken:
                self._is_broken = True
                self._log.error(f"the recording is incomplete: {error}")


def spare_bytes(frame_size, sample_rate):
    """Free bytes of disk that a recording needs to go on."""
    coming = int(_SPARE_S * frame_size * sample_rate)
    return min(max(_LEAST_SPARE_BYTES, coming), _MOST_SPARE_BYTES)
