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

    def check(self, estimate, scene):
        # The reference uses exp(-j l w): the conjugate covariance, same w.
        r = np.conj(np.array(scene["R_re"]) + 1j * np.array(scene["R_im"]))
        line = bearing.array.ula(n=scene["L"], spacing=0.5)
        result = estimate(r, line, len(scene["theta_deg"]), scene["M"])
        theta = np.deg2rad(result.angles_deg)
        order = np.argsort(theta)
        w = np.pi * np.sin(theta)[order]
        std_w = (np.deg2rad(result.std_deg) * np.pi * np.cos(theta))[order]
        expected = sorted(scene["root_music"], key=lambda source: source["w"])
        return w, std_w, expected

    def test_root_music_directions_and_deviations(self):
        for scene in self.scenes:
            with self.subTest(L=scene["L"], M=scene["M"], theta=scene["theta_deg"]):
                w, std_w, expected = self.check(bearing.core.root_music, scene)
                for k, source in enumerate(expected):
                    self.assertLess(abs(w[k] - source["w"]), W_TOLERANCE)
                    self.assertLess(abs(std_w[k] / source["std_w"] - 1), STD_TOLERANCE)

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
