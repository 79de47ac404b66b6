#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The beam-scanning block: Bartlett and Capon."""

import numpy as np
from gnuradio import bearing, gr_unittest

from estimator_block_tests import (
    EstimatorBlockTests,
    Flowgraph,
    SpectrumBlockTests,
    run,
    scene,
    steering,
)


class BeamscanTests(EstimatorBlockTests, SpectrumBlockTests):
    # Noise that the beam lets through counts as the source's: 10 log10(1 + 1 / (N snr)).
    level_tolerance_db = 10 * np.log10(1 + 1 / (6 * 10**1.3)) + 0.001

    def make(self, array, num_sources, **options):
        return bearing.beamscan(array, num_sources, self.method, **options)

    def test_no_deviation_is_predicted_and_that_is_ok(self):
        for options in ({}, {"snapshots": 1000}):
            (report,) = run(self.make(self.line, 1, **options), [self.r])
            self.assertEqual(report.status, "ok")
            self.assertTrue(np.isnan(report.std_deg[0]))

    def test_the_block_says_what_the_function_says(self):
        r = scene(self.positions, [-30.0, 35.0], [10.0, 7.0]).astype(np.complex64)
        block = self.make(self.line, 1)
        flowgraph = Flowgraph(block, [r], num_points=512)
        (report,) = flowgraph.run()
        function = getattr(bearing.core, self.method)
        expected = function(r, self.line, grid_deg=np.array(block.grid_deg()))
        # Single precision in messages and spectra.
        self.assertAlmostEqual(report.angles_deg[0], expected.angles_deg[0], delta=1e-4)
        np.testing.assert_allclose(
            flowgraph.spectrum_items()[0], expected.spectrum_db, atol=1e-5
        )


class qa_bartlett(BeamscanTests, gr_unittest.TestCase):
    method = "bartlett"
    # Each source moves the other's peak by what its sidelobe slopes there; the beam is 17
    # degrees wide, and the weaker source has a quarter of the power.
    two_source_tolerance_deg = 1.7

    def test_the_spectrum_is_the_conventional_beamformer(self):
        block = self.make(self.line, 1, num_points=91)
        flowgraph = Flowgraph(block, [self.r], num_points=91)
        flowgraph.run()
        a = np.array([steering(self.positions, t) for t in np.linspace(-90, 90, 91)])
        power = np.einsum("gi,ij,gj->g", a.conj(), self.r, a).real / self.n**2
        # Nulls lie 20 dB down: 1e-7 of the peak is 1e-5 of them, 5e-5 dB.
        np.testing.assert_allclose(
            flowgraph.spectrum_items()[0], 10 * np.log10(power), atol=2e-4
        )


class qa_capon(BeamscanTests, gr_unittest.TestCase):
    method = "capon"
    # The bias of minimum variance falls with the square of the signal-to-noise ratio.
    two_source_tolerance_deg = 0.01

    def test_the_spectrum_is_the_minimum_variance_beamformer(self):
        block = self.make(self.line, 1, num_points=91)
        flowgraph = Flowgraph(block, [self.r], num_points=91)
        flowgraph.run()
        a = np.array([steering(self.positions, t) for t in np.linspace(-90, 90, 91)])
        power = 1 / np.einsum("gi,ij,gj->g", a.conj(), np.linalg.inv(self.r), a).real
        # The condition number is 61: rounding of R to 6e-8 is 4e-6 of a power, 2e-5 dB.
        np.testing.assert_allclose(
            flowgraph.spectrum_items()[0], 10 * np.log10(power), atol=2e-4
        )

    def test_capon_is_the_default(self):
        (report,) = run(bearing.beamscan(self.line, 1), [self.r])
        self.assertEqual(report.method, "capon")

    def test_the_method_changes_while_running(self):
        block = self.make(self.line, 1)
        with Flowgraph(block, [self.r], rate=500) as running:
            running.until(lambda report: report.method == "capon")
            block.set_method("bartlett")
            running.until(lambda report: report.method == "bartlett")
            with self.assertRaisesRegex(ValueError, "method.*bartlett.*capon"):
                block.set_method("music")

    def test_an_unknown_method_is_refused(self):
        with self.assertRaisesRegex(ValueError, "method.*bartlett.*capon"):
            bearing.beamscan(self.line, 1, "Capon")


if __name__ == "__main__":
    gr_unittest.main()
