#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

import math
import time
from unittest import mock

import numpy as np
import pmt
from gnuradio import bearing, blocks, gr, gr_unittest, uhd
from gnuradio.bearing.hier import simulated_usrp
from gnuradio.bearing.hier import usrp_source as module
from gnuradio.bearing.hier.simulated_usrp import _simulated_usrp, simulated_usrps
from gnuradio.bearing.hier.usrp_layouts import LAYOUTS
from support import PATIENCE, wait_for

RATE = 2e4
FREQUENCY = 433e6
ARRAY = bearing.array.custom([[0, 0], [0.4, 0], [0, 0.4], [0.4, 0.4]])


def sinks_have(sinks, count):
    """Each of them has a thread of its own."""
    return all(len(sink.data()) >= count for sink in sinks)


def make(network, num_elements=4, **options):
    options = {"tune_lead_s": 0.2, "make_device": network.make_device, **options}
    return bearing.usrp_source(num_elements, RATE, FREQUENCY, 30.0, **options)


def b210_pair(**options):
    network = simulated_usrps(ARRAY, [72.0], phases="board", channels_per_board=2, **options)
    source = make(network, layout="b210", device_args=["serial=A", "serial=B"])
    return network, source


# Samples stand still for as long as this test may need from a look at the clock to a command. After
# a look that none follows, held_until ends it.
@mock.patch.object(simulated_usrp, "_LONGEST_HOLD_S", PATIENCE)
class qa_usrp_source(gr_unittest.TestCase):
    def run_source(self, source, action=lambda sinks: None, count=4000):
        """Sinks of a source that ran until each had so many samples, and action was done."""
        sinks = [blocks.vector_sink_c() for _ in range(4)]
        tb = gr.top_block()
        for k, sink in enumerate(sinks):
            tb.connect((source, k), sink)
        tb.start()
        try:
            self.assertTrue(wait_for(lambda: sinks_have(sinks, count)))
            action(sinks)
        finally:
            tb.stop()
            tb.wait()
        return sinks

    @staticmethod
    def tags(sink, key):
        found = [(t.offset, pmt.to_python(t.value)) for t in sink.tags() if str(t.key) == key]
        return sorted(found, key=lambda entry: entry[0])

    def wait_for_gaps(self, sinks, count, samples=0):
        """Until so many are in each sink, and then so many samples more."""
        self.assertTrue(
            wait_for(lambda: all(len(self.tags(sink, "gap")) >= count for sink in sinks))
        )
        most = max(len(sink.data()) for sink in sinks)
        self.assertTrue(wait_for(lambda: sinks_have(sinks, most + samples)))

    def names(self, network, device=0):
        """Methods that were called, repeated ones once."""
        names = [name for number, name, _, _ in network.calls if number == device]
        return [name for k, name in enumerate(names) if names[k - 1 : k] != [name]]

    def arguments(self, network, method, device=0):
        wanted = (device, method)
        return [args for number, name, args, _ in network.calls if (number, name) == wanted]

    def test_steps_come_in_the_order_that_radios_need(self):
        network = simulated_usrps(ARRAY, [72.0])
        source = make(network, bandwidth=8e3)
        wanted = [
            "set_clock_source", "set_time_source", "set_time_unknown_pps", "set_subdev_spec",
            "set_samp_rate", "set_lo_export_enabled", "set_lo_source", "set_gain", "set_antenna",
            "set_bandwidth", "set_command_time", "set_center_freq", "clear_command_time",
        ]  # fmt: skip
        self.assertEqual(self.names(network), wanted)
        self.run_source(source)
        self.assertEqual(self.names(network), wanted + ["issue_stream_cmd"])
        tunes = [call for call in network.calls if call[1] == "set_center_freq"]
        self.assertEqual([args for _, _, args, _ in tunes], [(FREQUENCY, k) for k in range(4)])
        self.assertEqual(len({at for _, _, _, at in tunes}), 1)
        self.assertIsNotNone(tunes[0][3])
        # The time of the host, to the second of a pulse.
        ((seconds,),) = self.arguments(network, "set_time_unknown_pps")
        self.assertEqual(seconds % 1.0, 0.0)
        self.assertLess(abs(seconds - time.time()), 60.0)

    def test_layouts_name_channels_and_oscillators(self):
        cases = {
            "x310_twinrx": (4, ["A:0 A:1 B:0 B:1"], ["RX1", "RX2", "RX1", "RX2"],
                            ["internal", "companion", "external", "external"]),
            "n321": (2, ["A:0 B:0", "A:0 B:0"], ["RX2"] * 4,
                     ["internal", "external", "external", "external"]),
            "x440": (8, ["A:0 A:1 A:2 A:3"], [], []),
        }  # fmt: skip
        for layout, (per_board, specs, antennas, sources) in cases.items():
            with self.subTest(layout):
                network = simulated_usrps(ARRAY, [72.0], channels_per_board=per_board)
                make(network, layout=layout, device_args="addr0=a,addr1=b")
                found = self.arguments(network, "set_subdev_spec")
                self.assertEqual(found, [(spec, k) for k, spec in enumerate(specs)])
                found = self.arguments(network, "set_antenna")
                self.assertEqual(found, [(name, k) for k, name in enumerate(antennas)])
                name = LAYOUTS[layout].lo_name
                found = self.arguments(network, "set_lo_source")
                self.assertEqual(found, [(s, name, k) for k, s in enumerate(sources)])
                found = self.arguments(network, "set_lo_export_enabled")
                self.assertEqual(found, [(True, name, 0)] if sources else [])
                kind = "internal" if len(specs) == 1 else "external"
                found = self.arguments(network, "set_clock_source")
                self.assertEqual(found, [(kind, k) for k in range(len(specs))])
                self.assertEqual(self.arguments(network, "set_time_source"), found)

    def test_oscillators_are_not_shared_unless_it_is_asked_for(self):
        network = simulated_usrps(ARRAY, [72.0])
        make(network, share_lo=False)
        self.assertEqual(self.arguments(network, "set_lo_source"), [])

    def test_a_custom_layout_is_what_the_user_says(self):
        network = simulated_usrps(ARRAY, [72.0])
        make(
            network,
            layout="custom",
            subdevices="A:0 A:AB B:0 B:AB",
            clock_source="mimo",
            time_source="sfp0",
            antennas=["J1", "J2", "J1", "J2"],
        )
        self.assertEqual(self.arguments(network, "set_subdev_spec"), [("A:0 A:AB B:0 B:AB", 0)])
        self.assertEqual(self.arguments(network, "set_clock_source"), [("mimo", 0)])
        self.assertEqual(self.arguments(network, "set_time_source"), [("sfp0", 0)])
        self.assertEqual(len(self.arguments(network, "set_antenna")), 4)

    def test_channels_start_together_with_tags_that_say_when(self):
        network = simulated_usrps(ARRAY, [72.0], phases="fixed")
        source = make(network)
        before = source.time_now()
        sinks = self.run_source(source)
        times = [self.tags(sink, "rx_time") for sink in sinks]
        self.assertEqual(len(set(map(str, times))), 1)
        ((item, (seconds, fraction)),) = times[0]
        self.assertEqual(item, 0)
        self.assertTrue(0.0 < (seconds - before[0]) + (fraction - before[1]) < 5.0)
        for sink in sinks:
            self.assertEqual(self.tags(sink, "rx_freq"), [(0, FREQUENCY)])
            self.assertEqual(self.tags(sink, "rx_rate"), [(0, RATE)])
            self.assertEqual(self.tags(sink, "gap"), [])
        counters = source.counters()
        self.assertEqual((counters["starts"], counters["retunes"]), (1, 0))

    def test_two_b210_hear_one_signal_at_one_time(self):
        network, source = b210_pair()
        self.assertEqual(len(network.devices), 2)
        pulses = [self.arguments(network, "set_time_next_pps", device) for device in (0, 1)]
        self.assertEqual(len(pulses[0]), 1)
        self.assertEqual(pulses[0], pulses[1])
        sinks = self.run_source(source, count=8000)
        starts = [self.arguments(network, "issue_stream_cmd", device) for device in (0, 1)]
        self.assertEqual(len(starts[0]), 1)
        self.assertEqual(starts[0], starts[1])
        size = min(len(sink.data()) for sink in sinks)
        x = np.array([sink.data()[:size] for sink in sinks])
        # A signal of 20 dB: 0.99 of what channels hear is the same. One sample off, nothing is.
        for k in range(1, 4):
            alike = abs(np.vdot(x[0], x[k])) / np.linalg.norm(x[0]) / np.linalg.norm(x[k])
            self.assertGreater(alike, 0.97)

    def test_two_b210_stay_together_when_one_loses_samples(self):
        network, source = b210_pair()

        def lose(sinks):
            for device in (1, 0):
                closed = source.counters()["closed"]
                gaps = max(len(self.tags(sink, "gap")) for sink in sinks)
                network.lose(device, 333)
                self.assertTrue(wait_for(lambda: source.counters()["closed"] > closed))
                self.wait_for_gaps(sinks, gaps + 1, 5000)

        sinks = self.run_source(source, lose)
        size = min(len(sink.data()) for sink in sinks)
        x = np.array([sink.data()[:size] for sink in sinks])
        gaps = self.tags(sinks[0], "gap")
        self.assertGreaterEqual(len(gaps), 2)
        edges = [0] + [item for item, _ in gaps] + [size]
        for first, last in zip(edges, edges[1:]):
            part = x[:, first:last]
            for k in range(1, 4):
                alike = abs(np.vdot(part[0], part[k]))
                alike /= np.linalg.norm(part[0]) * np.linalg.norm(part[k])
                # Of 100 samples that have nothing in common, a tenth is alike by chance.
                self.assertTrue(alike > 0.95 or last - first < 100, (first, last, alike))

    def test_a_retune_leaves_no_sample_of_the_frequency_before(self):
        # Lead and settling.
        network, source = self.check_retune(0.21)
        commands = [call for call in network.calls if call[1] == "set_center_freq"][4:]
        self.assertEqual(len(commands), 4)
        self.assertEqual(len({at for _, _, _, at in commands}), 1)

    def test_a_retune_by_the_host_leaves_no_sample_of_other_frequencies(self):
        # Channels are tuned one after the other, in half a second.
        self.check_retune(
            0.52,
            dict(tunes_at_once=True, tune_call_s=0.125, channels_per_board=2),
            layout="b210",
            device_args=["serial=A", "serial=B"],
        )

    def test_calls_that_take_longer_than_the_lead_leave_no_sample_of_other_frequencies(self):
        # Four of them, and settling.
        self.check_retune(0.62, dict(tune_call_s=0.15))

    def check_retune(self, least_s, radios={}, **options):
        """At least so much is left out."""
        # In metres: the phases between elements tell the frequency that samples are of.
        wavelength = 299792458.0 / FREQUENCY
        array = bearing.array.ula(4, 0.4 * wavelength, wavelength=wavelength)
        network = simulated_usrps(array, [60.0], snr_db=40.0, phases="fixed", **radios)
        source = make(network, **options)
        retuned = 1.5 * FREQUENCY

        def retune(sinks):
            source.set_frequency(retuned)
            self.wait_for_gaps(sinks, 1, 4000)

        sinks = self.run_source(source, retune)
        size = min(len(sink.data()) for sink in sinks)
        x = np.array([sink.data()[:size] for sink in sinks])
        ((item, missing),) = self.tags(sinks[0], "gap")
        self.assertEqual([f for _, f in self.tags(sinks[0], "rx_freq")], [FREQUENCY, retuned])
        self.assertEqual(self.tags(sinks[0], "rx_freq")[1][0], item)
        self.assertGreaterEqual(missing, RATE * least_s)
        # Fixed phases are those of each frequency: known from the stand-in, by its seed.
        for part, frequency in ((x[:, :item], FREQUENCY), (x[:, item:], retuned)):
            gains = network.new_phases(None, slice(0, 4), frequency)
            ideal = bearing.array.ula(4, 0.4 * wavelength, wavelength=299792458.0 / frequency)
            wanted = gains * ideal.steering(np.array([60.0]))[:, 0]
            for k in range(1, 4):
                ratio = part[k] / part[0] / (wanted[k] / wanted[0])
                # At 40 dB a hundredth of noise: most samples are within a tenth.
                self.assertGreater(np.mean(np.abs(ratio - 1.0) < 0.2), 0.95)
                # None of the edges is of the other frequency, which is half a turn off.
                for edge in (ratio[:20], ratio[-20:]):
                    self.assertLess(np.median(np.abs(edge - 1.0)), 0.2)
        self.assertEqual(source.counters()["retunes"], 1)
        self.assertEqual(source.frequency(), retuned)
        return network, source

    def test_a_retune_that_fails_halfway_lets_nothing_pass_until_one_succeeds(self):
        network = simulated_usrps(ARRAY, [72.0])
        source = make(network)
        device = network.devices[0]
        tune = device.set_center_freq

        def fails_at_channel_2(request, channel):
            if channel == 2:
                raise RuntimeError("no answer")
            return tune(request, channel)

        def retune(sinks):
            with mock.patch.object(device, "set_center_freq", fails_at_channel_2):
                with self.assertRaisesRegex(RuntimeError, "no answer"):
                    source.set_frequency(2 * FREQUENCY)
            self.assertEqual(source.frequency(), FREQUENCY)
            # A change of gain does not open it either.
            held_back = source.counters()["held_back"]
            source.set_gain_db(20.0)
            network.held_until = 0.0
            self.assertTrue(wait_for(lambda: source.counters()["held_back"] > held_back + 20000))
            passed = source.counters()["passed"]
            self.assertTrue(wait_for(lambda: source.counters()["held_back"] > held_back + 40000))
            self.assertEqual(source.counters()["passed"], passed)
            source.set_frequency(2 * FREQUENCY)
            self.assertTrue(wait_for(lambda: source.counters()["passed"] > passed + 2000))
            self.assertTrue(wait_for(lambda: sinks_have(sinks, passed + 1)))

        sinks = self.run_source(source, retune)
        for sink in sinks:
            self.assertEqual(
                [f for _, f in self.tags(sink, "rx_freq")], [FREQUENCY, 2 * FREQUENCY]
            )
        self.assertEqual(source.frequency(), 2 * FREQUENCY)

    def test_a_change_of_gain_while_it_runs_is_a_gap(self):
        network = simulated_usrps(ARRAY, [72.0])
        source = make(network)

        def change(sinks):
            source.set_gain_db(20.0)
            network.held_until = 0.0
            self.wait_for_gaps(sinks, 1)

        sinks = self.run_source(source, change)
        for sink in sinks:
            ((_, missing),) = self.tags(sink, "gap")
            # Amplifiers settle.
            self.assertGreaterEqual(missing, 0.004 * RATE)
        self.assertEqual(source.counters()["retunes"], 0)

    def test_gains_reach_their_channels(self):
        network, source = b210_pair()
        source.set_gain_db([1.0, 2.0, 3.0, 4.0])
        self.assertEqual(self.arguments(network, "set_gain")[-2:], [(1.0, 0), (2.0, 1)])
        self.assertEqual(self.arguments(network, "set_gain", 1)[-2:], [(3.0, 0), (4.0, 1)])
        with self.assertRaisesRegex(ValueError, "^gain_db is "):
            source.set_gain_db([1.0])
        with self.assertRaisesRegex(ValueError, "^frequency is "):
            source.set_frequency(0.0)

    def test_a_radio_that_is_not_as_it_should_be_is_named(self):
        class other_radios(simulated_usrps):
            def make_device(self, device_args, stream_args):
                device = super().make_device(device_args, stream_args)
                for name, value in self.faults.items():
                    setattr(device, name, value)
                return device

        class never:
            def to_bool(self):
                return False

        lock, pulse = "_LOCK_TIMEOUT_S", "_PULSE_TIMEOUT_S"
        # Waiting is cut short only where it is in vain; oscillators lock after some looks.
        cases = (
            ({"get_mboard_sensor": lambda name, board: never()}, "board 0: ref_locked", lock, 0.1),
            ({"get_sensor": lambda name, channel: never()}, "channel 0: lo_locked", lock, 2.0),
            ({"get_samp_rate": lambda: 25e3}, "nearest that the radio has is 25000 Hz", lock, 20.0),
            ({"get_num_mboards": lambda: 0}, "1 boards are needed", lock, 20.0),
            ({"get_time_last_pps": lambda board: uhd.time_spec(5.0)}, "no pulse for", pulse, 0.1),
        )
        for faults, words, timeout, seconds in cases:
            with self.subTest(words), mock.patch.object(module, timeout, seconds):
                network = other_radios(ARRAY, [72.0])
                network.faults = faults
                with self.assertRaisesRegex(RuntimeError, words):
                    make(network)

    def test_boards_that_missed_the_pulse_are_named(self):
        network = simulated_usrps(ARRAY, [72.0], channels_per_board=2)
        make_device = network.make_device

        def deaf(device_args, stream_args):
            device = make_device(device_args, stream_args)
            set_at_pulse = device._set_at_pulse

            def without_second(time_spec):
                set_at_pulse(time_spec)
                device._pending[1] = None

            device._set_at_pulse = without_second
            return device

        network.make_device = deaf
        with self.assertRaisesRegex(RuntimeError, "boards disagree .* board 1: "):
            make(network, layout="n321", device_args="addr0=a,addr1=b")

    def test_the_stand_in_has_methods_of_the_real_one_only(self):
        own = {name for name in vars(_simulated_usrp) if not name.startswith("_")}
        own -= {"time_at", "work"}
        self.assertGreater(len(own), 20)
        for name in own:
            self.assertTrue(hasattr(uhd.usrp_source, name), name)

    def test_the_stand_in_refuses_what_radios_do_wrong_with(self):
        network = simulated_usrps(ARRAY, [72.0])
        device = network.make_device("", {"channels": range(4)})
        device.set_samp_rate(RATE)
        command = uhd.stream_cmd(uhd.stream_mode.STREAM_MODE_START_CONTINUOUS)
        command.stream_now = False
        command.time_spec = uhd.time_spec(1e9)
        cases = (
            (lambda: device.set_center_freq(1e9, 0), "without a command time"),
            (lambda: device.set_command_time(uhd.time_spec(0.0)), "is over"),
            (lambda: device.set_gain(1.0, 4), "no channel 4"),
            (lambda: device.set_subdev_spec("A:0", 1), "no board 1"),
            (lambda: device.issue_stream_cmd(command), "no streamer"),
            (lambda: device.start() and device.issue_stream_cmd(command), "the same time"),
            (lambda: device.set_time_unknown_pps(uhd.time_spec(0.0)), "no time source"),
        )
        for call, words in cases:
            with self.assertRaisesRegex(RuntimeError, words):
                call()

    def test_wrong_parameters_are_named(self):
        network = simulated_usrps(ARRAY, [72.0])
        good = dict(
            num_elements=4,
            sample_rate=RATE,
            frequency=FREQUENCY,
            gain_db=30.0,
            make_device=network.make_device,
        )
        for name, values in (
            ("num_elements", (1, 65, 4.0, 33)),
            ("sample_rate", (0, -1.0, math.inf, None)),
            ("frequency", (0, -1.0, math.nan, "433M")),
            ("gain_db", ([1.0] * 3, None, "30")),
            ("layout", ("x310", None)),
            ("device_args", (None, ["a", "b"], [1])),
            ("clock_source", ("", "mimo", None)),
            ("time_source", ("qsfp0", 1)),
            ("antennas", (["RX1"], ["RX1", "RX2", "RX3", "RX1"], "RX1")),
            ("bandwidth", (-1, None)),
            ("subdevices", ("A:0",)),
            ("tune_lead_s", (0, 11, None)),
            ("make_device", ("uhd",)),
        ):
            for value in values:
                with self.subTest(**{name: value}):
                    with self.assertRaisesRegex(ValueError, "^" + name + " is "):
                        bearing.usrp_source(**{**good, name: value})
        for options, words in (
            (dict(layout="custom"), "^subdevices is ''; for a custom layout"),
            (dict(layout="b210"), "^device_args is '';.* 2 strings"),
            (dict(layout="b210", device_args=["", ""]), "^device_args .* must differ"),
            (dict(layout="n321", clock_source="internal"), "^clock_source .* common"),
        ):
            with self.assertRaisesRegex(ValueError, words):
                bearing.usrp_source(**{**good, **options})
        # Nothing was asked of a radio.
        self.assertEqual(network.devices, [])


if __name__ == "__main__":
    gr_unittest.main()
