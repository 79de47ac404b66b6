# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an array hears of wide-band transmitters, with true time delays."""

import numpy as np
from gnuradio import analog, blocks, filter, gr

from ..bearing_python import array as array_type
from .channel_taps import check_integer, check_sample_rate
from .sigmf_format import is_number

_SPEED_OF_LIGHT = 299792458.0  # m/s
# Of the window that ends a filter: 80 dB of what lies outside the band is gone.
_KAISER_BETA = 7.86
# Samples of a filter to each side of its centre for a transition over the whole sample rate.
_HALF_LENGTH = 2.6


class wideband_source(gr.hier_block2):
    """Signals so wide that every element of an array hears them at its own time, in noise.

    Each signal is white Gaussian noise in the inner bandwidth of the sampled band, independent of
    the others. Element l hears it p_l.u / c earlier than the origin: the carrier turns its phase,
    and the signal itself comes earlier by a fraction of a sample, which the array simulator
    leaves out. Noise of power 1 is added at every element.

    Outputs: N complex streams, one an element, without tags.

    Parameters
    ----------
    array : bearing.array
        Its calibration has no part in it.
    angles_deg : sequence of float
        Azimuths of the K signals.
    snr_db : float, or sequence of K float
        Power of each signal at an element over that of the noise in the whole band.
    sample_rate : float
        Hz.
    center_frequency : float
        Hz, > 0: what is at zero in the streams, and of the wavelengths of an array whose geometry
        is in wavelengths.
    bandwidth : float
        Share of the sample rate that a signal fills, in (0, 0.95].
    seed : int
        Of the random numbers.
    throttle : bool
        No faster than the sample rate by the wall clock.

    Raises
    ------
    ValueError
        Naming the parameter that is wrong.
    """

    def __init__(
        self,
        array,
        angles_deg,
        snr_db,
        sample_rate,
        center_frequency,
        bandwidth=0.8,
        seed=1,
        throttle=False,
    ):
        if not isinstance(array, array_type):
            raise ValueError(f"array is {array!r}; it must be a bearing.array")
        sample_rate = check_sample_rate(sample_rate)
        if not is_number(center_frequency) or not center_frequency > 0:
            raise ValueError(f"center_frequency is {center_frequency!r}; it must be > 0 Hz")
        if not is_number(bandwidth) or not 0 < bandwidth <= 0.95:
            raise ValueError(
                f"bandwidth is {bandwidth!r}; it must be in (0, 0.95], a share of the sample rate"
            )
        seed = check_integer("seed", seed, 0, 2**31 - 1)
        wavelength = _SPEED_OF_LIGHT / center_frequency if array.wavelength else 1.0
        # In periods of the centre, a wavelength each.
        self._periods = np.asarray(array.positions) / wavelength
        self._relative_rate = sample_rate / center_frequency
        self._bandwidth = float(bandwidth)
        # Room for the longest delay on either side.
        longest = np.max(np.linalg.norm(self._periods, axis=1)) * self._relative_rate
        self._half = int(np.ceil(_HALF_LENGTH / (1.0 - bandwidth) + longest)) + 1
        num_elements = array.n
        angles = self._check_angles(angles_deg)

        gr.hier_block2.__init__(
            self,
            "wideband_source",
            gr.io_signature(0, 0, 0),
            gr.io_signature(num_elements, num_elements, gr.sizeof_gr_complex),
        )
        random = np.random.default_rng(seed)

        def noise():
            return analog.noise_source_c(analog.GR_GAUSSIAN, 1.0, int(random.integers(1, 2**31)))

        sums = [blocks.add_cc() for _ in range(num_elements)]
        for k, total in enumerate(sums):
            self.connect(noise(), (total, 0))
            self.connect(total, (self, k))
        self._filters = []
        self._levels = []
        for number in range(len(angles)):
            signal = noise()
            if throttle and number == 0:
                pace = blocks.throttle(gr.sizeof_gr_complex, sample_rate)
                self.connect(signal, pace)
                signal = pace
            level = blocks.multiply_const_cc(1.0)
            self.connect(signal, level)
            own = [filter.fft_filter_ccc(1, [1.0]) for _ in range(num_elements)]
            for fir, total in zip(own, sums):
                self.connect(level, fir, (total, number + 1))
            self._levels.append(level)
            self._filters.append(own)
        self.set_angles_deg(angles_deg)
        self.set_snr_db(snr_db)

    @staticmethod
    def _check_angles(angles_deg):
        angles = np.asarray(angles_deg, float)
        if angles.ndim != 1 or len(angles) < 1 or not np.all(np.isfinite(angles)):
            raise ValueError(f"angles_deg is {angles_deg!r}; it must be one finite number or more")
        return angles

    def set_angles_deg(self, angles_deg):
        """New azimuths of the same number of signals."""
        angles = self._check_angles(angles_deg)
        if len(angles) != len(self._filters):
            raise ValueError(
                f"angles_deg has {len(angles)} values; there are {len(self._filters)} signals"
            )
        for angle, filters in zip(np.deg2rad(angles), self._filters):
            early = self._periods @ [np.sin(angle), np.cos(angle), 0.0]
            for periods, fir in zip(early, filters):
                fir.set_taps(self._taps(periods))

    def _taps(self, periods):
        """Of one element that hears the signal so many periods of the centre early."""
        # Samples of one continuous low-pass, wherever its centre falls: an exact delay.
        samples = np.arange(-self._half, self._half + 1)
        low_pass = self._low_pass(samples + periods * self._relative_rate)
        # White noise of power 1 comes out with power 1.
        low_pass /= np.linalg.norm(self._low_pass(samples))
        return (low_pass * np.exp(2j * np.pi * periods)).tolist()

    def _low_pass(self, time):
        """A sinc under Kaiser's window, time in samples."""
        inside = np.maximum(1.0 - (time / (self._half + 1.0)) ** 2, 0.0)
        return np.sinc(self._bandwidth * time) * np.i0(_KAISER_BETA * np.sqrt(inside))

    def set_snr_db(self, snr_db):
        """Power of each signal at an element over that of the noise; one for all, or K."""
        levels = [snr_db] * len(self._levels) if is_number(snr_db) else snr_db
        try:
            is_good = len(levels) == len(self._levels) and all(map(is_number, levels))
        except TypeError:
            is_good = False
        if not is_good:
            raise ValueError(
                f"snr_db is {snr_db!r}; it must be a number, or one for each of the "
                f"{len(self._levels)} signals"
            )
        for level, own in zip(self._levels, levels):
            level.set_k(10.0 ** (own / 20.0))
