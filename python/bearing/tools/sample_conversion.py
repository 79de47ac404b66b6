# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples of one format made into those of another."""

import numpy as np


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
        limits = np.iinfo(target.component)
        low, high = float(limits.min), float(limits.max)
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
