#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver with simulated radios: bearings, faults, commands, reloading, calibration."""

import contextlib
import dataclasses
import json
import pathlib
import tempfile
import threading
import time
import unittest
from unittest import mock

import numpy as np
import pmt
from output_records import report
from receiver_parts import difference_deg, listener, simulated_radios, writers
from support import OWN_ADDRESS, PATIENCE, wait_for

from gnuradio import bearing
from gnuradio.bearing.output.bearing_record import bearing_record
from gnuradio.bearing.receiver import output_group
from gnuradio.bearing.receiver import receiver as receiver_module
from gnuradio.bearing.receiver.config_types import (
    array_config,
    calibration_config,
    channel_config,
    estimator_config,
    output_config,
    receiver_config,
    simulator_config,
    squelch_config,
    station_config,
)
from gnuradio.bearing.receiver.receiver import receiver

FREQUENCY = 433.92e6
RATE = 60e3
HEADING = 12.0
LOUD = squelch_config(eigenvalue_db=6.0, hang_s=0.1)
# As receivers have them that nobody synchronised; without a calibration no bearing is right.
GAINS = np.exp(1j * np.deg2rad([0.0, 140.0, -75.0, 30.0, -160.0]))

BEACON = channel_config("beacon", 10e3, 5e3, 1, LOUD)
OTHER = channel_config("other", -12e3, 5e3, 1)
QUIET = channel_config("quiet", 20e3, 5e3, 1, LOUD)
TWO_TONES = simulator_config(
    "simulator",
    FREQUENCY,
    sample_rate_hz=RATE,
    bearings_deg=(72.0, 210.0),
    snr_db=(10.0, 15.0),
    offsets_hz=(10e3, -12e3),
)


def configuration(**changes):
    values = {
        "station": station_config("hill", 47.5, 8.7, heading_deg=HEADING),
        "radio": TWO_TONES,
        "array": array_config("uca", 5, 0.25),
        "channels": (BEACON, OTHER, QUIET),
        "estimator": estimator_config(interval_s=0.04, spectrum_points=128),
        "outputs": (output_config("json_lines", "first"),),
    }
    return receiver_config(**{**values, **changes})


class qa_receiver(unittest.TestCase):
    @contextlib.contextmanager
    def running(self, config, make_radio=None):
        """A running receiver, with what it writes and tells."""
        self.radios = make_radio or simulated_radios()
        self.writers = writers()
        # Every item is learnt from, so that seconds are enough.
        one = receiver(config, self.radios, self.writers, learning_interval_s=0.0)
        self.listener = listener(one)
        one.start()
        try:
            yield one
        finally:
            one.stop()
        self.assert_counters_add_up(one)

    def assert_counters_add_up(self, one):
        """Of a receiver that has stopped."""
        snapshot = one.snapshot()
        for channel in snapshot["channels"]:
            counters = channel["counters"]
            self.assertEqual(
                counters["received"],
                counters["passed"] + counters["closed"] + counters["bad_data"],
                channel["name"],
            )
            self.assertEqual(
                counters["messages"], counters["bearings"] + counters["dropped"], channel["name"]
            )
            # A flowgraph that ends leaves items in the buffer before the estimator, at most what
            # the buffer holds: a page of items.
            self.assertLessEqual(counters["messages"], counters["passed"])

    def bearing_of(self, one, name):
        for channel in one.snapshot()["channels"]:
            if channel["name"] == name:
                return channel["bearing"]
        return None

    def wait_for_bearings(self, name, count=10):
        self.assertTrue(wait_for(lambda: len(self.listener.bearings(name)) >= count))
        return self.listener.bearings(name)

    def channels_of_spectra(self):
        return {spectrum["channel"] for spectrum in list(self.listener.heard["spectrum"])}

    # Bearings

    def test_two_channels_have_the_right_bearings_and_a_silent_one_none(self):
        with self.running(configuration()) as one:
            for name, truth, offset in (("beacon", 72.0, 10e3), ("other", 210.0, -12e3)):
                heard = self.wait_for_bearings(name, 20)
                for payload in heard:
                    (angle,), (std,) = payload["angles_deg"], payload["std_deg"]
                    # Five deviations: 40 bearings, one false alarm in 40 000 runs.
                    self.assertLess(difference_deg(angle, truth), 5 * std, payload)
                    self.assertLess(difference_deg(payload["true_bearing_deg"][0], truth + HEADING),
                                    5 * std + 1e-3)
                    self.assertEqual(payload["frequency_hz"], FREQUENCY + offset)
                    self.assertEqual(payload["status"], "ok")
            self.assertTrue(wait_for(lambda: self.listener.heard["state"]))
            self.assertTrue(wait_for(lambda: one.snapshot()["channels"][2]["items"] > 10))
            for name in ("beacon", "other"):
                self.assertTrue(wait_for(lambda: name in self.channels_of_spectra()))
            snapshot = one.snapshot()
            self.assertTrue(one.is_healthy())
        json.dumps(snapshot, allow_nan=False)
        self.assertEqual(snapshot["radio"]["state"], "running")
        beacon, other, quiet = snapshot["channels"]
        self.assertTrue(beacon["squelch_open"])
        self.assertFalse(quiet["squelch_open"])
        self.assertGreater(quiet["items"], 10)
        self.assertEqual(quiet["counters"]["passed"], 0)
        self.assertIsNone(quiet["bearing"])
        self.assertIsNone(quiet["bearing_age_s"])
        self.assertLess(beacon["bearing_age_s"], 30.0)
        self.assertIsNone(snapshot["calibration"])
        # Every bearing is written, with its station.
        records = self.writers.made["first"].records
        self.assertEqual(len(records), len(self.listener.heard["bearing"]))
        self.assertEqual({record.station.name for record in records}, {"hill"})
        self.assertEqual({record.channel for record in records}, {"beacon", "other"})
        self.assertEqual(self.channels_of_spectra(), {"beacon", "other"})
        for spectrum in self.listener.heard["spectrum"]:
            grid = spectrum["azimuth_deg"]
            peak = grid["start"] + grid["step"] * int(np.argmax(spectrum["db"]))
            truth = 72.0 if spectrum["channel"] == "beacon" else 210.0
            self.assertLess(difference_deg(peak, truth), grid["step"])
            self.assertEqual(grid["count"], 128)

    def test_the_whole_band_is_a_channel_too(self):
        radio = dataclasses.replace(
            TWO_TONES, bearings_deg=(300.0,), snr_db=(10.0,), offsets_hz=(0.0,)
        )
        channels = (channel_config("band", num_sources=1),)
        for method in ("root_music", "wsf", "bartlett"):
            estimator = estimator_config(method, interval_s=0.05, spectrum_points=128)
            config = configuration(radio=radio, channels=channels, estimator=estimator)
            with self.subTest(method=method), self.running(config):
                for payload in self.wait_for_bearings("band", 3):
                    # 3000 snapshots at 10 dB: a deviation of less than 0.1 degrees.
                    self.assertLess(difference_deg(payload["angles_deg"][0], 300.0), 1.0)
                    self.assertEqual(payload["snapshots"], 3000)

    def test_without_a_heading_no_true_bearing_is_told(self):
        config = configuration(station=station_config("hill"))
        with self.running(config):
            for payload in self.wait_for_bearings("beacon", 2):
                self.assertEqual(payload["true_bearing_deg"], [None])
                self.assertIsNotNone(payload["angles_deg"][0])

    # Faults

    def test_a_block_that_threw_is_replaced(self):
        config = configuration(calibration=calibration_config(self_calibration=True))
        with self.running(config) as one:
            self.wait_for_bearings("beacon", 5)
            before = one.snapshot()["channels"][0]["counters"]
            writer = self.writers.made["first"]
            for number in (1, 2):
                self.radios.made[-1].fault.set()
                self.assertTrue(
                    wait_for(lambda: one.snapshot()["radio"]["counters"]["rebuilds"] == number)
                )
                self.assertTrue(wait_for(lambda: len(self.radios.made) == number + 1))
                heard = len(self.listener.bearings("beacon"))
                self.wait_for_bearings("beacon", heard + 5)
                self.assertTrue(one.is_healthy())
            snapshot = one.snapshot()
            after = snapshot["channels"][0]["counters"]
            self.assertTrue(all(after[name] >= count for name, count in before.items()))
            self.assertGreaterEqual(after["received"], before["received"] + 10)
            self.assertIs(self.writers.made["first"], writer)
            told = [line for line in snapshot["messages"] if "fault_gate" in line]
            self.assertTrue(told, snapshot["messages"])
            self.assertEqual(len(self.radios.made), 3)
        self.assertEqual(len(writer.records), len(self.listener.heard["bearing"]))

    def test_a_radio_that_is_not_there_is_waited_for(self):
        with self.running(configuration(), simulated_radios(is_absent=True)) as one:
            snapshot = one.snapshot()
            self.assertEqual(snapshot["radio"]["state"], "failed")
            self.assertIn("no such device", snapshot["radio"]["detail"])
            json.dumps(snapshot, allow_nan=False)
            self.assertTrue(one.is_healthy())
            # Commands are kept for it.
            one.command("retune", frequency_hz=440e6)
            self.radios.is_absent = False
            heard = self.wait_for_bearings("beacon", 2)
            self.assertEqual(heard[0]["frequency_hz"], 440e6 + 10e3)

    def test_a_configuration_that_cannot_work_is_refused(self):
        for changes, words in (
            ({"channels": (channel_config("wide", 0.0, 40e3),)}, "channel wide: bandwidth_hz"),
            ({"outputs": (output_config("csv", "refused"),)}, "output csv: target"),
            (
                {"estimator": estimator_config("wsf", limits_deg=(0.0, 90.0))},
                "limits_deg",
            ),
        ):
            one = receiver(configuration(**changes), simulated_radios(), writers())
            threads = threading.active_count()
            with self.assertRaisesRegex(ValueError, words):
                one.start()
            one.stop()
            self.assertLessEqual(threading.active_count(), threads)
            self.assertFalse(one.is_healthy())

    def test_a_subscriber_that_fails_or_hangs_does_no_harm(self):
        release = threading.Event()
        with self.running(configuration(channels=(BEACON,))) as one:
            self.wait_for_bearings("beacon", 2)

            def fails(kind, payload):
                raise RuntimeError("a subscriber's")

            def hangs(kind, payload):
                if kind == "bearing":
                    release.wait(PATIENCE)

            one.subscribe(fails)
            heard = len(self.listener.bearings("beacon"))
            self.wait_for_bearings("beacon", heard + 5)
            one.subscribe(hangs)
            report = self.writers.made["first"].records[-1]
            # More than wait: what is too old is dropped, and counted.
            message = report.to_message()
            for _ in range(6000):
                one._delivery.put(one._records[0], message)
            counters = one.snapshot()["channels"][0]["counters"]
            self.assertGreaterEqual(counters["dropped"], 6000 - 4096 - 1)
            one.unsubscribe(hangs)
            release.set()
            wait_for(lambda: not one.snapshot()["delivery"]["waiting"])
            self.assertGreater(one.snapshot()["delivery"]["subscriber_failures"], 0)
            # All but these came from the flowgraph.
            for name in ("received", "passed", "messages"):
                one._records[0].totals[name] += 6000

    def test_a_bearing_that_is_not_handed_on_is_counted(self):
        # Of a kind that no report is made of.
        with self.running(configuration(channels=(BEACON,))) as one:
            self.wait_for_bearings("beacon", 2)
            one._delivery.put(one._records[0], pmt.PMT_NIL)
            self.assertTrue(wait_for(lambda: one.snapshot()["delivery"]["failed"] == 1))
            dropped = lambda: one.snapshot()["channels"][0]["counters"]["dropped"]
            self.assertTrue(wait_for(lambda: dropped() == 1))
            for name in ("received", "passed", "messages"):
                one._records[0].totals[name] += 1

    def test_a_thread_that_holds_on_for_ever_is_no_health(self):
        with self.running(configuration()) as one:
            self.assertTrue(wait_for(one.is_healthy))
            # Not when it stops, which takes its time.
            with mock.patch.object(receiver_module, "_LATE_S", 0.8):
                with one._building:
                    self.assertTrue(wait_for(lambda: not one.is_healthy()))
                self.assertTrue(wait_for(one.is_healthy))

    def test_attempts_become_rarer_until_one_runs_long(self):
        clock = mock.Mock(monotonic=lambda: self.now, time=time.time)
        self.now = 1000.0
        with mock.patch.object(receiver_module, "time", clock):
            one = receiver(configuration(), simulated_radios(), writers())
            one._make_graph = mock.Mock(side_effect=RuntimeError("no such device"))
            waits = []

            def look():
                one._look()
                waits.append(one._next_build - self.now)
                self.now = one._next_build

            for _ in range(10):
                look()
            self.assertEqual(waits, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0])
            # One that fails soon after it started changes nothing, one that ran does.
            for seconds, wait in ((5.0, 60.0), (61.0, 0.5)):
                graph = mock.MagicMock(sample_rate=1.0)
                graph.radio.sample_rate.return_value = 1.0
                graph.missing_threads.return_value = ["block"]
                graph.has_read_all.return_value = False
                graph.radio.has_end = False
                graph.channels = []
                one._make_graph = mock.Mock(return_value=graph)
                one._look()
                self.now += seconds
                look()
                self.assertEqual(waits[-1], wait)

    # Outputs

    def test_an_output_that_cannot_be_opened_is_tried_again(self):
        with mock.patch.object(output_group, "_FIRST_WAIT_S", 0.1):
            with self.running(
                configuration(outputs=(output_config("csv", "absent"), output_config("csv", "b")))
            ) as one:
                # Those of the others are not held up.
                self.assertTrue(wait_for(lambda: self.writers.made["b"].records))
                absent = one.snapshot()["outputs"][0]
                self.assertIn("no such address", absent["state"])
                self.assertGreaterEqual(absent["counters"]["errors"], 1)
                self.assertGreater(absent["counters"]["dropped_before"], 0)
                self.assertTrue(one.is_healthy())
                one.set_station(bearing.station("truck", 1.0, 2.0, 200.0))
                self.writers.absent = ()
                self.assertTrue(wait_for(lambda: "absent" in self.writers.made))
                self.assertTrue(wait_for(lambda: self.writers.made["absent"].records))
                self.assertEqual(self.writers.made["absent"].station.name, "truck")
                self.assertEqual(one.snapshot()["outputs"][0]["state"], "writing")

    def test_an_address_is_free_for_the_output_that_replaces_another(self):
        def outputs(**options):
            return (output_config("zmq", target, options),)

        target = f"tcp://{OWN_ADDRESS}:*"
        group = output_group.output_group()
        self.addCleanup(group.stop)
        group.update(outputs(), None, "uca")
        # The port that was found.
        target = group._outputs[0]._opened[0].target
        group.update(outputs(), None, "uca")
        for options in ({"with_spectrum": True}, {"interval_s": 1.0}):
            group.update(outputs(**options), None, "uca")
            (told,) = group.snapshot()
            self.assertEqual(told["counters"]["errors"], 0, told)
            self.assertTrue(told["state"].startswith("ready"), told)
        writer = group._outputs[0]._opened[0]
        with self.assertRaisesRegex(ValueError, "interval_s"):
            group.update(outputs(interval_s=-1.0), None, "uca")
        (told,) = group.snapshot()
        self.assertTrue(told["state"].startswith("ready"), told)
        self.assertIsNot(group._outputs[0]._opened[0], writer)
        # What it says of the array is another thing then.
        writer = group._outputs[0]._opened[0]
        group.update(outputs(interval_s=1.0), None, "uca")
        self.assertIs(group._outputs[0]._opened[0], writer)
        group.update(outputs(interval_s=1.0), None, "ula")
        self.assertIsNot(group._outputs[0]._opened[0], writer)

    def test_bearings_that_an_output_has_not_read_when_it_ends_are_written(self):
        message = bearing_record(report([72.0]), bearing.station("hill")).to_message()
        with tempfile.TemporaryDirectory() as folder:
            target = pathlib.Path(folder, "x.jsonl")
            # A thread that waits may be ended before it has looked.
            for count in range(1, 51):
                group = output_group.output_group()
                group.update((output_config("json_lines", str(target)),), None, "uca")
                group.send(message)
                group.stop()
                self.assertEqual(len(target.read_text().splitlines()), count)

    # Commands

    def test_a_retune_is_seen_in_the_bearings(self):
        with self.running(configuration()) as one:
            self.wait_for_bearings("beacon", 2)
            one.command("retune", frequency_hz=440e6)
            self.assertTrue(
                wait_for(lambda: self.bearing_of(one, "beacon")["frequency_hz"] == 440e6 + 10e3)
            )
            self.assertLess(
                difference_deg(self.bearing_of(one, "beacon")["angles_deg"][0], 72.0), 1.0
            )
            # A command holds until the file says something else than before.
            one.command("set_num_sources", channel="other", num_sources=2)
            one.apply(configuration(estimator=estimator_config(interval_s=0.05)))
            self.assertTrue(
                wait_for(
                    lambda: (self.bearing_of(one, "other") or {}).get("snapshots") == 333
                    and self.bearing_of(one, "other")["num_sources"] == 2
                ),
                self.bearing_of(one, "other"),
            )
            snapshot = one.snapshot()
            self.assertEqual(snapshot["radio"]["frequency_hz"], 440e6)
            self.assertEqual(snapshot["channels"][1]["frequency_hz"], 440e6 - 12e3)
            # It was asked for: no failure, and no waiting.
            self.assertEqual(snapshot["radio"]["counters"]["rebuilds"], 0)

    def test_the_number_of_sources_is_set_and_kept(self):
        with self.running(configuration()) as one:
            one.command("set_num_sources", channel="other", num_sources=2)
            self.assertTrue(
                wait_for(lambda: (self.bearing_of(one, "other") or {}).get("num_sources") == 2)
            )
            one.command("retune", frequency_hz=440e6)
            self.assertTrue(
                wait_for(lambda: self.bearing_of(one, "other")["frequency_hz"] == 440e6 - 12e3)
            )
            self.assertEqual(self.bearing_of(one, "other")["num_sources"], 2)
            one.command("set_num_sources", channel="other", num_sources=0)
            self.assertTrue(wait_for(lambda: self.bearing_of(one, "other")["num_sources"] == 1))

    def test_wrong_commands_are_refused(self):
        with self.running(configuration()) as one:
            for name, arguments, words in (
                ("reboot", {}, "reboot"),
                ("retune", {}, "frequency_hz"),
                ("retune", {"frequency_hz": -1.0}, "frequency_hz"),
                ("retune", {"frequency_hz": float("nan")}, "frequency_hz"),
                ("retune", {"frequency_hz": "1e8"}, "frequency_hz"),
                ("retune", {"frequency_hz": 1e8, "channel": "beacon"}, "frequency_hz"),
                ("set_gain", {"gain_db": [1.0, 2.0]}, "gain_db"),
                ("set_gain", {"gain_db": None}, "gain_db"),
                ("set_gain", {"gain_db": 1e6}, "gain_db"),
                ("set_num_sources", {"channel": "beacon", "num_sources": 5}, "num_sources"),
                ("set_num_sources", {"channel": "beacon", "num_sources": 1.0}, "num_sources"),
                ("set_num_sources", {"channel": "none", "num_sources": 1}, "channel"),
            ):
                with self.subTest(name=name, **arguments):
                    with self.assertRaisesRegex(ValueError, words):
                        one.command(name, **arguments)
            self.assertEqual(one.snapshot()["radio"]["frequency_hz"], FREQUENCY)

    # Reloading

    def test_small_changes_are_taken_over_while_it_runs(self):
        with self.running(configuration()) as one:
            self.wait_for_bearings("beacon", 2)
            self.wait_for_bearings("other", 1)
            graph = one._graph
            deaf = dataclasses.replace(BEACON, squelch=squelch_config(power_db=60.0))
            counting = dataclasses.replace(OTHER, num_sources=2)
            changed = configuration(
                station=station_config("valley", 47.6, 8.8, heading_deg=100.0),
                channels=(deaf, counting, QUIET),
                outputs=(output_config("json_lines", "first"), output_config("csv", "second")),
                state_folder=pathlib.Path("/nonexistent"),
            )
            first = self.writers.made["first"]
            self.assertEqual(one.apply(changed), ["state_folder"])
            self.assertIs(one._graph, graph)
            self.assertIs(self.writers.made["first"], first)
            self.assertTrue(wait_for(lambda: not one.snapshot()["channels"][0]["squelch_open"]))
            self.assertTrue(wait_for(lambda: self.bearing_of(one, "other")["num_sources"] == 2))
            last = lambda: self.bearing_of(one, "other")["true_bearing_deg"][0]
            self.assertTrue(wait_for(lambda: difference_deg(last(), 310.0) < 1.0))
            second = self.writers.made["second"]
            # One that was on its way may come first.
            name = lambda: second.records and second.records[-1].station.name
            self.assertTrue(wait_for(lambda: name() == "valley"), name())
            self.assertEqual(first.station.name, "valley")
            # An output that is left out ends.
            one.apply(dataclasses.replace(changed, outputs=changed.outputs[1:]))
            self.assertEqual([o["target"] for o in one.snapshot()["outputs"]], ["second"])

    def test_large_changes_build_the_flowgraph_anew(self):
        with self.running(configuration()) as one:
            heard = len(self.wait_for_bearings("beacon", 2))
            graph = one._graph
            changed = configuration(channels=(OTHER, BEACON))
            self.assertEqual(one.apply(changed), [])
            self.assertIsNot(one._graph, graph)
            self.wait_for_bearings("beacon", heard + 5)
            channels = one.snapshot()["channels"]
            self.assertEqual([channel["name"] for channel in channels], ["other", "beacon"])
            # Counters belong to names.
            told = lambda: one.snapshot()["channels"][1]["counters"]["bearings"]
            self.assertTrue(wait_for(lambda: told() >= heard + 5))
            one.apply(dataclasses.replace(changed, radio=dataclasses.replace(
                TWO_TONES, frequency_hz=440e6)))
            self.assertTrue(
                wait_for(lambda: self.bearing_of(one, "beacon")["frequency_hz"] == 440e6 + 10e3)
            )

    def test_a_change_that_cannot_work_changes_nothing(self):
        with self.running(configuration()) as one:
            heard = len(self.wait_for_bearings("beacon", 2))
            for changes in (
                {"outputs": (output_config("csv", "third"), output_config("csv", "refused"))},
                {"channels": (dataclasses.replace(BEACON, bandwidth_hz=40e3),)},
                {"calibration": calibration_config(file=pathlib.Path("/nonexistent.json"))},
            ):
                with self.subTest(**changes), self.assertRaises(ValueError):
                    one.apply(configuration(**changes))
                heard += 3
                self.wait_for_bearings("beacon", heard)
                self.assertEqual([o["target"] for o in one.snapshot()["outputs"]], ["first"])
                self.assertEqual(len(one.snapshot()["channels"]), 3)

    def test_a_change_that_fails_half_way_is_taken_back(self):
        with self.running(configuration()) as one:
            self.wait_for_bearings("beacon", 2)
            one.command("set_num_sources", channel="quiet", num_sources=3)
            louder = dataclasses.replace(TWO_TONES, frequency_hz=440e6, gain_db=7.0)
            counting = dataclasses.replace(OTHER, num_sources=2)
            changed = configuration(
                radio=louder,
                channels=(BEACON, counting, QUIET),
                outputs=(output_config("csv", "third"),),
            )
            for error in (ValueError, RuntimeError):
                # The last of the steps.
                with mock.patch.object(
                    one, "_change_channels", side_effect=error("told to")
                ), self.subTest(error=error), self.assertRaisesRegex(error, "told to"):
                    one.apply(changed)
                snapshot = one.snapshot()
                self.assertEqual(snapshot["radio"]["frequency_hz"], FREQUENCY)
                self.assertEqual(snapshot["radio"]["gain_db"], 0.0)
                self.assertEqual([c["num_sources"] for c in snapshot["channels"]], [1, 1, 3])
                self.assertEqual([o["target"] for o in snapshot["outputs"]], ["first"])
            heard = len(self.listener.bearings("beacon"))
            last = self.wait_for_bearings("beacon", heard + 5)[-1]
            self.assertEqual(last["frequency_hz"], FREQUENCY + 10e3)

    def test_outputs_stay_in_the_state_folder_until_a_restart(self):
        first, second = pathlib.Path("/nonexistent/a"), pathlib.Path("/nonexistent/b")

        def outputs(folder):
            targets = str(folder / "x.csv"), "/elsewhere/y.csv", "tcp://127.0.0.1:5560"
            return tuple(output_config("csv", target) for target in targets)

        with self.running(configuration(state_folder=first, outputs=outputs(first))) as one:
            before = [o["target"] for o in one.snapshot()["outputs"]]
            changed = configuration(state_folder=second, outputs=outputs(second))
            self.assertEqual(one.apply(changed), ["state_folder"])
            self.assertEqual([o["target"] for o in one.snapshot()["outputs"]], before)

    def test_a_new_station_turns_the_bearings(self):
        with self.running(configuration()) as one:
            self.wait_for_bearings("beacon", 2)
            one.set_station(bearing.station("truck", 1.0, 2.0, 200.0))
            last = lambda: self.bearing_of(one, "beacon")["true_bearing_deg"][0]
            self.assertTrue(wait_for(lambda: difference_deg(last(), 272.0) < 1.0))
            self.assertEqual(one.snapshot()["station"]["name"], "truck")
            self.assertEqual(self.writers.made["first"].station.name, "truck")

    # Calibration

    def wide_configuration(self, folder, angle=0.0, **calibration):
        """One source in the whole band, which a test moves around."""
        return configuration(
            radio=dataclasses.replace(
                TWO_TONES, bearings_deg=(angle,), snr_db=(10.0,), offsets_hz=(0.0,)
            ),
            channels=(channel_config("band", num_sources=1),),
            calibration=calibration_config(self_calibration=True, **calibration),
            state_folder=pathlib.Path(folder),
        )

    def error_deg(self, truth, since=0.0):
        """Of the fifth bearing, at least, of samples since that time of the stream."""
        later = lambda: [p for p in self.listener.bearings("band") if p["time"] >= since]
        self.assertTrue(wait_for(lambda: len(later()) >= 5))
        return difference_deg(later()[-1]["angles_deg"][0], truth)

    def saved_path(self, one):
        """Where it is kept what is learnt, once there is some."""
        path = lambda: (one.snapshot()["calibration"] or {}).get("saved_path")
        self.assertTrue(wait_for(path))
        return pathlib.Path(path())

    def test_calibration_outlives_rebuilding_retuning_and_restarts(self):
        random = np.random.default_rng(3)
        with tempfile.TemporaryDirectory() as folder:
            measured = pathlib.Path(folder) / "measured.json"
            # A degree beside the truth: what is learnt is not what was given.
            given = GAINS * np.exp(1j * np.deg2rad([0.0, 1.0, -1.0, 0.5, -0.7]))
            bearing.calibration(gains=given, frequency=FREQUENCY).save(str(measured))
            with self.running(
                self.wide_configuration(folder, file=measured), simulated_radios(GAINS)
            ) as one:
                status = lambda: one.snapshot()["calibration"]["status"]
                seen = set()
                for angle in random.permutation(np.arange(0.0, 360.0, 24.0)):
                    self.radios.simulator.set_angles_deg([angle])
                    heard = len(self.listener.bearings("band"))
                    self.wait_for_bearings("band", heard + 4)
                    seen.add(status())
                # It learns behind the bearings.
                self.assertTrue("tracking" in seen or wait_for(lambda: status() == "tracking"))
                for command in ("fault", "retune away", "retune back"):
                    if command == "fault":
                        self.radios.made[-1].fault.set()
                        self.assertTrue(wait_for(lambda: len(self.radios.made) == 2))
                    else:
                        frequency = 440e6 if command == "retune away" else FREQUENCY
                        one.command("retune", frequency_hz=frequency)
                    wait_for(lambda: one._graph is not None)
                    since = self.radios.made[-1].move([100.0])
                    if command != "retune away":
                        # A degree of phase is less than a degree of bearing.
                        self.assertLess(self.error_deg(100.0, since), 2.0, command)
                snapshot = one.snapshot()["calibration"]
                self.assertEqual(len(snapshot["gains"]), 5)
                self.assertTrue(pathlib.Path(snapshot["saved_path"]).exists())
                json.dumps(snapshot, allow_nan=False)

            # Another process, another start: nothing but the folder tells the gains.
            measured.unlink()
            for is_kept in (True, False):
                if not is_kept:
                    pathlib.Path(snapshot["saved_path"]).unlink()
                with self.subTest(kept=is_kept), self.running(
                    self.wide_configuration(folder, 200.0), simulated_radios(GAINS)
                ):
                    # The very first one.
                    heard = self.wait_for_bearings("band", 1)[0]
                    error = difference_deg(heard["angles_deg"][0], 200.0)
                    # Half a beam is some 40 degrees: without it bearings are anywhere.
                    self.assertEqual(error < 2.0, is_kept, error)

    def beacon_configuration(self, folder, measured, azimuth_deg):
        return configuration(
            channels=(OTHER, BEACON),
            calibration=calibration_config(
                file=measured,
                self_calibration=True,
                channel="beacon",
                beacon_azimuth_deg=azimuth_deg,
            ),
            state_folder=pathlib.Path(folder),
        )

    def test_a_known_beacon_fixes_north(self):
        with tempfile.TemporaryDirectory() as folder:
            measured = pathlib.Path(folder) / "measured.json"
            # What unknown signals cannot tell from the truth: the circle, turned.
            turn = np.deg2rad(20.0)
            drawn = np.asarray(array_config("uca", 5, 0.25).make(FREQUENCY).positions)
            turned = drawn @ np.array(
                [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
            )
            bearing.calibration(
                gains=np.ones(5), positions=turned - drawn, frequency=FREQUENCY
            ).save(str(measured))
            config = self.beacon_configuration(folder, measured, 72.0)
            with self.running(config) as one:
                first = self.wait_for_bearings("beacon", 1)[0]
                self.assertLess(difference_deg(first["angles_deg"][0], 92.0), 5.0)
                # Others are heard in many directions.
                other = 0.0

                def is_learnt():
                    nonlocal other
                    other = (other + 75.0) % 360.0
                    self.radios.simulator.set_angles_deg([72.0, other])
                    heard = len(self.listener.bearings("beacon"))
                    self.wait_for_bearings("beacon", heard + 8)
                    told = one.snapshot()["calibration"] or {}
                    return (told.get("status"), told.get("ambiguity")) == ("tracking", "none")

                self.assertTrue(wait_for(is_learnt), one.snapshot()["calibration"])
                self.radios.simulator.set_angles_deg([72.0, 210.0])
                for name, truth in (("beacon", 72.0), ("other", 210.0)):
                    # 200 snapshots at 10 dB: less than half a degree each.
                    self.assertTrue(
                        wait_for(
                            lambda: difference_deg(
                                self.bearing_of(one, name)["angles_deg"][0], truth
                            ) < 2.0
                        ),
                        self.bearing_of(one, name),
                    )

                # Both channels: what is known of one is not said of the other.
                def is_from_both():
                    counts = one.snapshot()["calibration"]["counts"]
                    return counts["labelled"] > 5 and counts["accepted"] > counts["labelled"] + 5

                self.assertTrue(wait_for(is_from_both))
                counts = one.snapshot()["calibration"]["counts"]
                self.assertEqual(counts["bad_label"] + counts["truth_contradictory"], 0, counts)
                # At another frequency somebody else is there.
                one.command("retune", frequency_hz=440e6)
                self.assertTrue(
                    wait_for(lambda: one.snapshot()["calibration"]["frequency_hz"] > 439e6)
                )
                accepted = lambda: one.snapshot()["calibration"]["counts"]["accepted"]
                self.assertTrue(wait_for(lambda: accepted() > 5))
                self.assertEqual(one.snapshot()["calibration"]["counts"]["labelled"], 0)

    def test_what_was_learnt_holds_when_no_more_is_learnt(self):
        with tempfile.TemporaryDirectory() as folder:
            learning = self.wide_configuration(folder, 200.0)
            fixed = dataclasses.replace(learning, calibration=calibration_config())
            with self.running(learning, simulated_radios(GAINS)) as one:
                message = pmt.dict_add(
                    pmt.make_dict(), pmt.intern("gains"), pmt.init_c32vector(5, GAINS.tolist())
                )
                message = pmt.dict_add(
                    message, pmt.intern("frequency"), pmt.from_double(FREQUENCY)
                )
                # As if it had come from the calibrator, which has not written it yet.
                one._kept.put(message)
                one.apply(fixed)
                since = self.radios.made[-1].start_time
                self.assertLess(self.error_deg(200.0, since), 2.0)
                path = pathlib.Path(one.snapshot()["calibration"]["saved_path"])
            record = {
                "gains": [[g.real, g.imag] for g in GAINS],
                "frequency_hz": FREQUENCY,
                "reference": 0,
            }
            state = {"calibrations": [{"orientation": "unknown", "calibration": record}]}
            path.write_text(json.dumps(state))
            before = path.read_bytes()
            with self.running(fixed, simulated_radios(GAINS)) as one:
                self.assertLess(self.error_deg(200.0), 2.0)
                told = one.snapshot()["calibration"]
                self.assertEqual((told["status"], told["ambiguity"]), ("fixed", "north"))
            self.assertEqual(path.read_bytes(), before)
            # A number that no float holds.
            record["frequency_hz"] = 10**400
            path.write_text(json.dumps(state))
            with self.running(fixed, simulated_radios(GAINS)) as one:
                self.wait_for_bearings("band", 1)
                self.assertIsNone(one.snapshot()["calibration"])

    def test_a_broken_state_file_is_put_aside(self):
        with tempfile.TemporaryDirectory() as folder:
            config = self.wide_configuration(folder)
            with self.running(config) as one:
                self.wait_for_bearings("band", 3)
                state = self.saved_path(one)
            state.write_text('{"version": 1, "calibrations": [{"calibration": ')
            with self.running(config):
                self.wait_for_bearings("band", 3)
            self.assertTrue(state.with_name(state.name + ".bad").exists())

    def test_another_geometry_learns_anew(self):
        with tempfile.TemporaryDirectory() as folder:
            config = self.wide_configuration(folder)
            other = dataclasses.replace(config, array=array_config("uca", 5, 0.2))
            with self.running(config) as one:
                self.wait_for_bearings("band", 3)
                first = self.saved_path(one)
                one.apply(other)
                heard = len(self.listener.bearings("band"))
                self.wait_for_bearings("band", heard + 3)
                second = self.saved_path(one)
            self.assertNotEqual(first, second)
            self.assertTrue(first.exists())
            self.assertTrue(second.exists())


class qa_many_starts(unittest.TestCase):
    def test_it_starts_and_stops_again(self):
        one = receiver(configuration(), simulated_radios(), writers())
        for _ in range(3):
            one.start()
            one.start()
            self.assertTrue(wait_for(lambda: one.snapshot()["channels"][0]["bearing"]))
            one.stop()
            one.stop()
            self.assertFalse(one.is_healthy())
            self.assertEqual(one.snapshot()["radio"]["state"], "stopped")


if __name__ == "__main__":
    unittest.main()
