# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The estimator block that a word in an option or a file stands for."""

from .bearing_python import beamscan, music, root_music, subspace_fit

METHODS = ("music", "root_music", "wsf", "dml", "capon", "bartlett")
# Of root_music.
VARIANTS = ("auto", "complex", "unitary", "real")


def make_estimator(
    method, array, num_sources, limits_deg=(), heading_deg=0.0, variant="auto", num_points=512
):
    """The block of one of METHODS; ValueError naming the parameter that it refuses.

    limits_deg: first and last azimuth to search, or nothing. variant: of root_music.
    num_points: of the spectra of music, capon and bartlett.
    """
    limits_deg = list(limits_deg)
    if method in ("root_music", "wsf", "dml"):
        if limits_deg:
            raise ValueError(f"limits_deg is {limits_deg}; {method} searches everywhere")
        if method == "root_music":
            return root_music(array, num_sources, variant, heading_deg=heading_deg)
        return subspace_fit(array, num_sources, method, heading_deg=heading_deg)
    options = dict(num_points=num_points, limits_deg=limits_deg, heading_deg=heading_deg)
    if method == "music":
        return music(array, num_sources, **options)
    return beamscan(array, num_sources, method, **options)
