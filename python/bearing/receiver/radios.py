# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The radios of a receiver: each a source block with one output per element, and one way to
tune it, to ask how it is, and to count."""

import math
import time

import numpy as np
import pmt
from gnuradio import blocks, gr

from .. import stream_time
from ..bearing_python import array_simulator, calibration
from ..hier.phase_realigner import phase_realigner
from ..hier.recording_source import recording_source
from ..hier.sigmf_format import is_number

_HIGHEST_FREQUENCY = 1e12
# dB; what is beyond is a mistake, and found where no radio is there to refuse it.
_LARGEST_GAIN = 200.0
# What Kraken's tuners have, which is asked for before the server is there.
_KRAKEN_GAINS = 0.0, 49.6


class radio:
    """What all have. Of a kind of its own each override what it can do.

    block: N complex outputs from port 0 on. kind: as in the configuration. calibration_source:
    a block with a message port calibration for the estimators, or None.
    has_end: whether the stream ends by itself. recovers: whether the source itself takes care of
    a lost radio, so that a silent stream is no fault of the flowgraph.
    """

    kind = ""
    has_end = False
    recovers = False
    calibration_source = None

    def __init__(self, block, num_elements, sample_rate, frequency):
        self.block = block
        self.num_elements = num_elements
        self._sample_rate = sample_rate
        self._frequency = frequency

    def sample_rate(self):
        """Samples a second of each element, as far as it is known."""
        return self._sample_rate

    def frequency(self):
        """Centre of the band in Hz, or None."""
        return self._frequency

    def retune(self, frequency_hz):
        """Tunes to another frequency. True: it takes a new radio, made with that frequency.

        Raises ValueError where the radio cannot."""
        raise ValueError(f"frequency_hz cannot be changed: a {self.kind} has its own")

    def set_gain(self, gain_db):
        """Sets one gain for all, or one an element, in dB; returns and raises as retune()."""
        raise ValueError(f"gain_db cannot be changed: a {self.kind} has its own")

    def state(self):
        """A word ("running", "waiting") and a sentence."""
        return "running", ""

    def counters(self):
        """What was counted since it was made, by name."""
        return {}


class _kraken(radio):
    kind = "kraken"
    recovers = True

    def __init__(self, config, num_elements):
        from ..bearing_python import kraken_source

        gains = gain_list(config.gain_db, num_elements)
        source = kraken_source(
            num_elements=num_elements,
            frequency=config.frequency_hz,
            gain_db=gains,
            host=config.host,
            protocol=config.protocol,
            data_port=config.data_port,
            control_port=config.control_port,
            timeout_s=config.timeout_s,
        )
        super().__init__(source, num_elements, config.sample_rate_hz, config.frequency_hz)

    def sample_rate(self):
        # 0 until the server has told it.
        return self.block.sample_rate() or self._sample_rate

    def frequency(self):
        return self.block.frequency() or self._frequency

    def retune(self, frequency_hz):
        self.block.set_frequency(frequency_hz)
        self._frequency = frequency_hz
        return False

    def set_gain(self, gain_db):
        self.block.set_gain(gain_list(gain_db, self.num_elements))
        return False

    def state(self):
        text = self.block.state()
        return ("running" if self.block.is_receiving() else "waiting"), text

    def counters(self):
        return dict(self.block.counters())


class _usrp(radio):
    kind = "usrp"

    def __init__(self, config, array, make_device=None):
        from ..hier.usrp_source import usrp_source

        self._source = usrp_source(
            array.n,
            config.sample_rate_hz,
            config.frequency_hz,
            gain_list(config.gain_db, array.n),
            layout=config.layout,
            device_args=config.device_args,
            clock_source=config.clock_source,
            time_source=config.time_source,
            share_lo=config.share_lo,
            antennas=config.antennas or None,
            bandwidth=config.bandwidth_hz or 0.0,
            subdevices=config.subdevices,
            make_device=make_device,
        )
        block = self._source
        if config.realign is not None:
            block = self.calibration_source = _realigned_source(
                self._source, config.realign, array, config.sample_rate_hz
            )
        super().__init__(block, array.n, config.sample_rate_hz, config.frequency_hz)

    def retune(self, frequency_hz):
        self._source.set_frequency(frequency_hz)
        self._frequency = frequency_hz
        return False

    def set_gain(self, gain_db):
        self._source.set_gain_db(gain_list(gain_db, self.num_elements))
        return False

    def state(self):
        if self.calibration_source is None:
            return super().state()
        text = self.calibration_source.realigner.state()
        return ("running" if self.calibration_source.is_passing() else "waiting"), text

    def counters(self):
        counters = {f"usrp_{name}": count for name, count in self._source.counters().items()}
        if self.calibration_source is not None:
            for name, count in self.calibration_source.realigner.counters().items():
                counters[f"realigner_{name}"] = count
        return counters


class _realigned_source(gr.hier_block2):
    """A source and the phase_realigner behind it."""

    def __init__(self, source, config, array, sample_rate):
        gr.hier_block2.__init__(
            self,
            "realigned_source",
            gr.io_signature(0, 0, 0),
            gr.io_signature(array.n, array.n, gr.sizeof_gr_complex),
        )
        self.message_port_register_hier_out("calibration")
        self.realigner = phase_realigner(
            array.n,
            sample_rate,
            pilot=config.pilot,
            array=array if config.pilot == "emitter" else None,
            pilot_deg=config.pilot_deg,
            snapshots=config.snapshots,
            settle_s=config.settle_s,
            min_ratio_db=config.min_ratio_db,
        )
        self._source = source
        self._passed = 0
        for k in range(array.n):
            self.connect((source, k), (self.realigner, k), (self, k))
        self.msg_connect(self.realigner, "calibration", self, "calibration")

    def is_passing(self):
        """Whether samples came through since the last call."""
        before, self._passed = self._passed, self.realigner.counters()["passed"]
        return self._passed > before


class _told_stream(gr.sync_block):
    """Passes one stream on and puts rx_time, rx_rate and rx_freq on its first sample, and rx_freq
    where it was changed, for sources that tell nothing.

    Time is the clock's when the first samples came. A change is told with a gap of unknown length:
    samples that the device had on their way belong to the tuning before."""

    def __init__(self, sample_rate, frequency):
        gr.sync_block.__init__(self, "told_stream", [np.complex64], [np.complex64])
        self._source = pmt.intern("told_stream")
        self._rate = sample_rate
        self._frequency = frequency
        self._is_new = True

    def start(self):
        self._is_new = True
        return True

    def set_frequency(self, frequency):
        self._frequency = frequency
        self._is_new = True

    def work(self, input_items, output_items):
        output_items[0][:] = input_items[0]
        if self._is_new and len(input_items[0]):
            self._is_new = False
            item = self.nitems_written(0)
            if item:
                self._tag(item, "gap", pmt.from_uint64(0))
            fraction, whole = math.modf(time.time() - len(input_items[0]) / self._rate)
            self._tag(item, "rx_time", stream_time.to_pmt((int(whole), fraction)))
            self._tag(item, "rx_rate", pmt.from_double(self._rate))
            self._tag(item, "rx_freq", pmt.from_double(self._frequency))
        return len(output_items[0])

    def _tag(self, item, key, value):
        self.add_item_tag(0, item, pmt.intern(key), value, self._source)


class _told_source(gr.hier_block2):
    """The chosen channels of a source that has others too, the first of them with tags."""

    def __init__(self, source, num_outputs, channels, sample_rate, frequency):
        gr.hier_block2.__init__(
            self,
            "told_source",
            gr.io_signature(0, 0, 0),
            gr.io_signature(len(channels), len(channels), gr.sizeof_gr_complex),
        )
        self._source = source
        self._told = _told_stream(sample_rate, frequency)
        for k, channel in enumerate(channels):
            if k == 0:
                self.connect((source, channel), self._told, (self, 0))
            else:
                self.connect((source, channel), (self, k))
        self._unused = []
        for channel in set(range(num_outputs)) - set(channels):
            self._unused.append(blocks.null_sink(gr.sizeof_gr_complex))
            self.connect((source, channel), self._unused[-1])

    def set_frequency(self, frequency):
        self._told.set_frequency(frequency)


class _soapy(radio):
    kind = "soapy"

    def __init__(self, config, num_elements):
        from gnuradio import soapy

        channels = tuple(config.channels) or tuple(range(num_elements))
        if len(channels) != num_elements:
            raise ValueError(
                f"channels is {list(channels)}; there must be one for each of the {num_elements} "
                "elements"
            )
        self._channels = channels
        opened = max(channels) + 1
        device = ",".join(part for part in (f"driver={config.driver}", config.device_args) if part)
        self._device = soapy.source(device, "fc32", opened, "", "", [""] * opened, [""] * opened)
        gains = gain_list(config.gain_db, num_elements)
        for channel, gain in zip(channels, gains):
            self._device.set_sample_rate(channel, config.sample_rate_hz)
            if config.bandwidth_hz:
                self._device.set_bandwidth(channel, config.bandwidth_hz)
            if config.antenna:
                self._device.set_antenna(channel, config.antenna)
            self._device.set_frequency(channel, config.frequency_hz)
            self._device.set_gain(channel, gain)
        source = _told_source(
            self._device, opened, channels, config.sample_rate_hz, config.frequency_hz
        )
        super().__init__(source, num_elements, config.sample_rate_hz, config.frequency_hz)

    def retune(self, frequency_hz):
        for channel in self._channels:
            self._device.set_frequency(channel, frequency_hz)
        self.block.set_frequency(frequency_hz)
        self._frequency = frequency_hz
        return False

    def set_gain(self, gain_db):
        for channel, gain in zip(self._channels, gain_list(gain_db, self.num_elements)):
            self._device.set_gain(channel, gain)
        return False


class _file(radio):
    kind = "file"

    def __init__(self, config, num_elements):
        source = recording_source(
            config.path, repeat=config.repeat, real_time=config.throttle
        )
        if source.num_channels != num_elements:
            raise ValueError(
                f"path is {str(config.path)!r}; it holds {source.num_channels} channels, the array "
                f"has {num_elements} elements"
            )
        captures = source.recording.captures
        told = captures[0].rx_freq if captures else None
        super().__init__(source, num_elements, source.sample_rate, told or config.frequency_hz)
        self.has_end = not config.repeat
        self.num_samples = source.recording.num_samples


class _simulator(radio):
    """Sources keep their distance from the centre of the band: wherever it is tuned, they are
    there. With any offset all are tones, and two of one offset coherent; with none each is white
    noise of its own."""

    kind = "simulator"

    def __init__(self, config, array, start_number=0):
        gains = gain_list(config.gain_db, array.n)
        errors = calibration()
        if config.phase_errors:
            random = np.random.default_rng([config.seed, start_number])
            phases = random.uniform(0.0, 2.0 * np.pi, array.n)
            errors = calibration(gains=np.exp(1j * (phases - phases[0])))
        source = array_simulator(
            array,
            list(config.bearings_deg),
            snr_db=list(config.snr_db),
            sample_rate=config.sample_rate_hz,
            errors=errors,
            frequencies=list(config.offsets_hz),
            modulation="tone" if any(config.offsets_hz) else "noise",
            center_frequency=config.frequency_hz,
            start_time=time.time(),
            noise_power=10.0 ** (np.mean(gains) / 10.0),
            seed=(config.seed + start_number) % 2**31,
            throttle=True,
        )
        super().__init__(source, array.n, config.sample_rate_hz, config.frequency_hz)

    def retune(self, frequency_hz):
        return True

    def set_gain(self, gain_db):
        gain_list(gain_db, self.num_elements)
        return True


def make_radio(config, array, start_number=0):
    """The radio of a radio_config for an array (bearing.array): a class radio.

    start_number: how many were made before, for the simulator's random numbers.
    Raises ValueError naming what does not fit; whatever else a device raises that is not there.
    """
    if config.kind == "simulator":
        return _simulator(config, array, start_number)
    if config.kind == "usrp":
        return _usrp(config, array)
    radios = {"kraken": _kraken, "soapy": _soapy, "file": _file}
    return radios[config.kind](config, array.n)


def check_frequency(frequency_hz):
    """The frequency as a float; ValueError unless a radio may have it."""
    if not is_number(frequency_hz) or not 0 < frequency_hz <= _HIGHEST_FREQUENCY:
        raise ValueError(
            f"frequency_hz is {frequency_hz!r}; it must be a number above 0 and at most "
            f"{_HIGHEST_FREQUENCY:g} Hz"
        )
    return float(frequency_hz)


def gain_list(gain_db, num_elements, kind=""):
    """One gain for each element of one number or of as many; ValueError for anything else, and for
    what no radio of the kind has."""
    least, most = _KRAKEN_GAINS if kind == "kraken" else (-_LARGEST_GAIN, _LARGEST_GAIN)
    gains = [gain_db] * num_elements if is_number(gain_db) else gain_db
    if (
        isinstance(gains, (list, tuple))
        and len(gains) == num_elements
        and all(is_number(gain) and least <= gain <= most for gain in gains)
    ):
        return [float(gain) for gain in gains]
    raise ValueError(
        f"gain_db is {gain_db!r:.80}; it must be a number from {least:g} to {most:g} dB, or "
        f"{num_elements} of them"
    )
