#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The MUSIC block."""

import numpy as np
from gnuradio import bearing, gr_unittest

from estimator_block_tests import (
    DeviationBlockTests,
    EstimatorBlockTests,
    SpectrumBlockTests,
    circle_positions,
    run,
    scene,
)


class qa_music(
    EstimatorBlockTests, DeviationBlockTests, SpectrumBlockTests, gr_unittest.TestCase
):
    method = "music"

    def make(self, array, num_sources, **options):
        return bearing.music(array, num_sources, **options)

    def test_defaults_are_a_spectrum_of_512_points_over_the_whole_range(self):
        grid = np.array(bearing.music(self.line, 1).grid_deg())
        np.testing.assert_allclose(grid, np.linspace(-90, 90, 512), atol=1e-12)

    def test_two_sources_by_a_circle_do_not_depend_on_the_grid(self):
        array = bearing.array.uca(n=5, radius=0.3828)
        r = scene(circle_positions(5, 0.3828), [75.0, 150.0], [13.0, 10.0])
        for num_points in (90, 512):
            block = self.make(array, 2, num_points=num_points)
            self.assert_angles(run(block, [r])[0], [75.0, 150.0])

    def test_the_block_says_what_the_function_says(self):
        r = scene(self.positions, [-10.0, 25.0], [10.0, 7.0]).astype(np.complex64)
        (report,) = run(self.make(self.line, 2, snapshots=200), [r])
        expected = bearing.core.music(r, self.line, 2, 200)
        self.assertEqual(report.status, expected.status)
        # Single precision in messages.
        np.testing.assert_allclose(report.angles_deg, expected.angles_deg, rtol=1e-6)
        np.testing.assert_allclose(report.std_deg, expected.std_deg, rtol=1e-6)
        np.testing.assert_allclose(report.power_db, expected.power_db, rtol=1e-6)


if __name__ == "__main__":
    gr_unittest.run(qa_music)
