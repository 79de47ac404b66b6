# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bearing messages as bytes from the network, looked at before GNU Radio reads them.

pmt.deserialize_str trusts its input: nested pairs end the process with a stack overflow, a count
makes it allocate as many bytes as it claims, missing bytes become numbers, and every symbol stays
in memory for ever. So the bytes are walked first, and only entries that fusion reads are handed on.

Format: GNU Radio's serialised PMTs (gnuradio-runtime/lib/pmt/pmt_serialize.h); big-endian numbers
behind a byte that tells their kind.
"""

import struct

import pmt

# Serialised; a spectrum of 32000 points fits.
MAX_BYTES = 1 << 18
MAX_ENTRIES = 64
MAX_DIRECTIONS = 64
# Symbols other than keys that are kept: names of stations, channels, methods and statuses. Of a
# feed, so that one alone does not take the room of all; and of the program, 3 MB.
MAX_SYMBOLS = 1024
MAX_ALL_SYMBOLS = 8192
MAX_SYMBOL_BYTES = 400

_TRUE, _FALSE, _SYMBOL, _INT32, _DOUBLE, _COMPLEX, _NULL, _PAIR = range(8)
_VECTOR, _DICT, _UNIFORM_VECTOR, _UINT64, _TUPLE, _INT64 = range(8, 14)
_SIZES = {
    _TRUE: 0, _FALSE: 0, _NULL: 0, _INT32: 4, _DOUBLE: 8, _COMPLEX: 16, _UINT64: 8, _INT64: 8,
}  # fmt: skip
# Bytes of an element, by kind of uniform vector: u8 s8 u16 s16 u32 s32 u64 s64 f32 f64 c32 c64.
_ELEMENT_SIZES = (1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 8, 16)
_F32 = 8

_WANTED = frozenset(
    b"rx_time rx_freq method status num_sources snapshots std_deg true_bearing_deg power_db snr_db "
    b"station channel latitude longitude heading_deg altitude_m speed_m_s received_s".split()
)


class malformed(ValueError):
    """Bytes that are no bearing message."""


class message_reader:
    """Makes PMTs of the bytes of bearing messages: what fusion reads of them, and no more.

    all_symbols: a set that readers of one program share.
    """

    def __init__(self, all_symbols=None):
        self._symbols = set()
        self._all_symbols = set() if all_symbols is None else all_symbols

    def read(self, data):
        """The pmt of one message; raises malformed saying what is wrong."""
        if len(data) > MAX_BYTES:
            raise malformed(f"{len(data)} bytes; a message has at most {MAX_BYTES}")
        cursor = _cursor(data)
        if cursor.kind() != _PAIR:
            raise malformed("is no pair")
        kept, symbols = [], []
        link = cursor.kind()
        count = 0
        while link == _DICT:
            count += 1
            if count > MAX_ENTRIES:
                raise malformed(f"has more than {MAX_ENTRIES} entries")
            start = cursor.at
            if cursor.kind() != _PAIR or cursor.kind() != _SYMBOL:
                raise malformed("has an entry without a name")
            name = cursor.symbol()
            value = cursor.at
            cursor.skip()
            if name in _WANTED:
                kept.append(data[start : cursor.at])
                if data[value] == _SYMBOL:
                    symbols.append(data[value + 3 : cursor.at])
            link = cursor.kind()
        if link != _NULL:
            raise malformed("has no dict")
        angles = cursor.at
        if cursor.kind() != _UNIFORM_VECTOR or cursor.uniform_vector(_F32) > MAX_DIRECTIONS:
            raise malformed(f"has no angles, or more than {MAX_DIRECTIONS}")
        if cursor.at != len(data):
            raise malformed("goes on behind its end")
        self._remember(symbols)
        dict_ = b"".join(bytes([_DICT]) + entry for entry in kept) + bytes([_NULL])
        return pmt.deserialize_str(bytes([_PAIR]) + dict_ + data[angles:])

    def _remember(self, symbols):
        """Refuses new symbols when there are too many of them: they are never forgotten."""
        for symbol in symbols:
            if symbol in self._symbols:
                continue
            if len(self._symbols) >= MAX_SYMBOLS:
                raise malformed(f"has a new name, and there have been {MAX_SYMBOLS}")
            if symbol not in self._all_symbols and len(self._all_symbols) >= MAX_ALL_SYMBOLS:
                raise malformed(
                    f"has a new name, and all senders together had {MAX_ALL_SYMBOLS}"
                )
            try:
                symbol.decode()
            except UnicodeDecodeError:
                raise malformed("has a name that is no UTF-8") from None
            self._symbols.add(symbol)
            self._all_symbols.add(symbol)


class _cursor:
    """A place in the bytes that moves behind what it reads."""

    def __init__(self, data):
        self._data = data
        self.at = 0

    def kind(self):
        return self._take(1)[0]

    def symbol(self):
        """Behind its kind."""
        size = self._number(">H", 2)
        if size > MAX_SYMBOL_BYTES:
            raise malformed(f"has a symbol of {size} bytes; at most {MAX_SYMBOL_BYTES} are read")
        return self._take(size)

    def uniform_vector(self, wanted=None):
        """Behind its kind; the number of elements."""
        element = self.kind()
        if element >= len(_ELEMENT_SIZES) or wanted not in (None, element):
            raise malformed(f"has a vector of kind {element}")
        count = self._number(">I", 4)
        self._take(self.kind())  # padding
        self._take(count * _ELEMENT_SIZES[element])
        return count

    def skip(self, is_inside=False):
        """Moves over a value; inside a tuple there is no other."""
        kind = self.kind()
        if kind in _SIZES:
            self._take(_SIZES[kind])
        elif kind == _SYMBOL:
            self.symbol()
        elif kind == _UNIFORM_VECTOR:
            self.uniform_vector()
        elif kind == _TUPLE and not is_inside:
            count = self._number(">I", 4)
            if count > MAX_ENTRIES:
                raise malformed(f"has a tuple of {count}; at most {MAX_ENTRIES} are read")
            for _ in range(count):
                self.skip(is_inside=True)
        else:
            raise malformed(f"has a value of kind {kind}")

    def _number(self, layout, size):
        return struct.unpack(layout, self._take(size))[0]

    def _take(self, size):
        start, self.at = self.at, self.at + size
        if self.at > len(self._data):
            raise malformed("ends too early")
        return self._data[start : self.at]
