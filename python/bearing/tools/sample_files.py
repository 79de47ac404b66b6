# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files with samples, opened to read."""

import dataclasses
from typing import Any, Callable, Optional, Tuple

import numpy as np

from ..hier.recording import capture
from ..hier.sigmf_format import MAX_CHANNELS
from .command_line import bad_input, complaints_about, open_recording, system_errors_of
from .sample_formats import FORMAT_OF_COMPONENT, FORMATS, RAW_SUFFIXES, kind_of, sample_format


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
    captures: Tuple = (capture(0),)
    array: Any = None
    heading_deg: Optional[float] = None
    description: str = ""


def open_input(arguments):
    """The sample_file that the command line names."""
    paths = arguments.inputs
    kinds = [kind_of(path) for path in paths]
    if len(paths) > 1:
        for path, kind in zip(paths, kinds):
            if kind != "raw":
                raise bad_input(f"{path}: only raw files may be several, one per channel")
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
    kind = FORMAT_OF_COMPONENT.get(component)
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
    if not 1 <= n <= MAX_CHANNELS:
        raise bad_input(
            f"{name}: has {n} channels (rows) of {num_samples} samples; 1 .. "
            f"{MAX_CHANNELS} are possible. Are they columns: --transpose?"
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
    opened.captures = (capture(0, _mat_number(variables, "frequency")),)
    return opened


def _mat_number(variables, name):
    value = variables.get(name)
    if value is None or value.size != 1 or value.dtype.kind not in "iuf":
        return None
    value = float(value.reshape(()))
    return value if np.isfinite(value) else None
