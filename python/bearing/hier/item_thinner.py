# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One covariance item of several."""

import numpy as np

from .channel_taps import check_integer
from .item_gate import item_gate


class item_thinner(item_gate):
    """Hands on the first of each num_items covariance items, with the tags of all.

    num_elements: N, 1 to 64. num_items: 1 to 1e9.
    """

    def __init__(self, num_elements, num_items):
        num_elements = check_integer("num_elements", num_elements, 1, 64)
        self._num_items = check_integer("num_items", num_items, 1, 10**9)
        self._next = 0
        item_gate.__init__(self, "item_thinner", num_elements)

    def _judge(self, items):
        passing = (np.arange(len(items)) - self._next) % self._num_items == 0
        self._next = (self._next - len(items)) % self._num_items
        return passing
