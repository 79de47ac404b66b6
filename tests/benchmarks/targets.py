# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmarks must reach, and which of their figures tell.

All figures are ratios of two things that were timed in turn within one run.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A figure: that of `counter` in the benchmarks of `program` whose whole name matches."""

    label: str
    program: str
    benchmark: str
    counter: str
    limit: float
    # ((counter, at least), ...): else the figure is not what it says.
    requires: tuple = ()


@dataclass(frozen=True)
class Target:
    name: str
    about: str
    cases: tuple
    is_upper_bound: bool = False
    is_percentage: bool = False
    # The vector kernels that it is meant for; empty: all.
    kernels: tuple = ()

    def measured(self, case, results):
        """The worst of all that match; None: not measured."""
        values = [
            counters[case.counter]
            for name, counters in results.get(case.program, {}).items()
            if re.fullmatch(case.benchmark, name) and case.counter in counters
            and all(counters.get(counter, 0.0) >= least for counter, least in case.requires)
        ]
        if not values:
            return None
        return max(values) if self.is_upper_bound else min(values)

    def holds(self, results):
        """None: not all of it was measured, and what was holds."""
        values = [(case, self.measured(case, results)) for case in self.cases]
        for case, value in values:
            if value is not None:
                reached = value <= case.limit if self.is_upper_bound else value >= case.limit
                if not reached:
                    return False
        return None if any(value is None for _, value in values) else True


def _covariance(numbers, counter, limit, kernel=""):
    return tuple(
        Case(f"N = {n}", "bm_covariance", f"covariance/ratio_vs_volk{kernel}/{n}", counter, limit)
        for n in numbers)


def _line_spectrum(n):
    return Case(f"N = {n}", "bm_spectrum", f"spectrum/line/{n}/3601", "ratio_vs_eigen", 30.0)


def _flowgraph(n, counter, limit):
    return Case(f"N = {n}", "bm_flowgraph", f"flowgraph/covariance/{n}/4096(/.*)?", counter, limit)


# The machine took the samples as fast as they came, and bearings came of them: 10 a second.
KEPT_UP = (("rate_reached", 0.98), ("bearings_a_second", 9.8))

TARGETS = (
    Target("A1", "covariance kernel, AVX-512, T = 4096, against VOLK's dot products over pairs",
           _covariance((4, 5, 8), "ratio_vs_volk", 5.0)
           + _covariance((16, 32), "ratio_vs_volk", 4.5), kernels=("avx512",)),
    Target("A2", "the same: share of the peak of multiply-adds",
           _covariance((5, 8, 16, 32), "share_of_fma_peak", 0.6), is_percentage=True),
    Target("A3", "the same, inputs 8 bytes off alignment: share of its own speed",
           _covariance((4, 5, 8, 16, 32), "misaligned_speed", 0.65), is_percentage=True),
    Target("A4", "covariance kernel, AVX2 forced, against VOLK's pairs",
           _covariance((5, 8, 16, 32), "ratio_vs_volk", 3.0, "_avx2"),
           kernels=("avx2", "avx512")),
    # As a program on this system gets it. The scale table has Eigen compiled for this very
    # processor as well.
    Target("A5", "covariance kernel against Eigen's rankUpdate, compiled as this module is",
           _covariance((5,), "ratio_vs_eigen", 7.0)
           + _covariance((16,), "ratio_vs_eigen", 3.0)
           + _covariance((32,), "ratio_vs_eigen", 2.0)),
    Target("A6", "covariance: normwise error at T = 65 536",
           (Case("all variants", "bm_covariance", r"covariance/error(/.*)?",
                 "normwise_error", 5e-8),), is_upper_bound=True),
    Target("C1", "spectrum of a line, 3601 points, against a loop over angles in Eigen",
           (_line_spectrum(5), _line_spectrum(16))),
    Target("D1", "roots of the root-MUSIC polynomial against Eigen's PolynomialSolver",
           (Case("N = 5", "bm_root_music", "root_music/roots/5",
                 "nearest_vs_polynomial_solver", 15.0),
            Case("N = 16", "bm_root_music", "root_music/roots/16",
                 "nearest_vs_polynomial_solver", 100.0))),
    Target("D1b", "largest distance of these roots from that solver's",
           (Case("all", "bm_root_music", r"root_music/roots/\d+", "distance", 1e-9),),
           is_upper_bound=True),
    Target("E1", "MUSIC spectrum from R, N = 5, K = 2, against NumPy's eigh and one matrix product",
           (Case("181 points", "music_numpy.py", "music/5/181", "vs_numpy", 5.0),
            Case("3601 points", "music_numpy.py", "music/5/3601", "vs_numpy", 3.0))),
    Target("F1", "flowgraph with the covariance block: share of the throughput without it",
           (_flowgraph(5, "share_of_consumer", 0.6), _flowgraph(16, "share_of_consumer", 0.4)),
           is_percentage=True),
    Target("F1b", "the same, where that flowgraph's buffers are as large",
           (_flowgraph(5, "share_of_large_consumer", 0.6),
            _flowgraph(16, "share_of_large_consumer", 0.4)), is_percentage=True),
    Target("F2", "the flowgraph with the covariance block against a block of VOLK's pairs",
           (_flowgraph(5, "ratio_vs_volk", 1.3), _flowgraph(16, "ratio_vs_volk", 1.6))),
    Target("F2b", "the same, where that block's buffers are as large",
           (_flowgraph(5, "ratio_vs_large_volk", 1.3),
            _flowgraph(16, "ratio_vs_large_volk", 1.6))),
    Target("G1", "processor time of 5 elements, 2.4 MS/s, 10 bearings a second, against null sinks",
           (Case("receiver", "cpu_share.py", "receiver", "ratio", 1.5, KEPT_UP),),
           is_upper_bound=True),
    Target("G2", "4 narrow channels of such streams by GNU Radio's filters, 10 bearings a second "
           "each, against the filters alone",
           (Case("channels", "cpu_share.py", "channels", "ratio", 1.3, KEPT_UP),),
           is_upper_bound=True),
)
