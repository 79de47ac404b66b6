#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""bearing.core.covariance against NumPy's matrix product and SciPy's BLAS cherk.

One thread each, timed in turn by its processor time, ratios of medians.

usage: PYTHONPATH=build/test_modules tests/benchmarks/covariance_numpy.py [--rounds N]
Prints JSON.
"""

import os

# Before NumPy loads the library.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import json
import statistics
import time

import numpy as np
from gnuradio import bearing
from scipy.linalg.blas import cherk

SNAPSHOTS = 4096
ROUND_SECONDS = 2e-3


def seconds(function, calls):
    begin = time.thread_time()
    for _ in range(calls):
        function()
    return (time.thread_time() - begin) / calls


def compare(contenders, rounds):
    """Seconds a call of each, medians of rounds in which all take turns."""
    calls = [max(1, round(ROUND_SECONDS / max(seconds(f, 3), 1e-7))) for f in contenders]
    times = [[] for _ in contenders]
    for _ in range(rounds):
        for one, function, number in zip(times, contenders, calls):
            one.append(seconds(function, number))
    return [statistics.median(one) for one in times]


def measure(rounds=15):
    result = {}
    for n in (5, 16, 32):
        x = bearing.core.simulate(
            bearing.array.ula(n=n, spacing=0.5), [10.0, 40.0], 10.0, SNAPSHOTS, 1)
        in_fortran_order = np.asfortranarray(x)
        ours, product, update = compare(
            (lambda: bearing.core.covariance(x),
             lambda: x @ x.conj().T / SNAPSHOTS,
             lambda: cherk(1.0 / SNAPSHOTS, in_fortran_order)), rounds)
        result[f"covariance/{n}/{SNAPSHOTS}"] = {
            "vs_numpy": product / ours, "vs_scipy": update / ours}
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    print(json.dumps(measure(parser.parse_args().rounds), indent=1))
