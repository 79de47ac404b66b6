# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loss of a training as a picture."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def save_loss(file, losses, gaussian, title):
    """Writes a PNG to an open file: the loss of each step, its running mean, and that of the best
    linear estimate."""
    window = max(1, len(losses) // 50)
    mean = np.convolve(losses, np.full(window, 1 / window), mode="valid")
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    step = np.arange(1, len(losses) + 1)
    axes.semilogy(step, losses, color="#9ecae1", linewidth=0.6, label="each step")
    label = f"mean of {window} steps"
    axes.semilogy(step[window - 1 :], mean, color="#08519c", label=label)
    axes.axhline(gaussian, color="#b15928", linestyle="--", label="best linear estimate")
    axes.set(xlabel="step", ylabel="mean-square error of the noise", title=title)
    axes.grid(True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(file, format="png", dpi=120, metadata={"Software": None})
