#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calibrating a real four-element line from transmitters at known angles."""

import unittest

import numpy as np
from gnuradio import bearing
from support import reference_data

# The line as one would draw it: its spacing was not published.
SPACING = 0.5


class qa_diffmusic_real_array(unittest.TestCase):
    def setUp(self):
        records = np.load(reference_data("data", "ettus_x440", "ettus_x440.npz"))
        self.angle_deg = records["angle_deg"]
        self.phase_rad = records["phase_rad"]
        self.line = bearing.array.ula(n=4, spacing=SPACING)

    def reads(self, angles):
        """Covariances and bearings of all reads at these angles of the records."""
        covariances, bearings = [], []
        for angle, reads in zip(self.angle_deg, self.phase_rad):
            if angle not in angles:
                continue
            for phases in reads:
                # R_0k = x0 conj(xk): element k lags element 0 by the phase.
                x = np.exp(-1j * np.concatenate([[0.0], phases]))
                covariances.append(np.outer(x, x.conj()))
                bearings.append([90.0 - angle])
        return np.array(covariances), np.array(bearings)

    def rmse(self, array, angles):
        """Of MUSIC's bearings between 20 and 160 degrees of the records' own angle."""
        covariances, bearings = self.reads([a for a in angles if 20 <= a <= 160])
        found = [bearing.core.music(r, array, 1, 1).angles_deg[0] for r in covariances]
        return np.sqrt(np.mean((np.array(found) - bearings[:, 0]) ** 2))

    def test_half_of_the_angles_calibrate_the_line_for_the_others(self):
        halves = self.angle_deg[::2], self.angle_deg[1::2]
        for fitted, others in (halves, halves[::-1]):
            covariances, bearings = self.reads(fitted)
            fit = bearing.core.diffmusic_fit(covariances, self.line, 1, 1, labels_deg=bearings)
            before = self.rmse(self.line, others)
            after = self.rmse(self.line.calibrated(fit.calibration), others)
            print(f"angles {others}: RMSE {before:.2f} degrees as drawn, {after:.2f} calibrated")
            self.assertEqual(fit.orientation, "known")
            self.assertLess(after, before)


if __name__ == "__main__":
    unittest.main()
