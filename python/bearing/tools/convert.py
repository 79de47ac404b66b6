# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-convert: samples of several channels from one kind of file to another."""

import argparse
import calendar
import dataclasses
import re
import shutil
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Optional, Tuple

import numpy as np

from ..hier import sigmf
from .command_line import (
    ARRAY_HELP,
    OK,
    bad_input,
    check_writable,
    complaints_about,
    finite,
    open_recording,
    parse_array,
    positive,
    read_calibration,
    run,
    stop_signals,
    stopped,
    system_errors_of,
    whole_files,
)

PROGRAM = "bearing-convert"

# Components (I and Q) that are in memory at a time.
BLOCK_COMPONENTS = 1 << 21


@dataclasses.dataclass(frozen=True)
class sample_format:
    """How a file stores a component (I or Q): value = (stored - zero) / full_scale."""

    name: str
    component: np.dtype
    full_scale: float = 1.0
    zero: float = 0.0

    @property
    def is_integer(self):
        return self.component.kind in "iu"

    @property
    def is_wide(self):
        """Whether single precision does not hold every value."""
        return self.component.itemsize * 8 > (16 if self.is_integer else 32)


FORMATS = {
    f.name: f
    for f in (
        sample_format("ci8", np.dtype("i1"), 2.0**7),
        # As tuners of eight bits deliver it: no value stands for zero.
        sample_format("cu8", np.dtype("u1"), 2.0**7, 127.5),
        sample_format("ci16_le", np.dtype("<i2"), 2.0**15),
        sample_format("ci16_be", np.dtype(">i2"), 2.0**15),
        sample_format("ci32_le", np.dtype("<i4"), 2.0**31),
        sample_format("ci32_be", np.dtype(">i4"), 2.0**31),
        sample_format("cf32_le", np.dtype("<f4")),
        sample_format("cf32_be", np.dtype(">f4")),
        sample_format("cf64_le", np.dtype("<f8")),
        sample_format("cf64_be", np.dtype(">f8")),
    )
}
_FORMAT_OF_COMPONENT = {f.component: f for f in FORMATS.values() if f.name != "cu8"}

# Suffixes of raw files, and what such a file holds when nothing else is said.
RAW_SUFFIXES = {
    ".bin": None,
    ".dat": None,
    ".iq": None,
    ".raw": None,
    ".c64": "cf32_le",
    ".cf32": "cf32_le",
    ".cfile": "cf32_le",
    ".fc32": "cf32_le",
    ".ci8": "ci8",
    ".cs8": "ci8",
    ".cu8": "cu8",
    ".ci16": "ci16_le",
    ".cs16": "ci16_le",
    ".sc16": "ci16_le",
}


@dataclasses.dataclass
class sample_file:
    """Samples to convert, and what is known about them.

    read(start, stop): those samples of all channels, an array of (stop - start) x N x 2
    components as the file stores them.
    """

    name: Any
    format: sample_format
    num_channels: int
    num_samples: int
    read: Callable
    sample_rate: Optional[float] = None
    captures: Tuple = (sigmf.capture(0),)
    array: Any = None
    heading_deg: Optional[float] = None
    description: str = ""


def kind_of(path):
    """ "npy", "mat", "sigmf" or "raw", by the file's name."""
    suffix = path.suffix.lower()
    if suffix in (".npy", ".mat"):
        return suffix[1:]
    if suffix in (".sigmf-meta", ".sigmf-data"):
        return "sigmf"
    if suffix in RAW_SUFFIXES:
        return "raw"
    if suffix == ".sigmf":
        raise bad_input(f"{path}: is a SigMF archive; unpack it with tar -xf first")
    raise bad_input(
        f"{path}: must end in .npy, .mat, .sigmf-meta, or, if it is raw, in one of "
        f"{', '.join(RAW_SUFFIXES)}"
    )


# Reading


def open_input(arguments):
    """The sample_file that the command line names."""
    paths = arguments.inputs
    kinds = [kind_of(path) for path in paths]
    if len(paths) > 1:
        for path, kind in zip(paths, kinds):
            if kind != "raw":
                raise bad_input(f"{path}: only raw files may be several, one a channel")
        opened = _open_raw_channels(paths, arguments)
    elif kinds[0] == "raw":
        opened = _open_raw(paths[0], arguments)
    elif kinds[0] == "sigmf":
        opened = _open_sigmf(paths[0])
    elif kinds[0] == "npy":
        opened = _of_array(paths[0], _load_npy(paths[0]), arguments.transpose)
    else:
        opened = _open_mat(paths[0], arguments)
    if arguments.channels is not None and arguments.channels != opened.num_channels:
        raise bad_input(
            f"{opened.name}: has {opened.num_channels} channels, not the {arguments.channels} of "
            "--channels"
        )
    if opened.num_samples == 0:
        raise bad_input(f"{opened.name}: holds no samples")
    return opened


def _raw_format(path, arguments):
    name = arguments.input_datatype or RAW_SUFFIXES[path.suffix.lower()] or arguments.datatype
    if name is None:
        raise bad_input(f"{path}: a raw file does not tell its datatype: give --input-datatype")
    return FORMATS[name]


def _raw_size(path, frame, meaning):
    """How many frames of that many bytes a file holds."""
    with complaints_about(path):
        with open(path, "rb") as file:
            size = file.seek(0, 2)
        if size % frame:
            raise ValueError(f"its {size} bytes are no multiple of the {frame} bytes of {meaning}")
    return size // frame


def _raw_reader(path, kind, num_channels):
    frame = num_channels * 2 * kind.component.itemsize

    def read(start, stop):
        count = (stop - start) * num_channels * 2
        with system_errors_of(path):
            values = np.fromfile(path, kind.component, count, offset=start * frame)
        if values.size != count:
            raise bad_input(f"{path}: has become shorter while it was read")
        return values.reshape(-1, num_channels, 2)

    return read


def _open_raw(path, arguments):
    if arguments.channels is None:
        raise bad_input(f"{path}: a raw file does not tell how many channels it has: --channels")
    kind = _raw_format(path, arguments)
    n = arguments.channels
    frame = n * 2 * kind.component.itemsize
    num_samples = _raw_size(path, frame, f"a sample of {n} channels in {kind.name}")
    return sample_file(path, kind, n, num_samples, _raw_reader(path, kind, n))


def _open_raw_channels(paths, arguments):
    kinds = [_raw_format(path, arguments) for path in paths]
    kind = kinds[0]
    sizes, readers = [], []
    for path, own in zip(paths, kinds):
        if own != kind:
            raise bad_input(f"{path}: holds {own.name}, but {paths[0]} {kind.name}")
        sizes.append(_raw_size(path, 2 * kind.component.itemsize, f"a sample in {kind.name}"))
        readers.append(_raw_reader(path, kind, 1))
    shortest = int(np.argmin(sizes))
    if sizes[shortest] != max(sizes):
        raise bad_input(
            f"{paths[shortest]}: holds {sizes[shortest]} samples, another channel {max(sizes)}; "
            "they must be as many"
        )

    def read(start, stop):
        return np.concatenate([reader(start, stop) for reader in readers], axis=1)

    return sample_file(paths[0], kind, len(paths), sizes[0], read)


def _open_sigmf(path):
    recording = open_recording(path)
    kind = FORMATS[recording.datatype]
    return sample_file(
        path,
        kind,
        recording.num_channels,
        recording.num_samples,
        _raw_reader(recording.data_path, kind, recording.num_channels),
        recording.sample_rate,
        recording.captures,
        recording.array,
        recording.heading_deg,
        recording.description,
    )


def _load_npy(path):
    with complaints_about(path):
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except OSError:
            raise
        except Exception as error:  # of its parser, which are of many kinds
            raise ValueError(f"is no NumPy array: {error}") from error
        if not isinstance(array, np.ndarray):
            raise ValueError("is an archive of NumPy arrays; one array is read")
    return array


def _of_array(name, array, is_transposed):
    """sample_file of an array: complex of N x T or T; or real of N x T x 2, I and Q."""
    if array.dtype.kind == "c":
        component = np.dtype(f"{array.dtype.byteorder}f{array.dtype.itemsize // 2}")
        array = array[..., np.newaxis]
    else:
        component = array.dtype
        if array.ndim < 2 or array.shape[-1] != 2:
            array = array[..., np.newaxis]  # shape for the message
    kind = _FORMAT_OF_COMPONENT.get(component)
    shape = array.shape[:-1]
    is_pair = array.shape[-1] == 2
    if kind is None or not (is_pair or array.dtype.kind == "c") or not 1 <= len(shape) <= 2:
        raise bad_input(
            f"{name}: holds {array.dtype} of shape {_shape(shape + (2,) * is_pair)}; complex "
            "samples of channels x samples are read, or real ones with a last axis of two, I and Q"
        )
    if len(shape) == 1:
        array = array[np.newaxis] if not is_transposed else array[:, np.newaxis]
    if is_transposed:
        array = array.swapaxes(0, 1)
    n, num_samples = array.shape[:2]
    if not 1 <= n <= sigmf.MAX_CHANNELS:
        raise bad_input(
            f"{name}: has {n} channels (rows) of {num_samples} samples; 1 .. "
            f"{sigmf.MAX_CHANNELS} are possible. Are they columns: --transpose?"
        )

    def read(start, stop):
        block = np.ascontiguousarray(array[:, start:stop].swapaxes(0, 1))
        return block.view(component).reshape(stop - start, n, 2)

    return sample_file(name, kind, n, num_samples, read)


def _shape(shape):
    return " x ".join(map(str, shape)) or "no axis"


def _open_mat(path, arguments):
    # Imported here: only these files take SciPy.
    import scipy.io

    with complaints_about(path):
        try:
            with open(path, "rb") as file:
                variables = scipy.io.loadmat(file)
        except OSError:
            raise
        except NotImplementedError as error:
            raise ValueError(
                "is a MATLAB 7.3 (HDF5) file, which is not supported; save it with '-v7'"
            ) from error
        except Exception as error:  # of its parser, which are of many kinds
            raise ValueError(f"is no MATLAB file: {error}") from error
        variables = {
            name: value
            for name, value in variables.items()
            if isinstance(value, np.ndarray) and not name.startswith("__")
        }
        name = arguments.variable
        if name is None:
            complex_ones = [k for k, v in variables.items() if v.dtype.kind == "c" and v.ndim == 2]
            if len(complex_ones) != 1:
                raise ValueError(
                    f"has {len(complex_ones) or 'no'} complex matrices "
                    f"({', '.join(sorted(complex_ones or variables)) or 'no variables'}): "
                    "name one with --variable"
                )
            name = complex_ones[0]
        elif name not in variables:
            raise ValueError(f"has no array {name}, but: {', '.join(sorted(variables)) or 'none'}")
    opened = _of_array(f"{path}: {name}", variables[name], arguments.transpose)
    opened.sample_rate = _mat_number(variables, "sample_rate")
    opened.captures = (sigmf.capture(0, _mat_number(variables, "frequency")),)
    return opened


def _mat_number(variables, name):
    value = variables.get(name)
    if value is None or value.size != 1 or value.dtype.kind not in "iuf":
        return None
    value = float(value.reshape(()))
    return value if np.isfinite(value) else None


# Converting


class converter:
    """Makes components of one format from those of another, and counts what did not fit.

    clipped: finite values beyond the range of the target. not_numbers: NaN that became 0.
    peak: largest magnitude of a component, after scaling, in full scales; NaN apart.
    """

    def __init__(self, source, target, scale=1.0):
        self._source, self._target, self._scale = source, target, scale
        self._is_copy = (
            scale == 1.0
            and source.component.kind == target.component.kind
            and source.component.itemsize == target.component.itemsize
        )
        is_wide = source.is_wide or target.is_wide or scale != 1.0
        self._work = np.float64 if is_wide else np.float32
        self.clipped = self.not_numbers = 0
        self.peak = 0.0

    def __call__(self, block):
        """An array of the target's components, as the block is shaped."""
        source, target = self._source, self._target
        if self._is_copy:
            return block.astype(target.component, copy=False)
        values = block.astype(self._work)
        if source.is_integer:
            if source.zero:
                values -= source.zero
            values *= 1.0 / source.full_scale
        if self._scale != 1.0:
            values *= self._scale
        if not target.is_integer:
            with np.errstate(over="ignore"):
                result = values.astype(target.component)
            if target.component.itemsize < values.itemsize:
                lost = np.isinf(result) & np.isfinite(values)
                self.clipped += int(np.count_nonzero(lost))
            return result
        return self._to_integers(values)

    def _to_integers(self, values):
        target = self._target
        low, high = (float(limit) for limit in self._limits())
        self.peak = max(self.peak, float(np.fmax.reduce(np.abs(values), axis=None)))
        values *= target.full_scale
        values += target.zero
        np.rint(values, out=values)
        bad = np.isnan(values)
        if bad.any():
            self.not_numbers += int(np.count_nonzero(bad))
            values[bad] = np.rint(target.zero)
        self.clipped += int(np.count_nonzero((values < low) | (values > high)))
        return np.clip(values, low, high, out=values).astype(target.component)

    def _limits(self):
        limits = np.iinfo(self._target.component)
        return limits.min, limits.max

    def complaints(self, num_components):
        """Sentences about what was lost."""
        name = self._target.name
        if self.clipped:
            text = f"{self.clipped} of {num_components} values were too large for {name} and are "
            if self._target.is_integer:
                text += f"clipped: the largest is {self.peak:.4g} times full scale"
                # Rounded down, to fit.
                fitting = self._scale * (1 - 1 / self._target.full_scale) / self.peak
                if fitting > 0:
                    text += f"; --scale {float(f'{0.995 * fitting:.2g}'):g} would fit"
            else:
                text += "infinite now"
            yield text
        if self.not_numbers:
            yield f"{self.not_numbers} of {num_components} values were NaN and are 0 in {name}"


# Writing


class npy_target:
    """N x T (or T x N), in the order of the samples either way: it is written as it comes."""

    def __init__(self, path, opened, target, is_transposed):
        self.paths = [path]
        shape = (opened.num_channels, opened.num_samples)
        self._header = {
            "descr": f"<c{2 * target.component.itemsize}",
            "fortran_order": not is_transposed,
            "shape": shape[::-1] if is_transposed else shape,
        }

    def begin(self, files):
        np.lib.format.write_array_header_1_0(files[0], self._header)

    def write(self, files, block):
        files[0].write(np.ascontiguousarray(block))

    def finish(self, files):
        pass


class raw_target:
    """Interleaved samples, or a file for each channel."""

    def __init__(self, path, opened, is_split):
        self._is_split = is_split
        self.paths = [path]
        if is_split:
            width = len(str(opened.num_channels - 1))
            self.paths = [
                path.with_name(f"{path.stem}{k:0{width}}{path.suffix}")
                for k in range(opened.num_channels)
            ]

    def begin(self, files):
        pass

    def write(self, files, block):
        if self._is_split:
            for k, file in enumerate(files):
                file.write(np.ascontiguousarray(block[:, k]))
        else:
            files[0].write(np.ascontiguousarray(block))

    def finish(self, files):
        pass


class sigmf_target:
    """A recording: data and metadata."""

    def __init__(self, path, opened, target, metadata):
        meta, data = sigmf.recording_paths(path)
        self.paths = [data, meta]
        # Checked by the one that writes them, before anything is converted.
        with complaints_about(meta):
            with tempfile.TemporaryDirectory() as folder:
                written = sigmf.write_metadata(
                    Path(folder) / "recording",
                    target.name,
                    num_channels=opened.num_channels,
                    num_samples=opened.num_samples,
                    **metadata,
                )
                self._text = written.read_bytes()

    def begin(self, files):
        files[1].write(self._text)

    def write(self, files, block):
        files[0].write(np.ascontiguousarray(block))

    def finish(self, files):
        pass


class mat_target:
    """A MATLAB file of version 5 (-v6), whose variables have to fit into memory."""

    LARGEST = 2**31 - 1  # bytes of a variable

    def __init__(self, path, opened, target, name, is_transposed, others):
        size = opened.num_channels * opened.num_samples * 2 * target.component.itemsize
        if size > self.LARGEST:
            raise bad_input(
                f"{path}: {size} bytes of samples are more than the {self.LARGEST} that a MATLAB "
                "file can hold"
            )
        self.paths = [path]
        self._name = name
        self._is_transposed = is_transposed
        self._others = others
        self._blocks = []

    def begin(self, files):
        pass

    def write(self, files, block):
        complex_type = f"<c{2 * block.dtype.itemsize}"
        self._blocks.append(np.ascontiguousarray(block).view(complex_type)[:, :, 0])

    def finish(self, files):
        import scipy.io

        samples = np.concatenate(self._blocks)
        self._blocks.clear()
        samples = samples if self._is_transposed else samples.T
        scipy.io.savemat(files[0], {self._name: samples, **self._others})


def choose_format(arguments, opened, kind):
    """The sample_format of the output."""
    if kind == "sigmf":
        allowed = list(sigmf.DATATYPES)
    elif kind == "raw":
        allowed = list(FORMATS)
    else:
        allowed = ["cf32_le", "cf64_le"]
    name = arguments.datatype or RAW_SUFFIXES.get(arguments.output.suffix.lower())
    if name is None:
        fallback = "cf64_le" if opened.format.is_wide and "cf64_le" in allowed else "cf32_le"
        name = opened.format.name if opened.format.name in allowed else fallback
    if name not in allowed:
        raise bad_input(f"{arguments.output}: cannot hold {name}, but: {', '.join(allowed)}")
    return FORMATS[name]


def choose_metadata(arguments, opened):
    """Arguments of sigmf.write_metadata, from the command line and from the input."""
    captures = opened.captures
    if arguments.frequency is not None or arguments.time is not None:
        if len(captures) > 1:
            option = "--frequency" if arguments.frequency is not None else "--time"
            raise bad_input(f"{option}: {opened.name} has {len(captures)} captures of its own")
        changes = {"rx_freq": arguments.frequency, "rx_time": arguments.time}
        changes = {key: value for key, value in changes.items() if value is not None}
        captures = (dataclasses.replace(captures[0], **changes),)
    sample_rate = arguments.sample_rate or opened.sample_rate
    if sample_rate is None:
        raise bad_input(f"{opened.name}: does not tell its sample rate: give --sample-rate")
    heading = arguments.heading if arguments.heading is not None else opened.heading_deg
    return {
        "sample_rate": sample_rate,
        "captures": captures,
        "array": _choose_array(arguments, opened, captures[0].rx_freq),
        "heading_deg": heading,
        "description": opened.description if arguments.description is None
        else arguments.description,
    }


def _choose_array(arguments, opened, frequency):
    array = opened.array
    if arguments.array is not None:
        array = parse_array(arguments.array, frequency, arguments.wavelengths)
        if array.n != opened.num_channels:
            raise bad_input(
                f"--array: has {array.n} elements, but {opened.name} {opened.num_channels} channels"
            )
    elif array is not None and array.wavelength is not None and arguments.frequency is not None:
        array = array.with_wavelength(sigmf.SPEED_OF_LIGHT / arguments.frequency)
    if arguments.calibration is not None:
        if array is None:
            raise bad_input("--calibration: belongs to an array: give --array")
        calibration = read_calibration(arguments.calibration)
        with complaints_about(arguments.calibration):
            array = array.with_calibration(calibration)
    return array


def make_target(arguments, opened, kind, target):
    path = arguments.output
    if kind == "sigmf":
        return sigmf_target(path, opened, target, choose_metadata(arguments, opened))
    if kind == "npy":
        return npy_target(path, opened, target, arguments.transpose_output)
    if kind == "raw":
        return raw_target(path, opened, arguments.split)
    others = {
        "sample_rate": arguments.sample_rate or opened.sample_rate,
        "frequency": arguments.frequency or opened.captures[0].rx_freq,
    }
    others = {name: value for name, value in others.items() if value is not None}
    name = arguments.variable if kind_of(arguments.inputs[0]) != "mat" else None
    return mat_target(
        path, opened, target, name or "samples", arguments.transpose_output, others
    )


# The program


def time_of(text):
    """Type of an option: ISO 8601, UTC unless it names a zone; (seconds, fraction)."""
    match = re.fullmatch(r"([^.,]*)(?:[.,]([0-9]{1,1000}))?(Z|[+-][0-9]{2}:?[0-9]{2})?", text)
    if not match or "T" not in match[1]:
        raise ValueError("must be of the form YYYY-MM-DDThh:mm:ss.sssZ")
    whole, digits, zone = match.groups()
    date = datetime.fromisoformat(whole + (zone or "Z").replace("Z", "+00:00"))
    seconds = calendar.timegm(date.utctimetuple())
    fraction = float("0." + (digits or "0"))
    if fraction >= 1.0:  # more nines than a double holds
        seconds, fraction = seconds + 1, 0.0
    if seconds < 0:
        raise ValueError("must not be before 1970")
    return seconds, fraction


time_of.__name__ = "ISO 8601 time"


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage="%(prog)s [options] INPUT [INPUT ...] OUTPUT",
        description="Converts samples of coherent channels between SigMF, NumPy (.npy), MATLAB "
        "(.mat) and raw files, by the files' names. Without --scale, 1.0 is the full scale of "
        "integers.",
        epilog="Exit code 2: the command line or a file is wrong; 130: Ctrl-C.",
    )
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="+", type=Path, help="a file, or a raw one a channel"
    )
    parser.add_argument("output", metavar="OUTPUT", type=Path)
    group = parser.add_argument_group("input")
    group.add_argument("--channels", type=int, metavar="N", help="of a raw file, interleaved")
    group.add_argument(
        "--input-datatype",
        choices=FORMATS,
        metavar="TYPE",
        help=f"of raw files: {', '.join(FORMATS)}; default: by the suffix, or --datatype",
    )
    group.add_argument("--variable", metavar="NAME", help="of a MATLAB file")
    group.add_argument(
        "--transpose",
        action="store_true",
        help="arrays are samples x channels, not channels x samples",
    )
    group = parser.add_argument_group("output")
    group.add_argument(
        "--datatype",
        choices=FORMATS,
        metavar="TYPE",
        help="of the output; default: that of the input where it is possible, else cf32_le",
    )
    group.add_argument(
        "--scale", type=positive, default=1.0, metavar="FACTOR", help="multiplies the samples"
    )
    group.add_argument("--split", action="store_true", help="a raw file for each channel")
    group.add_argument("--force", action="store_true", help="replace files that are there")
    group.add_argument("--quiet", action="store_true", help="no summary on stderr")
    group = parser.add_argument_group("metadata of a SigMF recording")
    group.add_argument("--sample-rate", type=positive, metavar="HZ")
    group.add_argument("--frequency", type=positive, metavar="HZ", help="carrier frequency")
    group.add_argument(
        "--time", type=time_of, metavar="TIME", help="of the first sample, ISO 8601, UTC"
    )
    group.add_argument("--array", metavar="ARRAY", help=f"{ARRAY_HELP}; in metres")
    group.add_argument(
        "--wavelengths", action="store_true", help="lengths of --array are in wavelengths"
    )
    group.add_argument("--calibration", metavar="FILE", help="calibration file of the array")
    group.add_argument(
        "--heading",
        type=finite,
        metavar="DEGREES",
        help="direction of the array's +y axis, clockwise from north",
    )
    group.add_argument("--description", metavar="TEXT")
    arguments = parser.parse_args(argv)
    check_arguments(parser, arguments)
    return arguments


def check_arguments(parser, arguments):
    """Refuses options that would have no effect."""
    kinds = {kind_of(path) for path in arguments.inputs}
    kind = kind_of(arguments.output)
    if arguments.channels is not None and arguments.channels < 1:
        parser.error("--channels must be 1 or more")
    if arguments.input_datatype and kinds != {"raw"}:
        parser.error("--input-datatype goes with raw input")
    if arguments.variable and "mat" not in kinds | {kind}:
        parser.error("--variable goes with MATLAB files")
    if arguments.split and kind != "raw":
        parser.error("--split goes with raw output")
    arrays = {"npy", "mat"}
    if arguments.transpose and not arrays & (kinds | {kind}):
        parser.error("--transpose goes with NumPy and MATLAB files")
    # Both sides are arrays: the input's are turned.
    arguments.transpose_output = arguments.transpose and not arrays & kinds
    for name in ("time", "array", "calibration", "heading", "description"):
        if getattr(arguments, name) is not None and kind != "sigmf":
            parser.error(f"--{name} goes with SigMF output")
    for name in ("sample_rate", "frequency"):
        if getattr(arguments, name) is not None and kind not in ("sigmf", "mat"):
            parser.error(f"--{name.replace('_', '-')} goes with SigMF and MATLAB output")
    if arguments.wavelengths and arguments.array is None:
        parser.error("--wavelengths goes with --array")


def check_outputs(paths, is_forced, size):
    """Raises bad_input unless these files may be made and there is room for so many bytes."""
    for path in paths:
        check_writable(path)
        if path.exists() and not is_forced:
            raise bad_input(f"{path}: is there already; --force replaces it")
    free = shutil.disk_usage(paths[0].parent).free
    if size > free:
        raise bad_input(f"{paths[0]}: takes {size} bytes, but the disk has only {free} left")


def convert(argv):
    """The program, less what run() does; the exit code."""
    arguments = parse_arguments(argv)
    opened = open_input(arguments)
    kind = kind_of(arguments.output)
    chosen = choose_format(arguments, opened, kind)
    target = make_target(arguments, opened, kind, chosen)
    num_components = 2 * opened.num_channels * opened.num_samples
    check_outputs(target.paths, arguments.force, num_components * chosen.component.itemsize)

    conversion = converter(opened.format, chosen, arguments.scale)
    step = max(1, BLOCK_COMPONENTS // (2 * opened.num_channels))
    with stop_signals() as signals, whole_files(*target.paths) as files:
        target.begin(files)
        for start in range(0, opened.num_samples, step):
            if signals.received is not None:
                raise stopped(signals.exit_code)
            block = opened.read(start, min(start + step, opened.num_samples))
            target.write(files, conversion(block))
        target.finish(files)

    for complaint in conversion.complaints(num_components):
        print(f"{PROGRAM}: {arguments.output}: {complaint}", file=sys.stderr)
    if not arguments.quiet:
        print(
            f"{PROGRAM}: {arguments.output}: {opened.num_channels} channels of "
            f"{opened.num_samples} samples, {chosen.name}",
            file=sys.stderr,
        )
    return OK


def main(argv=None):
    """Entry point; argv: the command line without the program's name. The exit code."""
    return run(PROGRAM, convert, argv)
