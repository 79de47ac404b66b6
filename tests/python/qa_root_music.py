#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The root-MUSIC block."""

import numpy as np
from gnuradio import bearing, gr_unittest

from estimator_block_tests import DeviationBlockTests, EstimatorBlockTests, run, scene


class qa_root_music(EstimatorBlockTests, DeviationBlockTests, gr_unittest.TestCase):
    method = "root_music"
    few_points = {}  # it has no grid

    def make(self, array, num_sources, **options):
        return bearing.root_music(array, num_sources, **options)

    def test_arrays_that_are_no_uniform_line_are_refused(self):
        uneven = bearing.array.custom(np.array([[0.0, 0.0], [0.5, 0.0], [1.2, 0.0]]))
        for array in (bearing.array.uca(n=5, radius=0.4), uneven):
            self.assert_refused("array.*line", array, 1)

    def test_a_uniform_line_drawn_as_custom_positions_is_taken(self):
        array = bearing.array.custom(self.positions)
        self.assert_angles(run(self.make(array, 1), [self.r])[0], 20.0)

    def test_it_has_no_stream_output(self):
        self.assertEqual(self.make(self.line, 1).output_signature().max_streams(), 0)

    def test_the_block_says_what_the_function_says(self):
        r = scene(self.positions, [-10.0, 25.0], [10.0, 7.0]).astype(np.complex64)
        (report,) = run(self.make(self.line, 2, snapshots=200), [r])
        expected = bearing.core.root_music(r, self.line, 2, 200)
        self.assertEqual(report.status, expected.status)
        # Single precision in messages.
        np.testing.assert_allclose(report.angles_deg, expected.angles_deg, rtol=1e-6)
        np.testing.assert_allclose(report.std_deg, expected.std_deg, rtol=1e-6)
        np.testing.assert_allclose(report.power_db, expected.power_db, rtol=1e-6)


if __name__ == "__main__":
    gr_unittest.run(qa_root_music)
