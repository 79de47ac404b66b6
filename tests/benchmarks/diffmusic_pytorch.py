#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gradient steps of bm_diffmusic, and the same steps by PyTorch's automatic differentiation.

64 covariances of 5 sources, 16 elements, complex128, one thread; loss and gradient with respect
to gains and positions, windows of 41 points at rest. Both are timed in turn within one run, by
CPU time, and compared by their medians; PyTorch has the faster of two ways of writing the null
function: D = |a|^2 - |Es^H a|^2, and |a - Es Es^H a|^2, which is the one that keeps its digits
near a null. The gradients of sl_p are compared first.

Needs python3-torch (cmake/apt-packages-extra.txt) and a built tree:
    PYTHONPATH=build/test_modules tests/benchmarks/diffmusic_pytorch.py [BM_DIFFMUSIC]
"""

import json
import math
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

try:
    import torch
except ImportError:
    sys.exit("PyTorch is absent, nothing was compared; it is in the package python3-torch")

from gnuradio import bearing

BATCH, SOURCES, ELEMENTS, SNAPSHOTS = 64, 5, 16, 256
WINDOW = 41
STEP = math.radians(0.05)
ROUNDS = 15
DEFAULT = pathlib.Path(__file__).resolve().parents[2] / "build/tests/benchmarks/bm_diffmusic"


def null_by_subtraction(a, subspace):
    b = a @ subspace.conj()
    return (a.real**2 + a.imag**2).sum(-1) - (b.real**2 + b.imag**2).sum(-1)


def null_by_rejection(a, subspace):
    y = a - (a @ subspace.conj()) @ subspace.transpose(1, 2)
    return (y.real**2 + y.imag**2).sum(-1)


class Steps:
    """Leaves gradients in self.gains.grad and self.positions.grad."""

    def __init__(self, covariances, azimuth, gains, positions, null):
        vectors = torch.linalg.eigh(torch.from_numpy(covariances))[1]
        self.subspace = vectors[:, :, -SOURCES:].contiguous()
        self.label = torch.from_numpy(azimuth)
        self.offset = (torch.arange(WINDOW) - WINDOW // 2) * STEP
        self.window = self.label.unsqueeze(-1) + self.offset
        self.label_u = torch.sin(self.label)
        self.window_u = torch.sin(self.window).reshape(BATCH, -1)
        self.gains = torch.from_numpy(gains).requires_grad_(True)
        self.positions = torch.from_numpy(positions).requires_grad_(True)
        self.null = null

    def spectrum(self, u):
        phase = 2 * math.pi * u.unsqueeze(-1) * self.positions
        a = self.gains * torch.complex(torch.cos(phase), torch.sin(phase))
        return (self.gains.real**2 + self.gains.imag**2).sum() / self.null(a, self.subspace)

    def sl_p(self):
        return -torch.log(self.spectrum(self.label_u)).sum() / BATCH

    def sl_theta(self):
        # Pairing is left out, which only favours this side.
        weight = torch.softmax(self.spectrum(self.window_u).reshape(self.window.shape), -1)
        error = self.label - (weight * self.window).sum(-1)
        return torch.sqrt((error**2).mean(-1) + 1e-12).mean()

    def ul(self):
        p = self.spectrum(self.window_u).reshape(self.window.shape)
        return (p.sum(-1) ** 2 / (WINDOW * (p**2).sum(-1))).sum() / BATCH

    def run(self, loss):
        self.gains.grad = None
        self.positions.grad = None
        getattr(self, loss)().backward()

    def seconds(self, loss):
        count, start = 0, time.thread_time()
        while time.thread_time() - start < 0.05:
            self.run(loss)
            count += 1
        return (time.thread_time() - start) / count


def our_seconds(program, loss):
    out = subprocess.run(
        [program, f"--benchmark_filter=gradient_step/{loss}/", "--benchmark_format=json",
         "--benchmark_min_time=0.05"],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    result = json.loads(out.stdout)["benchmarks"][0]
    return result["cpu_time"] * {"ns": 1e-9, "us": 1e-6, "ms": 1e-3}[result["time_unit"]]


def simulated():
    rng = np.random.default_rng(1)
    array = bearing.array.ula(ELEMENTS, 0.5)
    azimuth = rng.uniform(-1.0, 1.0, (BATCH, SOURCES))
    covariances = []
    for k, row in enumerate(azimuth):
        x = bearing.core.simulate(array, np.degrees(row), 15.0, SNAPSHOTS, k)
        x = x.astype(np.complex128)
        covariances.append(x @ x.conj().T / SNAPSHOTS)
    gains = 1.0 + 0.1 * (rng.normal(size=ELEMENTS) + 1j * rng.normal(size=ELEMENTS))
    offsets = np.zeros((ELEMENTS, 3))
    offsets[:, 0] = 0.02 * rng.normal(size=ELEMENTS)
    return array, np.array(covariances), azimuth, gains, offsets


def main():
    torch.set_num_threads(1)
    program = sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT)
    array, covariances, azimuth, gains, offsets = simulated()
    positions = array.positions[:, 0] + offsets[:, 0]
    contenders = [Steps(covariances, azimuth, gains, positions, null)
                  for null in (null_by_subtraction, null_by_rejection)]

    moved = array.calibrated(bearing.calibration(gains=gains, positions=offsets))
    ours = bearing.core.diffmusic_loss(covariances, moved, SOURCES, np.degrees(azimuth))
    reference = contenders[1]
    reference.run("sl_p")
    for what, mine, theirs in (("gains", ours.gains, reference.gains.grad.numpy()),
                               ("positions", ours.positions[:, 0],
                                reference.positions.grad.numpy())):
        difference = np.abs(mine - theirs).max() / np.abs(theirs).max()
        print(f"sl_p, gradient of {what}: largest relative difference {difference:.1e}")

    for loss in ("sl_p", "sl_theta", "ul"):
        times = [(our_seconds(program, loss), *(c.seconds(loss) for c in contenders))
                 for _ in range(ROUNDS)]
        mine, *theirs = (statistics.median(column) for column in zip(*times))
        print(f"{loss}: {1e6 * mine:.0f} us; PyTorch {1e6 * theirs[0]:.0f} us by subtraction, "
              f"{1e6 * theirs[1]:.0f} us by rejection; ratio {min(theirs) / mine:.1f}")


if __name__ == "__main__":
    main()
