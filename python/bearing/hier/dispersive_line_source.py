# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sensors along a line hear of a source, as streams with a known truth."""

import time

import numpy as np
import pmt
from gnuradio import gr

from .. import stream_time
from ..bearing_python import propagator as propagator_type
from .packed_stream import RX_RATE, RX_TIME
from .sigmf_format import is_number

# Blocks of the overlap-save filter: the shortest and the longest that is tried.
_SHORTEST, _LONGEST = 1 << 10, 1 << 17
# Energy of an impulse response that may lie beyond the taps: 100 dB below the signal.
_LOST_ENERGY = 1e-10
# Items for which outputs have room at least: an estimate comes a block of samples later, and who
# compares it with one of these streams lets that one wait.
_ROOM = 1 << 16
# Throttled samples come in runs of at most this many seconds.
_LONGEST_RUN_S = 0.05


def _butterworth(frequency, bandwidth, sample_rate):
    """The response of a digital low-pass of first order, its cut-off at bandwidth."""
    # The bilinear transform of 1 / (1 + s); Nyquist's tangent is as good as infinite.
    warped = np.tan(np.pi * np.minimum(frequency / sample_rate, 0.5))
    return 1.0 / (1.0 + 1j * warped / np.tan(np.pi * bandwidth / sample_rate))


class _filter_bank:
    """White noise through N filters, without end: overlap-save.

    The first output is as stationary as the others. Which sample of the noise belongs to which
    output is not told.
    """

    def __init__(self, propagator, sample_rate, bandwidth, random):
        length = _SHORTEST
        while True:
            frequency = np.arange(length // 2 + 1) * (sample_rate / length)
            source = _butterworth(frequency, bandwidth, sample_rate)
            response = source[:, None] * propagator.response(frequency, is_real=True)
            taps = self._taps(np.fft.irfft(response, length, axis=0))
            if taps is not None:
                break
            length *= 2
            if length > _LONGEST:
                raise ValueError(
                    f"propagator has impulse responses that are longer than {_LONGEST // 2} "
                    "samples; it must be shorter, or its tables smoother"
                )
        self.hop = length // 2
        self.num_channels = response.shape[1]
        # Of unit variance is the source, not what the first sensor hears of it.
        self._filters = np.fft.rfft(taps, length, axis=0)
        self._filters /= np.sqrt(np.sum(np.fft.irfft(source, length) ** 2))
        self._random = random
        self._input = random.standard_normal(length)

    @staticmethod
    def _taps(impulse_responses):
        """The half of circular impulse responses that holds them; None if none does."""
        length = len(impulse_responses)
        energy = impulse_responses**2
        total = np.sum(energy, axis=0)
        # A sensor that hears nothing has nothing to lose.
        energy /= np.where(total > 0.0, total, 1.0)
        sums = np.cumsum(np.concatenate([np.zeros((1, energy.shape[1])), energy, energy]), axis=0)
        held = (sums[length // 2 :] - sums[: -(length // 2)])[:length]
        first = int(np.argmax(np.min(held + (total == 0.0), axis=1)))
        chosen = (first + np.arange(length // 2)) % length
        beyond = np.ones(length, bool)
        beyond[chosen] = False
        # Summed by itself: one minus what is held would be rounding errors.
        if np.max(np.sum(energy[beyond], axis=0)) > _LOST_ENERGY:
            return None
        return impulse_responses[chosen]

    def block(self):
        """The next samples, N x hop, in single precision."""
        output = np.fft.irfft(
            np.fft.rfft(self._input)[:, None] * self._filters, len(self._input), axis=0
        )
        self._input = np.concatenate(
            [self._input[self.hop :], self._random.standard_normal(self.hop)]
        )
        return np.ascontiguousarray(output[self.hop :].T, dtype=np.float32)


class dispersive_line_source(gr.sync_block):
    """A source that is heard by N sensors, after attenuation and dispersion, in white noise.

    d_l(f) = P_l(f) s0(f) + n_l(f): s0 is white Gaussian noise through a Butterworth low-pass of
    first order, P a propagator, n white Gaussian noise. The signal is generated continuously
    by overlap-save filters that hold 100 dB of its energy. The same seed gives the same samples,
    whatever the buffers are.

    Outputs: N float streams of what is heard, and up to N more, which may be left open: the
    signal alone at each sensor, P s0. The first sample of each carries the tags rx_time, counted
    from 0, and rx_rate. A flowgraph that is started again goes on with the stream. Streams have
    room to wait for an estimate that comes up to 65536 samples later.

    Parameters
    ----------
    propagator : bearing.propagator
        Of N sensors; its tables must reach from 0 to half the sample rate. Of plane waves, one
        with a velocity.
    sample_rate : float
        Hz.
    bandwidth : float
        Of the source, where it has lost 3 dB: Hz, less than half the sample rate.
    signal_power : float
        Mean square of s0, which is what the first sensor of a line hears.
    noise_power : sequence of float
        Mean square of the noise at each sensor, or one for all of them.
    seed : int
        Of the random numbers.
    throttle : bool
        No faster than the sample rate by the wall clock; otherwise as fast as the flowgraph
        takes it.

    Raises
    ------
    ValueError
        Naming the parameter that is wrong.
    """

    def __init__(
        self,
        propagator,
        sample_rate,
        bandwidth=10.0,
        signal_power=1.0,
        noise_power=(0.1,),
        seed=1,
        throttle=False,
    ):
        if not isinstance(propagator, propagator_type):
            raise ValueError(f"propagator is {propagator!r}; it must be a bearing.propagator")
        if not is_number(sample_rate) or not sample_rate > 0:
            raise ValueError(f"sample_rate is {sample_rate!r}; it must be a number > 0 (Hz)")
        if not is_number(bandwidth) or not 0 < bandwidth < sample_rate / 2:
            raise ValueError(
                f"bandwidth is {bandwidth!r}; it must be more than 0 and less than half the "
                f"sample rate, {sample_rate / 2:g} Hz"
            )
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise ValueError(f"seed is {seed!r}; it must be an integer")
        of_source, of_noise = (
            np.random.default_rng([part, int(seed) % 2**64]) for part in range(2)
        )
        self._filters = _filter_bank(propagator, float(sample_rate), float(bandwidth), of_source)
        self._num_sensors = self._filters.num_channels
        self._random = of_noise
        self._sample_rate = float(sample_rate)
        self._throttle = bool(throttle)
        self.set_signal_power(signal_power)
        self.set_noise_power(noise_power)

        gr.sync_block.__init__(
            self,
            "dispersive_line_source",
            None,
            gr.py_io_signature(self._num_sensors, 2 * self._num_sensors, [np.float32]),
        )
        # It would report the next call, and again when a flowgraph starts for a second time.
        self.set_log_level("error")
        self.set_min_output_buffer(_ROOM)
        self._source = pmt.intern("dispersive_line_source")
        # Samples that were made and not yet delivered, from the next one on.
        self._signal = self._noise = np.empty((self._num_sensors, 0), np.float32)
        self._next = 0
        self._delivered = 0
        # When the wall clock showed that so many samples had been delivered.
        self._pace = None

    def num_sensors(self):
        """N."""
        return self._num_sensors

    def set_signal_power(self, signal_power):
        """Mean square of s0 from now on."""
        if not is_number(signal_power) or not signal_power >= 0:
            raise ValueError(f"signal_power is {signal_power!r}; it must be a number >= 0")
        self._signal_level = np.float32(np.sqrt(signal_power))

    def set_noise_power(self, noise_power):
        """Mean square of the noise at each sensor from now on, or one for all of them."""
        powers = np.atleast_1d(np.asarray(noise_power, float))
        if (
            powers.shape not in ((1,), (self._num_sensors,))
            or not np.all(np.isfinite(powers))
            or np.any(powers < 0)
        ):
            raise ValueError(
                f"noise_power is {noise_power!r}; it must be one number >= 0, or one for each of "
                f"{self._num_sensors} sensors"
            )
        levels = np.broadcast_to(np.sqrt(powers), self._num_sensors)
        self._noise_levels = levels.astype(np.float32)

    def start(self):
        # What was not delivered while nothing ran is not made up for.
        self._pace = None
        return True

    def work(self, input_items, output_items):
        count = len(output_items[0])
        if self._throttle:
            count = self._due(count)
            if count == 0:
                return 0
        if self._next == self._signal.shape[1]:
            self._signal = self._filters.block()
            self._noise = self._random.standard_normal(self._signal.shape, np.float32)
            self._next = 0
        count = min(count, self._signal.shape[1] - self._next)
        if self.nitems_written(0) == 0:
            self._tag(len(output_items))
        run = slice(self._next, self._next + count)
        signal_level, noise_levels = self._signal_level, self._noise_levels
        for k in range(self._num_sensors):
            signal = signal_level * self._signal[k, run]
            output_items[k][:count] = signal + noise_levels[k] * self._noise[k, run]
            if self._num_sensors + k < len(output_items):
                output_items[self._num_sensors + k][:count] = signal
        self._next += count
        self._delivered += count
        return count

    def _due(self, wanted):
        """How many samples may be delivered; waits until it is one, or for a short time."""
        now = time.monotonic()
        if self._pace is None:
            self._pace = (now, self._delivered)
        began, delivered = self._pace
        early = began + (self._delivered - delivered) / self._sample_rate - now
        if early > 0:
            time.sleep(min(early, _LONGEST_RUN_S))
        if early > _LONGEST_RUN_S:
            return 0
        return min(wanted, max(1, int(_LONGEST_RUN_S * self._sample_rate)))

    def _tag(self, num_streams):
        seconds, samples = divmod(self._delivered, self._sample_rate)
        rx_time = stream_time.to_pmt((int(seconds), samples / self._sample_rate))
        for stream in range(num_streams):
            self.add_item_tag(stream, 0, RX_TIME, rx_time, self._source)
            self.add_item_tag(
                stream, 0, RX_RATE, pmt.from_double(self._sample_rate), self._source
            )
