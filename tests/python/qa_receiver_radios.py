#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver's radios: what stands in for a Kraken, for USRPs, and recordings."""

import contextlib
import dataclasses
import gc
import pathlib
import tempfile
import threading
import unittest
import weakref
from unittest import mock

import numpy as np
import pmt
from gnuradio import blocks, gr
from receiver_parts import difference_deg, held_source, listener, writers
from support import OWN_ADDRESS, PATIENCE, wait_for

from gnuradio import bearing
from gnuradio.bearing.hier.simulated_usrp import simulated_usrps
from gnuradio.bearing.receiver import flowgraph_watch, radios
from gnuradio.bearing.receiver.block_threads import block_threads
from gnuradio.bearing.receiver.config_types import (
    array_config,
    channel_config,
    estimator_config,
    file_config,
    kraken_config,
    realign_config,
    receiver_config,
    simulator_config,
    soapy_config,
    station_config,
    usrp_config,
)
from gnuradio.bearing.receiver.flowgraph_end import ends_within
from gnuradio.bearing.receiver.receiver import receiver
from gnuradio.bearing.receiver.taps import message_source, message_tap
from gnuradio.bearing.tools.kraken_simulator import kraken_simulator

FREQUENCY = 433.92e6
CIRCLE = array_config("uca", 5, 0.25)
BAND = channel_config("band", num_sources=1)


def configuration(radio, **changes):
    values = {
        "station": station_config("here", heading_deg=0.0),
        "radio": radio,
        "array": CIRCLE,
        "channels": (BAND,),
        "estimator": estimator_config(interval_s=0.05, spectrum_points=128),
    }
    return receiver_config(**{**values, **changes})


class receiver_case(unittest.TestCase):
    @contextlib.contextmanager
    def running(self, config, make_radio=radios.make_radio):
        one = receiver(config, make_radio, writers())
        self.listener = listener(one)
        one.start()
        try:
            yield one
        finally:
            one.stop()

    def wait_for_bearings(self, channel="band", count=3):
        """New ones."""
        heard = len(self.listener.bearings(channel))
        self.assertTrue(wait_for(lambda: len(self.listener.bearings(channel)) >= heard + count))
        return self.listener.bearings(channel)[-count:]


class qa_kraken(receiver_case):
    def server(self, protocol="v2", **options):
        server = kraken_simulator(protocol, [200.0], sample_rate=120e3, num_samples=4096, **options)
        server.start()
        self.addCleanup(server.stop)
        return server

    def radio(self, server, **changes):
        values = {
            "frequency_hz": FREQUENCY,
            "sample_rate_hz": 120e3,
            "protocol": server.protocol,
            "host": server.host,
            "data_port": server.data_port,
            "control_port": server.control_port,
            "timeout_s": 30.0,
        }
        return kraken_config("kraken", **{**values, **changes})

    def test_bearings_retunes_and_gains(self):
        for protocol in ("v1", "v2"):
            server = self.server(protocol)
            with self.subTest(protocol=protocol), self.running(
                configuration(self.radio(server))
            ) as one:
                for payload in self.wait_for_bearings():
                    # 4096 x 4 samples are repeated at 20 dB: a deviation below 0.02 degrees.
                    self.assertLess(difference_deg(payload["angles_deg"][0], 200.0), 0.5)
                one.command("retune", frequency_hz=440e6)
                one.command("set_gain", gain_db=[20.7, 20.7, 20.7, 20.7, 20.7])
                self.assertTrue(
                    wait_for(lambda: self.wait_for_bearings()[-1]["frequency_hz"] == 440e6)
                )
                self.assertTrue(wait_for(lambda: server.gains_db[0] == 20.7))
                self.assertEqual(server.frequency, 440e6)
                self.assertTrue(
                    wait_for(lambda: one.snapshot()["radio"]["frequency_hz"] == 440e6)
                )
                # A v2 server tells its rate late, and the flowgraph is made anew for it.
                self.assertTrue(wait_for(lambda: one.snapshot()["radio"]["state"] == "running"))
                snapshot = one.snapshot()["radio"]
                self.assertEqual(snapshot["gain_db"], [20.7] * 5)
                self.assertGreater(snapshot["counters"]["frames_delivered"], 0)
                with self.assertRaisesRegex(ValueError, "gain_db"):
                    one.command("set_gain", gain_db=-5.0)

    def test_filters_are_made_for_the_rate_that_samples_have(self):
        server = self.server("v1")
        channel = channel_config("narrow", 10e3, 10e3, 1)
        config = configuration(
            self.radio(server, sample_rate_hz=240e3), channels=(channel,)
        )
        with self.running(config) as one:
            self.assertTrue(
                wait_for(lambda: getattr(one._graph, "sample_rate", None) == 120e3)
            )
            # interval_s at the rate of the channel, a ninth of 120 kHz. Some of the flowgraph
            # before may be on their way.
            snapshots = round(0.05 * 120e3 / 9)
            last = lambda: self.wait_for_bearings("narrow")[-1]
            self.assertTrue(wait_for(lambda: last()["snapshots"] == snapshots))
            payload = last()
            self.assertEqual(payload["snapshots"], snapshots)
            self.assertLess(difference_deg(payload["angles_deg"][0], 200.0), 1.0)

    def test_a_lost_server_is_the_sources_own_matter(self):
        server = self.server("v1", host=OWN_ADDRESS)
        with self.running(configuration(self.radio(server))) as one:
            self.wait_for_bearings()
            server.stop()
            self.assertTrue(wait_for(lambda: one.snapshot()["radio"]["state"] == "waiting"))
            self.assertTrue(one.is_healthy())
            self.assertIn(str(server.data_port), one.snapshot()["radio"]["detail"])
            server.start()
            self.wait_for_bearings()
            self.assertEqual(one.snapshot()["radio"]["state"], "running")
            self.assertEqual(one.snapshot()["radio"]["counters"]["rebuilds"], 0)


class qa_usrp(receiver_case):
    def test_realigned_channels_have_the_right_bearing(self):
        # A strong pilot that is always there, and a signal.
        truth = bearing.array.uca(4, 0.25, 299792458.0 / 868e6)
        network = simulated_usrps(
            truth,
            [72.0],
            snr_db=10.0,
            pilot="emitter",
            pilot_deg=190.0,
            pilot_snr_db=25.0,
            throttle=True,
        )
        network.switch_pilot(True)
        radio = usrp_config(
            "usrp",
            868e6,
            sample_rate_hz=100e3,
            layout="x310_twinrx",
            realign=realign_config("emitter", 190.0, snapshots=4096, settle_s=0.02),
        )
        config = configuration(
            radio,
            array=array_config("uca", 4, 0.25),
            channels=(dataclasses.replace(BAND, num_sources=2),),
        )

        def make_radio(radio_config, array, start_number=0):
            return radios._usrp(radio_config, array, network.make_device)

        with self.running(config, make_radio) as one:
            for frequency in (868e6, 869e6):
                payload = self.wait_for_bearings()[-1]
                self.assertEqual(payload["frequency_hz"], frequency)
                pilot, signal = payload["angles_deg"]
                # 5000 snapshots and 4096 of the pilot: a few hundredths of a degree.
                self.assertLess(difference_deg(pilot, 190.0), 1.0)
                self.assertLess(difference_deg(signal, 72.0), 1.5)
                one.command("retune", frequency_hz=869e6)
                self.assertTrue(
                    wait_for(lambda: self.wait_for_bearings()[-1]["frequency_hz"] == 869e6)
                )
            counters = one.snapshot()["radio"]["counters"]
            self.assertGreaterEqual(counters["realigner_aligned"], 2)
            self.assertEqual(counters["rebuilds"], 0)

    def test_one_that_is_not_there_is_waited_for(self):
        def make_radio(radio_config, array, start_number=0):
            def make_device(*_):
                raise RuntimeError("LookupError: KeyError: No devices found")

            return radios._usrp(radio_config, array, make_device)

        radio = usrp_config(
            "usrp", 868e6, sample_rate_hz=1e6, layout="b210", device_args=("a", "b")
        )
        config = configuration(radio, array=array_config("uca", 4, 0.25))
        with self.running(config, make_radio) as one:
            snapshot = one.snapshot()["radio"]
            self.assertEqual(snapshot["state"], "failed")
            self.assertIn("No devices found", snapshot["detail"])
            self.assertTrue(one.is_healthy())


class qa_soapy(receiver_case):
    def test_one_that_is_not_there_is_waited_for(self):
        radio = soapy_config("soapy", 868e6, 1e6, driver="nosuchdriver")
        with self.running(configuration(radio)) as one:
            self.assertEqual(one.snapshot()["radio"]["state"], "failed")
            self.assertTrue(one.is_healthy())

    def test_channels_must_be_as_many_as_elements(self):
        radio = soapy_config("soapy", 868e6, 1e6, driver="nosuchdriver", channels=(0, 1))
        with self.assertRaisesRegex(ValueError, "^channels is"):
            radios.make_radio(radio, CIRCLE.make(868e6))

    def test_streams_that_tell_nothing_get_tags(self):
        source = blocks.vector_source_c(list(range(20000)))
        others = [blocks.vector_source_c([k] * 20000) for k in (1, 2)]

        class device(gr.hier_block2):
            def __init__(self):
                gr.hier_block2.__init__(
                    self, "device", gr.io_signature(0, 0, 0), gr.io_signature(3, 3, 8)
                )
                for k, block in enumerate([others[0], source, others[1]]):
                    self.connect(block, (self, k))

        told = radios._told_source(device(), 3, (1, 2), 1e6, 868e6)
        sinks = [blocks.vector_sink_c() for _ in range(2)]
        flowgraph = gr.top_block()
        for k, sink in enumerate(sinks):
            flowgraph.connect((told, k), sink)
        flowgraph.run()
        np.testing.assert_array_equal(sinks[0].data(), np.arange(20000))
        np.testing.assert_array_equal(sinks[1].data(), np.full(20000, 2))
        tags = {pmt.symbol_to_string(t.key): (t.offset, t.value) for t in sinks[0].tags()}
        self.assertEqual(set(tags), {"rx_time", "rx_rate", "rx_freq"})
        self.assertEqual({offset for offset, _ in tags.values()}, {0})
        self.assertEqual(pmt.to_double(tags["rx_freq"][1]), 868e6)


class qa_file(receiver_case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="qa_receiver_radios_")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name) / "circle.sigmf-meta"
        array = CIRCLE.make(FREQUENCY)
        flowgraph = gr.top_block()
        source = bearing.array_simulator(
            array, [130.0], [10.0], 100e3, center_frequency=FREQUENCY, start_time=1.7e9
        )
        sink = bearing.recording_sink(cls.path, 5, 100e3, array=array)
        for k in range(5):
            flowgraph.connect((source, k), blocks.head(8, 100000), (sink, k))
        flowgraph.run()

    def test_a_recording_ends(self):
        radio = file_config("file", path=self.path, throttle=False)
        config = configuration(radio, array=None)
        with self.running(config) as one:
            self.assertTrue(wait_for(lambda: one.snapshot()["radio"]["state"] == "ended"))
            # A second of samples, all of them used: none dropped.
            self.assertTrue(wait_for(lambda: len(self.listener.bearings("band")) == 20))
            self.assertTrue(one.is_healthy())
            self.assertEqual(one.snapshot()["radio"]["counters"]["rebuilds"], 0)
            with self.assertRaisesRegex(ValueError, "file"):
                one.command("retune", frequency_hz=440e6)
        for payload in self.listener.bearings("band"):
            self.assertLess(difference_deg(payload["angles_deg"][0], 130.0), 1.0)
            self.assertEqual(payload["frequency_hz"], FREQUENCY)

    def test_a_block_that_fails_is_no_end_of_a_short_recording(self):
        radio = file_config("file", path=self.path, throttle=True)
        narrow = channel_config("narrow", 10e3, 5e3, 1)

        def make_radio(*arguments):
            made = radios.make_radio(*arguments)
            made.block = held_source(made.block, made.num_elements, 20000)
            self.addCleanup(made.block.let_go)
            return made

        config = configuration(radio, array=None, channels=(BAND, narrow))
        with self.running(config, make_radio) as one:
            self.wait_for_bearings(count=1)
            self.assertFalse(one._graph.has_read_all())
            one._graph.radio.block.let_go()
            # Nor is what a filter keeps at the end taken for samples that are missing.
            self.assertTrue(wait_for(lambda: one.snapshot()["radio"]["state"] == "ended"))
            self.assertTrue(one._graph.has_read_all())
            self.assertEqual(one.snapshot()["radio"]["counters"]["rebuilds"], 0)

    def test_a_recording_is_played_again(self):
        radio = file_config("file", path=self.path, throttle=False, repeat=True)
        with self.running(configuration(radio)) as one:
            self.assertTrue(wait_for(lambda: len(self.listener.bearings("band")) > 50))
            self.assertEqual(one.snapshot()["radio"]["state"], "running")

    def test_another_number_of_channels_is_refused(self):
        radio = file_config("file", path=self.path)
        with self.assertRaisesRegex(ValueError, "5 channels"):
            receiver(
                configuration(radio, array=array_config("uca", 4, 0.25)), make_writer=writers()
            ).start()


class qa_simulator(receiver_case):
    def test_phase_errors_are_others_at_each_start(self):
        config = simulator_config("simulator", FREQUENCY, phase_errors=True)
        array = CIRCLE.make(FREQUENCY)
        first = radios.make_radio(config, array, 0)
        self.assertEqual(first.num_elements, 5)
        self.assertTrue(first.retune(440e6))
        radio = dataclasses.replace(config, bearings_deg=(72.0,), sample_rate_hz=60e3)
        with self.running(configuration(radio)) as one:
            angles = []
            for frequency in (440e6, 441e6, 442e6):
                angles.append(self.wait_for_bearings()[-1]["angles_deg"][0])
                one.command("retune", frequency_hz=frequency)
                self.assertTrue(
                    wait_for(lambda: self.wait_for_bearings()[-1]["frequency_hz"] == frequency)
                )
        # Three random sets of phases, and not one that is right.
        self.assertGreater(len({round(angle) for angle in angles}), 1)

    def test_frequencies_and_gains_are_checked(self):
        for value in (0.0, -1.0, float("nan"), float("inf"), "1e8", None, True, 2e12):
            with self.assertRaisesRegex(ValueError, "^frequency_hz is"):
                radios.check_frequency(value)
        self.assertEqual(radios.gain_list(3, 2), [3.0, 3.0])
        self.assertEqual(radios.gain_list([3, 4.5], 2), [3.0, 4.5])
        for value in ([1.0], [1.0, 2.0, 3.0], "3", None, [1.0, None], 1e6, [0.0, -1e6]):
            with self.assertRaisesRegex(ValueError, "^gain_db is"):
                radios.gain_list(value, 2)
        for value in (-1.0, [28.0, 50.0]):
            with self.assertRaisesRegex(ValueError, "from 0 to 49.6 dB"):
                radios.gain_list(value, 2, "kraken")


class qa_flowgraph_watch(unittest.TestCase):
    """With a flowgraph and a clock of the test's own."""

    def setUp(self):
        self.missing, self.read, self.taken, self.counts = [], False, 0, {}
        self.now = 0.0
        clock = mock.patch.object(flowgraph_watch.time, "monotonic", lambda: self.now)
        clock.start()
        self.addCleanup(clock.stop)

    def watch(self, recovers=False, state="running", has_end=False):
        radio = mock.Mock(recovers=recovers, has_end=has_end)
        radio.state.return_value = (state, "")
        radio.sample_rate.return_value = 1e6
        chain = mock.Mock()
        chain.counters.side_effect = lambda: {"passed": 0, "messages": 0, **self.counts}
        graph = mock.Mock(radio=radio, channels=[chain], sample_rate=1e6)
        graph.missing_threads.side_effect = lambda: self.missing
        graph.has_read_all.side_effect = lambda: self.read
        graph.samples.side_effect = lambda: self.taken
        return flowgraph_watch.flowgraph_watch(graph, 0.1)

    def test_samples_that_stop_are_a_fault_after_a_while(self):
        watch = self.watch()
        for self.now in (0.0, 20.0, 40.0, 60.0):
            self.taken += 1
            self.assertEqual(watch.fault(), "")
        self.now = 89.0
        self.assertEqual(watch.fault(), "")
        self.now = 91.0
        self.assertEqual(watch.fault(), "the flowgraph stands still")

    def test_a_lost_radio_that_comes_back_by_itself_is_none(self):
        for state, fault in (("waiting", ""), ("running", "the flowgraph stands still")):
            self.now = 0.0
            watch = self.watch(recovers=True, state=state)
            watch.fault()
            self.now = 1000.0
            self.assertEqual(watch.fault(), fault)

    def test_an_estimator_that_hangs_is_a_fault_while_samples_come(self):
        watch = self.watch(recovers=True, state="waiting")
        self.counts = {"passed": 5, "messages": 4}
        watch.fault()
        self.taken, self.now = 10, 31.0
        self.assertEqual(watch.fault(), "the flowgraph stands still")
        # A squelch that is closed is not.
        self.counts = {"passed": 5, "messages": 5}
        self.taken, self.now = 20, 62.0
        self.assertEqual(watch.fault(), "")

    def test_the_end_of_a_recording_is_no_fault(self):
        watch = self.watch()
        self.missing, self.read = ["file_source1"], True
        self.assertEqual(watch.fault(), "")
        self.assertTrue(watch.is_ended)
        self.read = False
        watch = self.watch()
        self.assertEqual(watch.fault(), "a block ended: file_source1")
        self.assertFalse(watch.is_ended)

    def test_what_is_on_its_way_when_the_source_of_a_recording_ends_is_waited_for(self):
        watch = self.watch(has_end=True)
        self.missing = ["file_source1"]
        for self.now in (0.0, 8.0, 16.0):
            self.taken += 1
            self.assertEqual(watch.fault(), "")
            self.assertFalse(watch.is_ended)
        self.now = 27.0
        self.assertEqual(watch.fault(), "a block ended: file_source1")
        self.read = True
        self.assertEqual(watch.fault(), "")
        self.assertTrue(watch.is_ended)


class qa_taps(unittest.TestCase):
    def test_messages_that_nobody_read_are_handed_on(self):
        taken = []
        tap = message_tap("bearings", taken.append)
        for k in range(5):
            tap._post(pmt.intern("bearings"), pmt.from_long(k))
        tap.take_unread()
        self.assertEqual([pmt.to_long(message) for message in taken], list(range(5)))
        self.assertEqual(tap.received, 5)

    def test_messages_that_come_while_its_thread_ends_are_handed_on(self):
        class late_tap(message_tap):
            def pass_on(self, message):
                self._post(pmt.intern("bearings"), message)

        taken = []
        tap = late_tap("bearings", taken.append)
        # Ports are looked at one after the other, in an order that nobody knows. What comes to
        # those after the tap's own, the last time, comes too late for it.
        for k in range(30):
            port = pmt.intern(f"beside {k}")
            tap.message_port_register_in(port)
            tap.set_msg_handler(port, tap.pass_on)
            tap._post(port, pmt.from_long(k))
        tap._post(pmt.intern("system"), pmt.cons(pmt.intern("done"), pmt.from_long(1)))
        source = message_source("bearings")
        flowgraph = gr.top_block()
        flowgraph.msg_connect(source, "bearings", tap, "bearings")
        flowgraph.start()
        try:
            self.assertTrue(wait_for(lambda: len(taken) == 30), len(taken))
        finally:
            flowgraph.stop()
            flowgraph.wait()
        self.assertEqual(sorted(map(pmt.to_long, taken)), list(range(30)))


class qa_flowgraph_end(unittest.TestCase):
    def test_blocks_of_one_that_does_not_end_are_kept_until_it_does(self):
        is_stuck, may_go_on = threading.Event(), threading.Event()

        def hold_on(_):
            is_stuck.set()
            may_go_on.wait(PATIENCE)

        self.addCleanup(may_go_on.set)
        source, stuck = message_source("bearings"), message_tap("bearings", hold_on)
        others = [message_tap("bearings", lambda _: None)]
        kept = weakref.ref(others[0])
        flowgraph = gr.top_block()
        flowgraph.msg_connect(source, "bearings", stuck, "bearings")
        flowgraph.msg_connect(source, "bearings", others[0], "bearings")
        flowgraph.start()
        source.send(pmt.PMT_T)
        self.assertTrue(is_stuck.wait(PATIENCE))
        self.assertFalse(ends_within(flowgraph, 0.1, tuple(others)))
        others.clear()
        gc.collect()
        # Else its thread calls what is no more.
        self.assertIsNotNone(kept())
        may_go_on.set()
        self.assertTrue(wait_for(lambda: gc.collect() >= 0 and kept() is None))


class qa_block_threads(unittest.TestCase):
    def test_threads_that_end_are_missed(self):
        stops = [threading.Event() for _ in range(3)]
        names = ("block_a1", "block_b2", "a_block_with_a_long_name3")

        def body(name, stop):
            # As GNU Radio names its threads.
            pathlib.Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text(name)
            named.release()
            stop.wait()

        named = threading.Semaphore(0)
        watched = block_threads()
        own = [
            threading.Thread(target=body, args=pair, daemon=True) for pair in zip(names, stops)
        ]
        for thread in own:
            thread.start()
        for _ in own:
            named.acquire()
        watched.started()
        self.assertEqual(watched.missing(), [])
        for number in (2, 0, 1):
            stops[number].set()
            own[number].join()
            self.assertTrue(wait_for(lambda: names[number][:15] in watched.missing()))
        self.assertEqual(len(watched.missing()), 3)


if __name__ == "__main__":
    unittest.main()
