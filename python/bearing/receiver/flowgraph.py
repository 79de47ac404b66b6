# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flowgraph of a receiver: radio, channels, covariances, squelch, estimators."""

import math

import numpy as np
import pmt
from gnuradio import gr

from ..bearing_python import covariance, diffmusic
from ..estimator_choice import make_estimator
from ..hier.channel_filter import channel_filter
from ..hier.item_thinner import item_thinner
from ..hier.squelch import squelch
from .beacon_turns import connect_in_turn
from .block_threads import block_threads
from .flowgraph_end import ends_within
from .taps import message_tap, spectrum_probe

_CALIBRATION = pmt.intern("calibration")
# Share of a channel's rate that is its bandwidth: more makes long filters, less makes samples that
# are not independent.
_BANDWIDTH_SHARE = 0.8
# The narrowest filter that channel_filter makes passes so much of the output's rate.
_MOST_SHARE = 0.9
_MOST_DECIMATION = 10000
# Items that self-calibration remembers.
_REMEMBERED_ITEMS = 64
# Seconds between writings of what was learnt.
_SAVE_INTERVAL_S = 30.0
# Samples of its own rate that a channel's filter spans, at most: Kaiser's formula for what leaves
# a tenth of the rate between the edges, rounded up. So many may be left when a recording ends.
_LONGEST_FILTER = 64
# Bytes; buffers are made of these.
_PAGE = 4096
# Seconds within which a flowgraph must end.
_STOP_S = 10.0


def channel_decimation(bandwidth_hz, sample_rate):
    """Decimation of a channel of that bandwidth; ValueError where it takes too much of the band."""
    decimation = min(_MOST_DECIMATION, int(_BANDWIDTH_SHARE * sample_rate / bandwidth_hz))
    if decimation < 2 and bandwidth_hz <= _MOST_SHARE * sample_rate / 2:
        decimation = 2
    if decimation < 2:
        raise ValueError(
            f"bandwidth_hz is {bandwidth_hz:g}; it must be at most {_MOST_SHARE / 2:g} of the "
            f"sample rate, {_MOST_SHARE / 2 * sample_rate:g} Hz, or left out for the whole band"
        )
    return decimation


def estimator_block(config, array, num_sources, heading_deg=0.0):
    """The block of an estimator_config; ValueError naming what does not fit."""
    return make_estimator(
        config.method,
        array,
        num_sources,
        config.limits_deg,
        heading_deg,
        config.variant,
        config.spectrum_points,
    )


class channel_chain:
    """One channel of the flowgraph, from the radio's streams to bearing messages."""

    def __init__(self, flowgraph, radio, array, channel, estimator, heading_deg, receive):
        rate = radio.sample_rate()
        n = array.n
        self.filter = None
        self.name = channel.name
        self.decimation = 1
        if channel.bandwidth_hz is not None:
            self.decimation = channel_decimation(channel.bandwidth_hz, rate)
            self.filter = channel_filter(
                n,
                self.decimation,
                channel.offset_hz,
                channel.bandwidth_hz,
                rate,
                center_frequency=radio.frequency() or 0.0,
            )
        self.rate = rate / self.decimation
        self.snapshots = max(n + 1, round(estimator.interval_s * self.rate))
        self.covariance = covariance(n, self.snapshots, self.rate)
        self.squelch = squelch(n)
        self.set_squelch(channel.squelch)
        self.estimator = estimator_block(estimator, array, channel.num_sources, heading_deg)
        self.set_num_sources(channel.num_sources)
        self.tap = message_tap("bearings", receive)
        for k in range(n):
            streams = [(radio.block, k), (self.covariance, k)]
            if self.filter is not None:
                streams.insert(1, (self.filter, k))
            flowgraph.connect(*streams)
        flowgraph.connect(self.covariance, self.squelch, self.estimator)
        flowgraph.msg_connect(self.estimator, "bearings", self.tap, "bearings")
        self.grid_deg = None
        self.probe = None
        if hasattr(self.estimator, "grid_deg"):
            self.grid_deg = np.array(self.estimator.grid_deg())
            size = len(self.grid_deg) * gr.sizeof_float
            # Whole pages, else GNU Radio warns that it rounds up.
            level = self.estimator.log_level()
            self.estimator.set_log_level("error")  # it would report this very call
            self.estimator.set_min_output_buffer(_PAGE // math.gcd(size, _PAGE))
            self.estimator.set_log_level(level)
            self.probe = spectrum_probe(len(self.grid_deg))
            flowgraph.connect(self.estimator, self.probe)

    def set_num_sources(self, num_sources):
        self.estimator.set_num_sources(num_sources)
        # Where they are counted, half of the eigenvalues are the noise's at least.
        most = max(1, self.squelch.num_elements - 1)
        self.squelch.set_num_sources(
            min(most, num_sources) if num_sources else max(1, self.squelch.num_elements // 2)
        )

    def set_squelch(self, config):
        """A squelch_config, or None."""
        self.squelch.set_power_db(None if config is None else config.power_db)
        self.squelch.set_eigenvalue_db(None if config is None else config.eigenvalue_db)
        interval_s = self.snapshots / self.rate
        hang_s = 0.0 if config is None else config.hang_s
        self.squelch.set_hang(min(10**9, math.ceil(hang_s / interval_s - 1e-9)))

    def counters(self):
        """Items since it was made: those of the squelch, and the messages that came."""
        return {**self.squelch.counters(), "messages": self.tap.received}


class receiver_flowgraph:
    """All channels of a receiver behind one radio.

    config: a receiver_config. radio: as make_radio() makes it. array: bearing.array with its
    initial calibration. calibrations: messages for the estimators. state_path: the
    self-calibration's file, or "". heading_deg: a number.
    on_bearing(number of the channel, message), on_calibration(message): called in the flowgraph's
    threads, must return at once.
    learning_interval_s: between items that self-calibration takes.

    Raises ValueError naming what does not fit.
    """

    def __init__(
        self,
        config,
        radio,
        array,
        calibrations,
        state_path,
        heading_deg,
        on_bearing,
        on_calibration,
        learning_interval_s,
    ):
        self.radio = radio
        self.array = array
        # What filters and windows were made for.
        self.sample_rate = radio.sample_rate()
        self._top = gr.top_block("bearing-receiver")
        self._threads = None
        self.channels = []
        for number, channel in enumerate(config.channels):
            try:
                chain = channel_chain(
                    self._top,
                    radio,
                    array,
                    channel,
                    config.estimator,
                    heading_deg,
                    lambda message, number=number: on_bearing(number, message),
                )
            except ValueError as error:
                raise ValueError(f"channel {channel.name}: {error}") from error
            self.channels.append(chain)
            for message in calibrations:
                chain.estimator._post(_CALIBRATION, message)
            if radio.calibration_source is not None:
                self._top.msg_connect(
                    radio.calibration_source, "calibration", chain.estimator, "calibration"
                )
        self.calibrator = None
        if config.calibration.self_calibration:
            self._add_calibrator(config, state_path, on_calibration, learning_interval_s)

    def _add_calibrator(self, config, state_path, on_calibration, learning_interval_s):
        names = [channel.name for channel in config.channels]
        chosen = config.calibration.channel
        learning = self.channels[names.index(chosen) if chosen is not None else 0]
        self.calibrator = diffmusic(
            self.array,
            config.calibration.num_sources,
            path=state_path,
            save_interval=_SAVE_INTERVAL_S,
            unlabelled_buffer=_REMEMBERED_ITEMS,
        )
        self.calibration_tap = message_tap("calibration", on_calibration)
        azimuth_deg = config.calibration.beacon_azimuth_deg
        if azimuth_deg is None:
            interval_s = learning.snapshots / learning.rate
            self._thinner = item_thinner(
                self.array.n, max(1, round(learning_interval_s / interval_s))
            )
            self._top.connect(learning.squelch, self._thinner, self.calibrator)
        else:
            frequency_hz = config.radio.frequency_hz
            if frequency_hz is not None:
                offset_hz = config.channels[self.channels.index(learning)].offset_hz
                frequency_hz += 0.0 if learning.filter is None else offset_hz
            self._turns = connect_in_turn(
                self._top,
                self.channels,
                learning,
                self.calibrator,
                azimuth_deg,
                frequency_hz,
                learning_interval_s,
            )
        for chain in self.channels:
            self._top.msg_connect(self.calibrator, "calibration", chain.estimator, "calibration")
        self._top.msg_connect(
            self.calibrator, "calibration", self.calibration_tap, "calibration"
        )

    def start(self):
        self._threads = block_threads()
        self._top.start()
        self._threads.started()

    def missing_threads(self):
        """Names of blocks that ended by themselves."""
        return self._threads.missing() if self._threads is not None else []

    def stop(self):
        """Ends it and hands on the messages that wait. False: a thread did not end in time, and
        the flowgraph is given up."""
        if self._threads is None:
            return True
        if not ends_within(self._top, _STOP_S, self):
            return False
        for chain in self.channels:
            chain.tap.take_unread()
        if self.calibrator is not None:
            self.calibration_tap.take_unread()
        return True

    def samples(self):
        """Samples of each element that channels have taken, the least of all."""
        return min(chain.covariance.nitems_read(0) * chain.decimation for chain in self.channels)

    def has_read_all(self):
        """Whether all of a recording went through; but for what does not fill the last item."""
        if not self.radio.has_end:
            return False
        left = max(
            (chain.snapshots + _LONGEST_FILTER) * chain.decimation for chain in self.channels
        )
        return self.samples() >= max(1, self.radio.num_samples - left)

    def set_heading_deg(self, heading_deg):
        for chain in self.channels:
            chain.estimator.set_heading_deg(heading_deg)
