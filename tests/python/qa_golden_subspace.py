#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root-MUSIC against reference values that an independent program computed."""

import json
import unittest

import numpy as np
from gnuradio import bearing
from support import reference_data

# Agreement of two double-precision programs: directions to 1e-9 rad, deviations to 1e-8.
W_TOLERANCE = 1e-9
STD_TOLERANCE = 1e-8


class qa_golden_subspace(unittest.TestCase):
    def setUp(self):
        document = json.loads(reference_data("data", "golden_subspace.json").read_text())
        self.scenes = document if isinstance(document, list) else next(
            value for value in document.values() if isinstance(value, list))
        self.assertEqual(len(self.scenes), 6)

    def check(self, variant, scene):
        # The reference uses exp(-j l w): the conjugate covariance, same w.
        r = np.conj(np.array(scene["R_re"]) + 1j * np.array(scene["R_im"]))
        line = bearing.array.ula(n=scene["L"], spacing=0.5)
        result = bearing.core.root_music(r, line, len(scene["theta_deg"]), scene["M"], variant)
        theta = np.deg2rad(result.angles_deg)
        order = np.argsort(theta)
        w = np.pi * np.sin(theta)[order]
        std_w = (np.deg2rad(result.std_deg) * np.pi * np.cos(theta))[order]
        reference = {"complex": scene["root_music"], "unitary": scene["fb_root_music"],
                     "real": scene["rv"]["src"]}[variant]
        for k, source in enumerate(sorted(reference, key=lambda source: source["w"])):
            self.assertLess(abs(w[k] - source["w"]), W_TOLERANCE)
            self.assertLess(abs(std_w[k] / source["std_w"] - 1), STD_TOLERANCE)
            if variant == "real":
                # The reference solves for the powers without the bound and clips what is
                # negative: where one is, the others differ by 0.1 %.
                power = 10 ** (result.power_db[order][k] / 10)
                self.assertLess(abs(power / source["power"] - 1), 2e-3)
            # The radius moves with the square root of what keeps double roots apart.
            nearest = np.abs(np.abs(result.roots) - source["radius"]).min()
            self.assertLess(nearest, 1e-6)

    def test_directions_deviations_and_roots_of_all_variants(self):
        for scene in self.scenes:
            for variant in ("complex", "unitary", "real"):
                with self.subTest(variant, L=scene["L"], theta=scene["theta_deg"]):
                    self.check(variant, scene)

    def test_single_precision_and_any_memory_order_are_accepted(self):
        scene = self.scenes[0]
        r = np.conj(np.array(scene["R_re"]) + 1j * np.array(scene["R_im"]))
        line = bearing.array.ula(n=scene["L"], spacing=0.5)
        reference = bearing.core.root_music(r, line, 2, scene["M"]).angles_deg
        fortran = bearing.core.root_music(np.asfortranarray(r), line, 2, scene["M"])
        np.testing.assert_array_equal(fortran.angles_deg, reference)
        # R rounded to single precision moves the directions by about 1e-7 of a beam.
        single = bearing.core.root_music(r.astype(np.complex64), line, 2, scene["M"])
        np.testing.assert_allclose(single.angles_deg, reference, atol=1e-5)
        self.assertTrue(np.any(single.angles_deg != reference))


if __name__ == "__main__":
    unittest.main()
