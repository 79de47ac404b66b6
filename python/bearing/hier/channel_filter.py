# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One channel out of a wide band, for all elements of an array."""

from gnuradio import filter, gr

from ..bearing_python import channel_tags
from .channel_taps import (
    check_attenuation,
    check_center_frequency,
    check_integer,
    check_sample_rate,
    lowpass_taps,
)
from .sigmf_format import is_number

_MOST_DECIMATION = 10000


class channel_filter(gr.hier_block2):
    """One channel of each of N coherent streams: shifted to the centre, filtered and decimated.

    What lies within bandwidth / 2 of the channel's centre passes; from sample_rate / decimation
    - bandwidth / 2 on everything is attenuated by attenuation_db, so that nothing folds back
    onto it. The filters are identical and start together, so the phases between the elements
    are those of the antennas; for the same reason the channel stays where it is.

    Inputs: N complex streams, one an element. Outputs: the same, at sample_rate / decimation.

    Tags: rx_freq is the channel's centre, where the inputs or center_frequency tell it; rx_rate
    and gap count the output's samples; rx_time is less the filter's delay, right to half an output
    sample. Samples that a filter made of both sides of a gap or of a retune are left out, and
    count as lost.

    Parameters
    ----------
    num_elements : int
        N, 1 to 64.
    decimation : int
        Of the sample rate, 2 to 10000.
    offset : float
        Centre of the channel less that of the band, Hz; within half the sample rate.
    bandwidth : float
        What passes, Hz; at most nine tenths of the output's rate. The nearer it is to that rate,
        the longer the filter.
    sample_rate : float
        Of the inputs, Hz.
    attenuation_db : float
        Of what lies outside the channel, 30 to 140 dB.
    center_frequency : float
        Of the band, Hz, where samples come without rx_freq tags; 0: unknown.

    Raises
    ------
    ValueError
        Naming the parameter that is wrong.
    """

    def __init__(
        self,
        num_elements,
        decimation,
        offset,
        bandwidth,
        sample_rate,
        attenuation_db=80.0,
        center_frequency=0.0,
    ):
        num_elements = check_integer("num_elements", num_elements, 1, 64)
        decimation = check_integer("decimation", decimation, 2, _MOST_DECIMATION)
        sample_rate = check_sample_rate(sample_rate)
        attenuation_db = check_attenuation(attenuation_db)
        if not is_number(offset) or not abs(offset) <= sample_rate / 2:
            raise ValueError(
                f"offset is {offset!r}; it must be within half the sample rate, "
                f"{sample_rate / 2:g} Hz"
            )
        center_frequency = check_center_frequency(center_frequency, offset)
        rate = sample_rate / decimation
        if not is_number(bandwidth) or not 0 < bandwidth <= 0.9 * rate:
            raise ValueError(
                f"bandwidth is {bandwidth!r}; it must be more than 0 and at most nine tenths of "
                f"the output's rate, {0.9 * rate:g} Hz"
            )

        signature = gr.io_signature(num_elements, num_elements, gr.sizeof_gr_complex)
        gr.hier_block2.__init__(self, "channel_filter", signature, signature)

        taps = lowpass_taps(sample_rate, bandwidth / 2, rate - bandwidth / 2, attenuation_db)
        tags = channel_tags(
            num_elements,
            [offset],
            decimation,
            delay=(len(taps) - 1) / 2,
            memory=int((len(taps) - 2) / decimation + 0.5) + 1,
            sample_rate=sample_rate,
            center_frequency=center_frequency,
        )
        for k in range(num_elements):
            shift_and_filter = filter.freq_xlating_fir_filter_ccf(
                decimation, taps.tolist(), offset, sample_rate
            )
            self.connect((self, k), shift_and_filter, (tags, k))
            self.connect((tags, k), (self, k))
