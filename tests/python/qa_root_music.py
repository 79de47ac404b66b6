#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The root-MUSIC block."""

import numpy as np
import pmt
from gnuradio import bearing, gr_unittest

from estimator_block_tests import (
    DeviationBlockTests,
    EstimatorBlockTests,
    Flowgraph,
    c32,
    calibration_message,
    circle_positions,
    covariance,
    run,
    scene,
    steering,
)
from support import printed_lines

VARIANTS = ("auto", "complex", "unitary", "real")


def positions_message(offsets):
    offsets = np.ravel(offsets)
    return calibration_message(
        positions=pmt.init_f32vector(len(offsets), [float(x) for x in offsets])
    )


class qa_root_music(EstimatorBlockTests, DeviationBlockTests, gr_unittest.TestCase):
    method = "root_music"
    few_points = {}  # it has no grid
    variant = "auto"

    def make(self, array, num_sources, **options):
        options.setdefault("variant", self.variant)
        return bearing.root_music(array, num_sources, **options)

    def sampled(self, seed=1, angles_deg=(-10.0, 25.0), snr_db=(10.0, 7.0)):
        """A covariance of 200 snapshots: its variants differ by parts of their deviations, some
        hundredths of a degree."""
        samples = bearing.core.simulate(self.line, list(angles_deg), list(snr_db), 200, seed)
        return bearing.core.covariance(samples)

    def assert_same(self, report, expected):
        self.assertEqual(report.status, expected.status)
        self.assertEqual(report.num_sources, expected.num_sources)
        # Single precision in messages.
        np.testing.assert_allclose(report.angles_deg, expected.angles_deg, rtol=1e-6)
        np.testing.assert_allclose(report.std_deg, expected.std_deg, rtol=1e-6)
        np.testing.assert_allclose(report.power_db, expected.power_db, rtol=1e-6)
        np.testing.assert_allclose(report.snr_db, expected.snr_db, rtol=1e-6)

    def test_it_has_no_stream_output(self):
        self.assertEqual(self.make(self.line, 1).output_signature().max_streams(), 0)

    def test_more_sources_than_the_rank_of_the_covariance_are_not_trusted(self):
        # Forward-backward averaging restores the rank.
        self.variant = "complex"
        super().test_more_sources_than_the_rank_of_the_covariance_are_not_trusted()

    # Variants

    def test_each_variant_says_what_the_function_says(self):
        r = self.sampled()
        found = {}
        for variant in VARIANTS:
            (report,) = run(self.make(self.line, 2, variant=variant, snapshots=200), [r])
            self.assertEqual(report.status, "ok")
            self.assertEqual(report.method, "root_music")
            self.assert_same(report, bearing.core.root_music(r, self.line, 2, 200, variant))
            found[variant] = report.angles_deg
        # So they are not all the same one.
        for one, other in (("complex", "unitary"), ("complex", "real"), ("unitary", "real")):
            self.assertGreater(np.min(np.abs(found[one] - found[other])), 1e-3)

    def test_the_variant_changes_while_running(self):
        r = self.sampled()
        expected = {
            variant: bearing.core.root_music(r, self.line, 2, 200, variant)
            for variant in VARIANTS
        }
        block = self.make(self.line, 2, variant="complex", snapshots=200)
        with Flowgraph(block, [r], rate=500) as running:
            for variant in ("real", "complex", "unitary", "real", "auto"):
                block.set_variant(variant)
                # Variants differ by a thousand times as much.
                report = running.until(
                    lambda report: np.allclose(
                        report.angles_deg, expected[variant].angles_deg, rtol=1e-6
                    )
                )
                self.assert_same(report, expected[variant])

    def test_auto_is_unitary_on_lines_with_nothing_but_gains_and_else_complex(self):
        offsets = np.zeros((self.n, 3))
        offsets[2] = [0.01, 0.02, 0.0]
        coupling = np.eye(self.n) + 0.1 * np.eye(self.n, k=1)
        stretch = 1.02 ** np.arange(self.n)[:, np.newaxis]
        uneven = bearing.array.custom(self.positions * stretch)
        r = self.sampled()
        for array, chosen in (
            (self.line, "unitary"),
            (bearing.array.custom(self.positions), "unitary"),
            (self.line.calibrated(bearing.calibration(gains=self.gains)), "unitary"),
            (self.line.calibrated(bearing.calibration(positions=offsets)), "complex"),
            (self.line.calibrated(bearing.calibration(coupling=coupling)), "complex"),
            (uneven, "complex"),
        ):
            (report,) = run(self.make(array, 2, snapshots=200), [r])
            self.assert_same(report, bearing.core.root_music(r, array, 2, 200, chosen))

    def test_auto_follows_the_calibration_in_force(self):
        offsets = np.zeros((self.n, 3))
        offsets[2] = [0.01, 0.02, 0.0]
        moved = self.line.calibrated(bearing.calibration(positions=offsets))
        r = self.sampled()
        block = self.make(self.line, 2, snapshots=200)
        (report,) = run(block, [r], (), [positions_message(offsets)])
        self.assert_same(report, bearing.core.root_music(r, moved, 2, 200, "complex"))
        block.set_calibration(bearing.calibration())
        (report,) = run(block, [r])
        self.assert_same(report, bearing.core.root_music(r, self.line, 2, 200, "unitary"))

    def test_unitary_resolves_coherent_sources_and_the_others_do_not(self):
        a = steering(self.positions, -30.0) + steering(self.positions, 35.0)
        r = covariance(a, 20.0)
        for variant in VARIANTS:
            (report,) = run(self.make(self.line, 2, variant=variant, snapshots=100), [r])
            if variant in ("auto", "unitary"):
                self.assertEqual(report.status, "ok")
                angles = np.sort(report.angles_deg)
                np.testing.assert_allclose(angles, [-30.0, 35.0], atol=1e-3)
            else:
                self.assertNotEqual(report.status, "ok")
                self.assertTrue(np.all(np.isnan(report.std_deg)))

    def test_a_direction_that_is_its_own_mirror_image_is_collapsed(self):
        (report,) = run(
            self.make(self.line, 1, variant="real", snapshots=100), [scene(self.positions, 0.0)]
        )
        self.assertEqual(report.status, "collapsed")
        self.assert_angles(report, 0.0)
        self.assertTrue(np.isnan(report.std_deg[0]))

    def test_single_precision_costs_a_hundredth_of_the_bound_at_60_db(self):
        line = bearing.array.ula(n=9, spacing=0.5)
        angles, snr_db, snapshots = [20.0, -35.0], [60.0, 59.0], 32
        bound = bearing.core.crb_deg(line, angles, snr_db, snapshots)
        for seed in range(5):
            samples = bearing.core.simulate(line, angles, snr_db, snapshots, seed)
            samples = samples.astype(np.complex128)
            r = samples @ samples.conj().T / snapshots
            for variant in VARIANTS:
                block = self.make(line, 2, variant=variant, snapshots=snapshots)
                (report,) = run(block, [r])
                exact = bearing.core.root_music(r, line, 2, snapshots, variant)
                self.assertEqual(report.status, exact.status)
                # Angles up to 64 degrees are rounded to 2^-18 degrees in messages.
                allowed = 0.01 * bound + 2.0**-19
                off = np.abs(report.angles_deg - exact.angles_deg)
                self.assertTrue(np.all(off < allowed), f"{variant}: {off} of {bound}")

    # What does not fit is refused where it is said, and what was in force stays

    def test_construction_refuses_variants_that_do_not_fit(self):
        line = bearing.array.ula(n=5, spacing=0.5)
        uneven = bearing.array.custom(np.array([[0.0, 0.0], [0.5, 0.0], [1.2, 0.0]]))
        moved = line.calibrated(bearing.calibration(positions=0.01 * np.eye(5, 3)))
        dead = line.calibrated(bearing.calibration(gains=[1.0, 1.0, 0.0, 1.0, 1.0]))
        for variant in ("unitary", "real"):
            for array in (bearing.array.uca(n=5, radius=0.4), uneven, moved, dead):
                self.assert_refused(f"array.*{variant}", array, 1, variant=variant)
        self.assert_refused("num_sources is 3.*real", line, 3, variant="real")
        self.assert_refused("variant is 'imaginary'.*'auto'", line, 1, variant="imaginary")
        for num_sources in (0, 1, 2):
            self.make(line, num_sources, variant="real")

    def test_an_array_too_large_for_a_fourier_series_is_refused(self):
        self.assert_refused("array.*wavelengths", bearing.array.uca(n=64, radius=30.0), 1)
        self.make(bearing.array.ula(n=64, spacing=1.0), 1)  # its polynomial is another one

    def test_setters_refuse_what_does_not_fit_and_leave_all_as_it_was(self):
        r = self.sampled(angles_deg=[20.0], snr_db=[10.0])
        block = self.make(self.line, 1, variant="real", snapshots=200)
        moved = bearing.calibration(positions=0.01 * np.eye(self.n, 3))
        with self.assertRaisesRegex(ValueError, "num_sources is 3.*real"):
            block.set_num_sources(3)
        with self.assertRaisesRegex(ValueError, "array.*real"):
            block.set_calibration(moved)
        with self.assertRaisesRegex(ValueError, "variant is 'imaginary'.*'auto'"):
            block.set_variant("imaginary")
        (report,) = run(block, [r])
        self.assert_same(report, bearing.core.root_music(r, self.line, 1, 200, "real"))

        block.set_variant("complex")
        block.set_num_sources(3)
        with self.assertRaisesRegex(ValueError, "num_sources is 3.*real"):
            block.set_variant("real")
        block.set_num_sources(1)
        block.set_calibration(moved)
        for variant in ("unitary", "real"):
            with self.assertRaisesRegex(ValueError, f"array.*{variant}"):
                block.set_variant(variant)
        (report,) = run(block, [r])
        array = self.line.calibrated(moved)
        self.assert_same(report, bearing.core.root_music(r, array, 1, 200, "complex"))

    def test_a_circle_goes_on_when_a_variant_for_lines_is_refused(self):
        positions = circle_positions(5, 0.4)
        block = self.make(bearing.array.uca(n=5, radius=0.4), 1, snapshots=200)
        with Flowgraph(block, [scene(positions, 123.0)], rate=500) as running:
            for variant in ("unitary", "real"):
                with self.assertRaisesRegex(ValueError, f"array.*{variant}"):
                    block.set_variant(variant)
            block.set_heading_deg(100.0)  # what is said later is in force later
            report = running.until(lambda report: report.true_bearing_deg[0] > 200.0)
            self.assertEqual(report.status, "ok")
            self.assert_angles(report, 123.0)

    def test_calibration_messages_that_do_not_suit_the_variant_are_ignored_with_a_warning(self):
        offsets = 0.01 * np.eye(self.n, 3)
        good = calibration_message(gains=c32(self.gains))
        dead = np.where(np.arange(self.n) == 2, 0.0, self.gains)
        calibrated = self.line.calibrated(bearing.calibration(gains=self.gains))
        r = self.sampled()
        for variant in ("unitary", "real"):
            for bad in (positions_message(offsets), calibration_message(gains=c32(dead))):
                block = self.make(self.line, 2, variant=variant, snapshots=200)
                with printed_lines() as lines:
                    reports = run(block, [r] * 3, (), [good, bad])
                expected = bearing.core.root_music(r, calibrated, 2, 200, variant)
                for report in reports:
                    self.assert_same(report, expected)
                warnings = [line for line in lines if "calibration message ignored" in line]
                self.assertEqual(len(warnings), 1, lines)
                self.assertRegex(warnings[0], f"array.*{variant}")

    def test_a_calibration_message_that_makes_the_array_too_large_is_ignored(self):
        offsets = np.zeros((self.n, 3))
        offsets[0, 0] = -60.0
        r = self.sampled()
        block = self.make(self.line, 2, variant="complex", snapshots=200)
        reports = run(block, [r] * 2, (), [positions_message(offsets)])
        for report in reports:
            self.assert_same(report, bearing.core.root_music(r, self.line, 2, 200))


if __name__ == "__main__":
    gr_unittest.run(qa_root_music)
