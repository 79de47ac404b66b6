# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights files: tensors of float32 and texts in the layout of safetensors.

A little-endian u64, the length of the header; the header, JSON; the values, little-endian, the
last index fastest.
"""

import json
import struct
from pathlib import Path

import numpy as np


def write_weights(file, tensors, metadata):
    """Writes to an open binary file: the same tensors and texts, the same bytes.

    tensors: arrays by name, finite; metadata: texts by name
    """
    header, blobs, position = {"__metadata__": dict(sorted(metadata.items()))}, [], 0
    for name, values in sorted(tensors.items()):
        values = np.asarray(values)
        if not np.all(np.isfinite(values)):
            raise ValueError(f"{name} holds values that are not finite")
        blob = values.astype("<f4").tobytes()
        end = position + len(blob)
        header[name] = {
            "dtype": "F32",
            "shape": list(values.shape),
            "data_offsets": [position, end],
        }
        blobs.append(blob)
        position = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # values begin at a multiple of 8
    file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def read_weights(path):
    """(tensors, metadata) of a file of write_weights. Raises ValueError naming the file."""
    data = Path(path).read_bytes()
    try:
        (length,) = struct.unpack_from("<Q", data)
        header, values = json.loads(data[8 : 8 + length]), data[8 + length :]
        metadata = header.pop("__metadata__", {})
        tensors = {}
        for name, entry in header.items():
            if entry["dtype"] != "F32":
                raise ValueError(f"{name} is {entry['dtype']}, not F32")
            start, end = entry["data_offsets"]
            tensors[name] = np.frombuffer(values[start:end], "<f4").reshape(entry["shape"])
    except (struct.error, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path}: no weights file: {error}") from error
    return tensors, metadata
