#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""MUSIC from a covariance against NumPy: numpy.linalg.eigh, one matrix product and the decibels.

    PYTHONPATH=<build>/test_modules /usr/bin/python3 tests/benchmarks/music_numpy.py [--rounds N]

Prints JSON, a row for each array and grid: `music/N/G` of a line, `music/circle/N/G` of a circle.
Contenders are timed in turn within one run, by thread CPU time, and compared by ratios of their
medians, NumPy's time over ours:

- `vs_numpy`: one spectrum a call, by core.music_estimator().spectrum_db.
- `vs_numpy_stack`: spectra of 64 covariances a call, NumPy's too (eigh and @ take stacks). What
  a call from Python costs is shared by 64, on both sides.
- `estimate_vs_numpy`: refined directions, powers, deviations and status besides, against NumPy's
  spectrum.
- `function_vs_numpy`: the same by core.music(), which looks the tables of its array and grid up.
"""

import os

# Before NumPy is there: one thread each, of processor time that is counted.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse  # noqa: E402
import json  # noqa: E402
import time  # noqa: E402

import numpy as np  # noqa: E402
from gnuradio import bearing  # noqa: E402

NUM_SOURCES = 2
SNAPSHOTS = 256
BATCH = 64
# Long against reading the clock, short enough for all to see the same state of the machine.
ROUND_SECONDS = 2e-3


class Contender:
    def __init__(self, function):
        self.function = function
        self.calls = 1
        self.seconds = []
        while self.run() < ROUND_SECONDS:
            self.calls *= 2

    def run(self):
        function = self.function
        start = time.thread_time()
        for _ in range(self.calls):
            function()
        return time.thread_time() - start

    def round(self):
        self.seconds.append(self.run() / self.calls)

    def median(self):
        return float(np.median(self.seconds))


def numpy_spectrum(r, manifold):
    """Of one covariance, or a stack of them."""
    _, vectors = np.linalg.eigh(r)
    noise = vectors[..., : r.shape[-1] - NUM_SOURCES]
    projected = np.swapaxes(noise.conj(), -1, -2) @ manifold
    f = np.sum(projected.real**2 + projected.imag**2, axis=-2)
    return -10.0 * np.log10(f / r.shape[-1])


def row(array, grid_deg, rounds):
    manifold = array.steering(grid_deg)
    angles = [-17.0, 29.0]
    stack = np.stack(
        [
            np.asarray(
                bearing.core.covariance(
                    bearing.core.simulate(array, angles, 10.0, SNAPSHOTS, seed)
                ),
                dtype=complex,
            )
            for seed in range(BATCH)
        ]
    )
    r = stack[0]
    estimator = bearing.core.music_estimator(array, NUM_SOURCES, grid_deg)

    # Both are right, or the race says nothing. Far from nulls, where rounding differs; decibels
    # are promised to 1e-4.
    expected = numpy_spectrum(stack, manifold)
    got = estimator.spectrum_db(stack, SNAPSHOTS)
    shallow = expected < 60.0
    if not np.allclose(got[shallow], expected[shallow], rtol=0.0, atol=1e-4):
        raise AssertionError("the spectra differ")

    contenders = {
        "numpy": Contender(lambda: numpy_spectrum(r, manifold)),
        "numpy_stack": Contender(lambda: numpy_spectrum(stack, manifold)),
        "stack": Contender(lambda: estimator.spectrum_db(stack, SNAPSHOTS)),
        "single": Contender(lambda: estimator.spectrum_db(r, SNAPSHOTS)),
        "estimate": Contender(lambda: estimator.estimate(r, SNAPSHOTS)),
        "function": Contender(
            lambda: bearing.core.music(r, array, NUM_SOURCES, SNAPSHOTS, grid_deg)
        ),
    }
    for _ in range(rounds):
        for contender in contenders.values():
            contender.round()
    seconds = {key: contender.median() for key, contender in contenders.items()}
    return {
        "vs_numpy": seconds["numpy"] / seconds["single"],
        "vs_numpy_stack": seconds["numpy_stack"] / seconds["stack"],
        "estimate_vs_numpy": seconds["numpy"] / seconds["estimate"],
        "function_vs_numpy": seconds["numpy"] / seconds["function"],
    }


def measure(rounds=31):
    arrays = {"": bearing.array.ula(5, 0.5), "circle/": bearing.array.uca(5, 0.383)}
    result = {}
    for points in (181, 3601):
        for name, array in arrays.items():
            if name:
                grid_deg = np.arange(points) * 360.0 / points
            else:
                grid_deg = np.linspace(-90.0, 90.0, points)
            result[f"music/{name}{array.n}/{points}"] = row(array, grid_deg, rounds)
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=31)
    print(json.dumps(measure(parser.parse_args().rounds), indent=1))
