#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root-MUSIC from a covariance, and the same in plain NumPy, both called from Python.

NumPy's side is what textbooks write: eigh, the sums of the noise projector's diagonals, np.roots,
the K roots inside the circle and nearest to it; it predicts no deviation and no status. Uniform
lines of 5 and 16 elements, K = 2, 10 dB, 256 snapshots. Ours is bearing.core.root_music, which
checks its arguments, builds its estimator anew at each call and keeps all roots.

Both are timed in turn within one run, by thread CPU time, on one BLAS thread, and compared by
ratios of their medians. The bearings are compared first. Prints JSON.

Needs a built tree:
    PYTHONPATH=build/test_modules tests/benchmarks/root_music_numpy.py [ROUNDS]
"""

import json
import os
import statistics
import sys
import time

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np

from gnuradio import bearing

SOURCES, SNAPSHOTS, SNR_DB, SPACING = 2, 256, 10.0, 0.5
AZIMUTH_DEG = [-17.0, 29.0]
ROUNDS = 31
# A round dwarfs the cost of reading the clock, and is short enough for both sides to see the same
# state of the machine.
ROUND_SECONDS = 2e-3
# Both take the roots of the same polynomial; R is the same to the bit.
LARGEST_DIFFERENCE_DEG = 1e-6


def numpy_root_music(covariance):
    n = covariance.shape[0]
    noise = np.linalg.eigh(covariance)[1][:, : n - SOURCES]
    projector = noise @ noise.conj().T
    roots = np.roots([projector.trace(k) for k in range(n - 1, -n, -1)])
    roots = roots[np.abs(roots) < 1.0]
    nearest = roots[np.argsort(1.0 - np.abs(roots))[:SOURCES]]
    return np.degrees(np.arcsin(np.angle(nearest) / (2.0 * np.pi * SPACING)))


def seconds(function, calls):
    start = time.thread_time()
    for _ in range(calls):
        function()
    return (time.thread_time() - start) / calls


def compare(n, rounds):
    array = bearing.array.ula(n, SPACING)
    samples = bearing.core.simulate(array, AZIMUTH_DEG, SNR_DB, SNAPSHOTS, 1)
    samples = samples.astype(np.complex128)
    covariance = samples @ samples.conj().T / SNAPSHOTS
    contenders = {
        "ours": lambda: bearing.core.root_music(covariance, array, SOURCES, SNAPSHOTS),
        "numpy": lambda: numpy_root_music(covariance),
    }
    difference = np.abs(
        np.sort(contenders["ours"]().angles_deg) - np.sort(contenders["numpy"]())
    ).max()
    if not difference < LARGEST_DIFFERENCE_DEG:
        sys.exit(f"{n} elements: the two sides differ by {difference} degrees")
    calls = {
        name: max(1, round(ROUND_SECONDS / seconds(function, 20)))
        for name, function in contenders.items()
    }
    times = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, function in contenders.items():
            times[name].append(seconds(function, calls[name]))
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "elements": n,
        "sources": SOURCES,
        "ours_us": 1e6 * medians["ours"],
        "numpy_us": 1e6 * medians["numpy"],
        "numpy_over_ours": medians["numpy"] / medians["ours"],
        "largest_difference_deg": float(difference),
    }


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    if rounds < 15:
        sys.exit(f"ROUNDS is {rounds}; a median over fewer than 15 would still move")
    print(json.dumps({"root_music": [compare(n, rounds) for n in (5, 16)]}, indent=2))


if __name__ == "__main__":
    main()
