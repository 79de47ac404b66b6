#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal that travels along ten sensors, out of noise: least squares, ridge and Wiener.

Attenuation and velocity are known, and depend on frequency. Plain least squares leaks noise onto
the first sensor; tables tell how much of it in which band, what a prior on the source's spectrum
buys, and what a wrong propagator costs.
"""

import argparse
import dataclasses
import pathlib

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from gnuradio import bearing
from gnuradio.bearing.colours import BLUE, VERMILION

BLACK = "#000000"

SAMPLE_RATE = 1000.0  # Hz
SAMPLES = 5000
POSITIONS = 10.0 * np.arange(10)  # metres
CORNER = 10.0  # of the source's spectrum, Hz
NOISE = 0.05  # standard deviation at each sensor; that of the source is 0.17
FREQUENCY = np.fft.rfftfreq(SAMPLES, 1.0 / SAMPLE_RATE)

BANDS = ((0, 20), (20, 50), (50, 100), (100, 200), (200, 500), (0, 500))

# Columns of the tables: what propagator_ls is told; "exact" is told the true spectra.
METHODS = {
    "plain LS": {"mode": "ls"},
    "ridge 0.2": {"mode": "ridge", "ridge": 0.2},
    "Wiener": {},
    "mu = 4": {"mu": 4.0},
    "exact": {},
}
# What is wrong with a propagator: name and factors of the velocity, and of the attenuation in dB.
MISTAKES = (
    ("none", 1.0, 1.0),
    ("velocity 0.5 %", 1.005, 1.0),
    ("velocity 1 %", 1.01, 1.0),
    ("velocity 2 %", 1.02, 1.0),
    ("attenuation 10 %", 1.0, 1.1),
)


def velocity(frequency):
    return 25.0 * (1.0 + np.sqrt(1.0 + (frequency / 100.0) ** 2))


def gain(frequency):
    """From one sensor to the next."""
    return np.exp(-np.sqrt(0.01 + (frequency / 100.0) ** 2))


def line(velocity_factor=1.0, attenuation_factor=1.0):
    """The propagator, or one that is wrong by these factors."""
    return bearing.propagator.dispersive(
        POSITIONS,
        FREQUENCY,
        gain(FREQUENCY) ** attenuation_factor,
        velocity_factor * velocity(FREQUENCY),
    )


def source_psd():
    """Of the source, two-sided, unit^2 / Hz: white noise of variance 1 through a Butterworth
    low-pass of first order."""
    # The bilinear transform of 1 / (1 + s).
    warped = np.tan(np.pi * np.minimum(FREQUENCY / SAMPLE_RATE, 0.4999999))
    low_pass = 1.0 / (1.0 + (warped / np.tan(np.pi * CORNER / SAMPLE_RATE)) ** 2)
    return low_pass / SAMPLE_RATE


def noise_psd():
    return np.full(len(FREQUENCY), NOISE**2 / SAMPLE_RATE)


@dataclasses.dataclass(frozen=True)
class record:
    """What the sensors hear, and of what it is the sum; T x N."""

    signal: np.ndarray
    noise: np.ndarray

    @property
    def data(self):
        return self.signal + self.noise


def simulate(random):
    """A record that begins again where it ends, so that its DFT is the propagator's exactly."""
    white = np.fft.rfft(random.standard_normal(SAMPLES))
    # Both are real at zero; the low-pass lets nothing of Nyquist's bin pass.
    source = white * np.sqrt(source_psd() * SAMPLE_RATE)
    signal = np.fft.irfft(source[:, None] * line().response(FREQUENCY), SAMPLES, axis=0)
    return record(signal, NOISE * random.standard_normal(signal.shape))


def estimate(heard, name):
    """What propagator_ls makes of a record by a method."""
    options = dict(METHODS[name])
    if name == "exact":
        options.update(source_psd=source_psd()[:, None], noise_psd=noise_psd()[:, None])
    return bearing.core.propagator_ls(heard.data, SAMPLE_RATE, line(), **options)


def leaked(heard, found, name):
    """The noise that passes the filter that the data made: what stands in the estimate instead
    of the signal, T x N."""
    # With both densities given the estimator is linear.
    given = {"source_psd": found.source_psd, "noise_psd": found.noise_psd}
    options = {**METHODS[name], **given}
    return bearing.core.propagator_ls(heard.noise, SAMPLE_RATE, line(), **options).signal


def energy_per_band(samples):
    """Of the first sensor."""
    spectrum = np.abs(np.fft.rfft(samples[:, 0])) ** 2
    # Each bin but the first and the last stands for two.
    spectrum[1:-1] *= 2.0
    last = FREQUENCY[-1]
    return np.array(
        [
            np.sum(spectrum[(FREQUENCY >= low) & ((FREQUENCY < high) | (high == last))])
            for low, high in BANDS
        ]
    )


def decibels(ratio):
    return 10.0 * np.log10(ratio)


def study(records, seed):
    """({method: error energy at each sensor}, signal energy, {method: leak in each band}), means;
    and what MISTAKES cost: [(name, [NMSE without and with velocity_scale, all and sensor 1])]."""
    random = np.random.default_rng(seed)
    errors = {name: np.zeros(len(POSITIONS)) for name in METHODS}
    leaks = {name: np.zeros(len(BANDS)) for name in METHODS}
    signal = np.zeros(len(POSITIONS))
    costs = np.zeros((len(MISTAKES), 2, len(POSITIONS)))
    for _ in range(records):
        heard = simulate(random)
        signal += np.sum(heard.signal**2, axis=0)
        for name in METHODS:
            found = estimate(heard, name)
            errors[name] += np.sum((found.signal - heard.signal) ** 2, axis=0)
            leaks[name] += energy_per_band(leaked(heard, found, name))
        for k, (_, *factors) in enumerate(MISTAKES):
            wrong = line(*factors)
            fit = bearing.core.velocity_scale(heard.data, SAMPLE_RATE, wrong)
            for repaired, p in enumerate((wrong, wrong.with_velocity_scale(fit.scale))):
                found = bearing.core.propagator_ls(heard.data, SAMPLE_RATE, p)
                costs[k, repaired] += np.sum((found.signal - heard.signal) ** 2, axis=0)
    return errors, signal, leaks, costs


def print_errors(errors, signal):
    print("\nNMSE of the estimated signal in dB\n" + " " * 14 + heading())
    for k in range(len(POSITIONS)):
        cells = "".join(f"{decibels(error[k] / signal[k]):11.2f}" for error in errors.values())
        print(f"sensor {k + 1:<7d}{cells}")
    totals = [decibels(np.sum(error) / np.sum(signal)) for error in errors.values()]
    print(f"{'all':<14}" + "".join(f"{total:11.2f}" for total in totals))


def heading():
    return "".join(f"{name:>11}" for name in METHODS)


def print_leaks(leaks):
    print("\nNoise that leaks onto sensor 1, in dB of that of plain least squares")
    print(" " * 14 + heading() + f"{'P^H P':>9}{'share':>8}")
    redundancy = np.sum(np.abs(line().response(FREQUENCY)) ** 2, axis=1)
    plain = leaks["plain LS"]
    for k, (low, high) in enumerate(BANDS):
        cells = "".join(f"{decibels(leak[k] / plain[k]):11.2f}" for leak in leaks.values())
        inside = (FREQUENCY >= low) & (FREQUENCY <= high)
        print(
            f"{f'{low}..{high} Hz':<14}{cells}{np.mean(redundancy[inside]):9.2f}"
            f"{100.0 * plain[k] / plain[-1]:6.0f} %"
        )


def print_costs(costs, signal):
    print("\nWiener's NMSE in dB with a propagator that is wrong")
    print(f"{'error':<20}{'all':>8}{'sensor 1':>10}   with velocity_scale: all   sensor 1")
    for (name, *_), (wrong, repaired) in zip(MISTAKES, costs):
        values = [
            decibels(value)
            for error in (wrong, repaired)
            for value in (np.sum(error) / np.sum(signal), error[0] / signal[0])
        ]
        print(f"{name:<20}{values[0]:8.2f}{values[1]:10.2f}{values[2]:27.2f}{values[3]:11.2f}")


def wiggles(axes, samples, colour, title):
    """One trace a sensor, the first on top."""
    time = np.arange(SAMPLES) / SAMPLE_RATE
    for k, trace in enumerate(samples.T):
        axes.plot(time, k + 1 - 1.5 * trace, color=colour, lw=0.7)
    axes.set(title=title, xlim=(1.5, 2.5), ylim=(10.8, 0.1), yticks=range(1, 11))


def draw(heard):
    """Data, signal and noise; signal, estimate and difference, twice."""
    figure, panels = plt.subplots(
        3, 3, figsize=(10, 9), sharex=True, sharey=True, layout="constrained"
    )
    wiggles(panels[0, 0], heard.data, BLACK, "data")
    wiggles(panels[0, 1], heard.signal, BLACK, "signal")
    wiggles(panels[0, 2], 2.0 * heard.noise, VERMILION, "noise, twice as large")
    for row, label, name in (
        (panels[1], "plain least squares", "plain LS"),
        (panels[2], "Wiener", "Wiener"),
    ):
        found = estimate(heard, name).signal
        wiggles(row[0], heard.signal, BLACK, "signal")
        wiggles(row[1], found, BLUE, f"{label}: estimate")
        difference = 2.0 * (found - heard.signal)
        wiggles(row[2], difference, VERMILION, "difference, twice as large")
    for axes in panels[:, 0]:
        axes.set_ylabel("sensor")
    for axes in panels[-1]:
        axes.set_xlabel("time (s)")
    figure.suptitle("A signal that is attenuated and dispersed along ten sensors, 10 m apart")
    return figure


def positive(text):
    value = int(text)
    if not 1 <= value <= 100000:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to 100000")
    return value


def seed_number(text):
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--records", type=positive, help="default 20, --full 200")
    parser.add_argument("--full", action="store_true", help="the size of a serious comparison")
    parser.add_argument(
        "--seed", type=seed_number, default=1, help="of the random numbers (default 1)"
    )
    parser.add_argument(
        "--plot",
        type=pathlib.Path,
        metavar="FILE",
        help="picture of the traces: data, signal, noise; signal, estimate, difference",
    )
    args = parser.parse_args()
    records = args.records or (200 if args.full else 20)

    print(
        f"{len(POSITIONS)} sensors 10 m apart, source below {CORNER:.0f} Hz, white noise of "
        f"{NOISE}; means over {records} records of {SAMPLES / SAMPLE_RATE:.0f} s; seed {args.seed}\n"
        "exact: Wiener that is told the true spectra, the limit of all linear estimators.\n"
        "P^H P: what the sensors hear together, over what the first one hears. Share: of the band\n"
        "in the leak of plain least squares."
    )
    errors, signal, leaks, costs = study(records, args.seed)
    print_errors(errors, signal)
    print_leaks(leaks)
    print_costs(costs, signal)
    if args.plot:
        draw(simulate(np.random.default_rng(args.seed))).savefig(args.plot, dpi=100)
        print(args.plot)


if __name__ == "__main__":
    main()
