#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Propagator least squares of a whole record against what an independent program computed."""

import unittest

import numpy as np
from gnuradio import bearing
from support import reference_data

RATE = 1000.0  # Hz


def nmse_db(estimate, truth):
    return 10 * np.log10(np.sum(np.abs(estimate - truth) ** 2) / np.sum(np.abs(truth) ** 2))


class qa_golden_propagator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with np.load(reference_data("data", "golden_propagator.npz")) as golden:
            cls.golden = dict(golden)
        cls.samples, cls.sensors = cls.golden["d"].shape
        cls.frequency = np.fft.rfftfreq(cls.samples, 1 / RATE)
        # Single precision in the file; the reference used it as it is.
        cls.table = bearing.propagator.table(cls.frequency, cls.golden["P"].astype(complex))

    def estimate(self, p=None, **arguments):
        return bearing.core.propagator_ls(
            self.golden["d"].astype(float), RATE, p or self.table, **arguments)

    def test_least_squares(self):
        self.assertLess(nmse_db(self.estimate(mode="ls").signal, self.golden["ls"]), -100)

    def test_the_default(self):
        result = self.estimate()
        self.assertEqual(result.status, "ok")
        self.assertLess(nmse_db(result.signal, self.golden["wiener"]), -80)

    def test_spectra(self):
        # Those of the file are powers of bins. At the last one the reference lets P and its
        # estimate be complex.
        result = self.estimate()
        power = self.samples * RATE
        inner = slice(0, -30)
        np.testing.assert_allclose(power * result.noise_psd[inner, 0], self.golden["q"][inner],
                                   rtol=1e-6)
        np.testing.assert_allclose(power * result.source_psd[inner, 0], self.golden["S"][inner],
                                   rtol=1e-6, atol=1e-6 * self.golden["S"].max())
        np.testing.assert_allclose(result.frequency, self.frequency)

    def test_the_line_of_the_file_is_dispersive(self):
        # P in single precision.
        f = self.frequency
        p = bearing.propagator.dispersive(
            10.0 * np.arange(self.sensors), f, np.exp(-np.sqrt(0.01 + (f / 100) ** 2)),
            25 * (1 + np.sqrt(1 + (f / 100) ** 2)))
        self.assertLess(nmse_db(self.estimate(p, mode="ls").signal, self.golden["ls"]), -100)
        self.assertLess(nmse_db(self.estimate(p).signal, self.golden["wiener"]), -80)

    def test_the_figures_of_the_file(self):
        # Of this record: least squares -16.42 dB, first sensor -11.31; default -20.59, -16.16.
        truth = self.golden["s"]
        for mode, total, first in (("ls", -16.42, -11.31), ("wiener", -20.59, -16.16)):
            signal = self.estimate(mode=mode).signal
            self.assertAlmostEqual(nmse_db(signal, truth), total, delta=0.01)
            self.assertAlmostEqual(nmse_db(signal[:, 0], truth[:, 0]), first, delta=0.01)


if __name__ == "__main__":
    unittest.main()
