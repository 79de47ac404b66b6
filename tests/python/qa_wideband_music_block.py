#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The block wideband_music does what every estimator block does.

Its band is so narrow that one covariance holds for all sub-bands: what is right for the other
blocks is right for it.
"""

import numpy as np
from gnuradio import bearing, gr_unittest

from estimator_block_tests import (
    SPEED_OF_LIGHT,
    DeviationBlockTests,
    EstimatorBlockTests,
    SpectrumBlockTests,
)

SUBBANDS = 3
RATE = 0.1  # Hz, below the lowest frequency in these tests, 1 Hz


class qa_wideband_music_block(
    EstimatorBlockTests, DeviationBlockTests, SpectrumBlockTests, gr_unittest.TestCase
):
    method = "wideband_music"
    # Three sub-bands whose errors are correlated as those of Hann windows, half overlapped, at
    # distances 0, 1, 2: a = (4/9 + 2 (4 / (9 pi))^2) / (1 + 1/18), b = (1/36 + 1/72) / (1 + 1/18).
    deviation_factor = np.sqrt(
        (3 + 4 * (4 / 9 + 2 * (4 / (9 * np.pi)) ** 2) / (19 / 18) + 2 * (1 / 24) / (19 / 18)) / 9
    )

    def make(self, array, num_sources, **options):
        # An array in wavelengths has to be told at which frequency; any will do.
        options.setdefault("center_frequency", SPEED_OF_LIGHT)
        return bearing.wideband_music(array, num_sources, SUBBANDS, RATE, **options)


if __name__ == "__main__":
    gr_unittest.run(qa_wideband_music_block)
