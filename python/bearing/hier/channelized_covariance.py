# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Covariances of many channels of one wide band at once."""

import numpy as np
from gnuradio import blocks, filter, gr

from ..bearing_python import channel_tags, covariance
from .channel_taps import (
    check_attenuation,
    check_center_frequency,
    check_integer,
    check_sample_rate,
    lowpass_taps,
)
from .sigmf_format import is_number

_MOST_CHANNELS = 1024

# Of a channel's spacing, to either side of its centre: what passes, and what no longer does. A
# signal in the inner four fifths of one channel is in no other.
_PASS_EDGE, _STOP_EDGE = 0.4, 0.6


class channelized_covariance(gr.hier_block2):
    """One covariance stream for each of many channels: polyphase channelizers, one an element.

    A band of sample_rate is cut into M channels that stand sample_rate / M apart, at that rate
    each. Channel c, from -(M // 2) to (M - 1) // 2, is centred c * sample_rate / M above the
    band's centre. What lies within 0.4 spacings of a channel's centre passes, what lies beyond
    0.6 is attenuated by attenuation_db; between them a signal is in two channels. For an even M
    the channel -M / 2 is both edges of the band in one.

    Inputs: N complex streams, one an element.
    Outputs: one stream of covariance items (N * N complex, as those of bearing.covariance) for
    each of the channels, in their order.

    Tags of the items: rx_freq is the channel's centre, where the inputs or center_frequency tell
    it; rx_rate, snapshots and gap count the channel's samples; rx_time is that of the item's first
    sample less the filter's delay, right to half a sample of the channel. No item holds samples
    that a filter made of both sides of a gap or of a retune: they count as lost. The filters are
    identical and start together, so the phases between the elements are those of the antennas.

    Parameters
    ----------
    num_elements : int
        N, 1 to 64.
    snapshots : int
        T, samples of a channel that go into one item.
    num_channels : int
        M, 2 to 1024.
    sample_rate : float
        Of the inputs, Hz.
    channels : sequence of int
        Which channels come out; None: all, in order of frequency. channel_offsets() names them in
        Hz.
    attenuation_db : float
        Of other channels, 30 to 140 dB. A strong neighbour stays below the noise where its SNR
        is less than this.
    center_frequency : float
        Of the band, Hz, where samples come without rx_freq tags; 0: unknown.
    hop, forgetting : int, float
        Of the covariances, as bearing.covariance has them, in samples of a channel.

    Raises
    ------
    ValueError
        Naming the parameter that is wrong.
    """

    def __init__(
        self,
        num_elements,
        snapshots,
        num_channels,
        sample_rate,
        channels=None,
        attenuation_db=80.0,
        center_frequency=0.0,
        hop=0,
        forgetting=0.0,
    ):
        num_elements = check_integer("num_elements", num_elements, 1, 64)
        snapshots, hop, forgetting = _window(snapshots, hop, forgetting)
        num_channels = check_integer("num_channels", num_channels, 2, _MOST_CHANNELS)
        sample_rate = check_sample_rate(sample_rate)
        attenuation_db = check_attenuation(attenuation_db)
        self._channels = _chosen_channels(channels, num_channels)
        self._spacing = sample_rate / num_channels
        center_frequency = check_center_frequency(center_frequency, min(self.channel_offsets()))
        num_outputs = len(self._channels)

        gr.hier_block2.__init__(
            self,
            "channelized_covariance",
            gr.io_signature(num_elements, num_elements, gr.sizeof_gr_complex),
            gr.io_signature(num_outputs, num_outputs, num_elements**2 * gr.sizeof_gr_complex),
        )

        spacing = self._spacing
        taps = lowpass_taps(
            sample_rate, _PASS_EDGE * spacing, _STOP_EDGE * spacing, attenuation_db
        )
        # Half a channel's sample later, tags that GNU Radio rounds to the next one stand on the
        # first that their own sample goes into.
        lead = num_channels // 2
        delayed_taps = np.concatenate([np.zeros(lead), taps])
        tags = channel_tags(
            num_elements,
            self.channel_offsets(),
            num_channels,
            # A channelizer's output m has seen the input up to sample m * M + M - 1.
            delay=lead + (len(taps) - 1) / 2 - (num_channels - 1),
            memory=int((len(delayed_taps) - 1) / num_channels + 0.5),
            sample_rate=sample_rate,
            center_frequency=center_frequency,
        )
        for k in range(num_elements):
            split = blocks.stream_to_streams(gr.sizeof_gr_complex, num_channels)
            channelizer = filter.pfb_channelizer_ccf(num_channels, delayed_taps.tolist(), 1.0)
            # GNU Radio counts channels from the centre upwards and on from the lower edge.
            channelizer.set_channel_map([c % num_channels for c in self._channels])
            if num_outputs < num_channels:
                # It hands tags from input i to output i, and refuses to run without all outputs.
                channelizer.set_tag_propagation_policy(gr.TPP_ALL_TO_ALL)
            self.connect((self, k), split)
            for i in range(num_channels):
                self.connect((split, i), (channelizer, i))
            for i in range(num_outputs):
                self.connect((channelizer, i), (tags, i * num_elements + k))

        self._covariances = []
        for i in range(num_outputs):
            block = covariance(num_elements, snapshots, spacing, hop, forgetting)
            for k in range(num_elements):
                self.connect((tags, i * num_elements + k), (block, k))
            self.connect(block, (self, i))
            self._covariances.append(block)

    def channels(self):
        """Numbers of the channels, in the order of the outputs."""
        return list(self._channels)

    def channel_offsets(self):
        """Centres of the channels less that of the band, Hz, in the order of the outputs."""
        return [c * self._spacing for c in self._channels]

    def snapshots(self):
        """Samples of a channel that go into one item."""
        return self._covariances[0].snapshots()

    def hop(self):
        """Samples of a channel from one item to the next, as it was set: 0 stands for T."""
        return self._covariances[0].hop()

    def forgetting(self):
        """Weight of a window against that of the next."""
        return self._covariances[0].forgetting()

    def set_window(self, snapshots, hop=0, forgetting=0.0):
        """All three at once, where one after the other would not go together.

        As the other setters, it takes effect with the next item of each channel; where it raises
        ValueError, nothing is changed.
        """
        window = _window(snapshots, hop, forgetting)
        for block in self._covariances:
            block.set_window(*window)

    def set_snapshots(self, snapshots):
        """Samples of a channel that go into one item."""
        self.set_window(snapshots, self.hop(), self.forgetting())

    def set_hop(self, hop):
        """Samples of a channel from one item to the next; 0: no overlap."""
        self.set_window(self.snapshots(), hop, self.forgetting())

    def set_forgetting(self, forgetting):
        """Weight of a window against that of the next; 0: nothing is remembered."""
        self.set_window(self.snapshots(), self.hop(), forgetting)


def _window(snapshots, hop, forgetting):
    """The three of the right types; whether they go together, the covariances tell."""
    snapshots = check_integer("snapshots", snapshots, 1, 2**31 - 1)
    hop = check_integer("hop", hop, 0, 2**31 - 1)
    if not is_number(forgetting) or not 0 <= forgetting < 1:
        raise ValueError(f"forgetting is {forgetting!r}; it must be >= 0 and < 1")
    return snapshots, hop, float(forgetting)


def _chosen_channels(channels, num_channels):
    """The list of channels; ValueError unless they are some of them, each once."""
    first, last = -(num_channels // 2), (num_channels - 1) // 2
    if channels is None:
        return list(range(first, last + 1))
    try:
        chosen = [check_integer("channels", c, first, last) for c in channels]
    except TypeError:
        raise ValueError(f"channels is {channels!r}; it must be a list of integers") from None
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"channels is {channels!r}; it must have one channel or more, each once")
    return chosen
