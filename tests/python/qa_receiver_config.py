#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver's configuration file: what it means, and that everything wrong is told with its
line."""

import dataclasses
import importlib.util
import inspect
import os
import random
import re
import shutil
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import jsonschema
import numpy as np

from gnuradio import bearing
from gnuradio.bearing.hier import sigmf
from gnuradio.bearing.output.output_kinds import KINDS, checked_options, options_of
from gnuradio.bearing.receiver import config, config_types
from gnuradio.bearing.receiver.config import config_error, load_config, parse_config
from gnuradio.bearing.receiver.schema_check import MOST_PROBLEMS, schema, schema_json
from gnuradio.bearing.receiver.taken_places import PAGES
from gnuradio.bearing.receiver.yaml_reader import DEEPEST, LARGEST_BYTES, read_yaml

from support import SOURCE_DIR

EXAMPLES = SOURCE_DIR / "examples" / "receiver"

SMALLEST = """
radio: {kind: simulator, frequency_hz: 433.92e6}
array: {kind: uca, elements: 5, radius_m: 0.25}
channels: [{name: all}]
"""

# Every section, one key a line.
COMPLETE = """
station:
  name: hill
  latitude: 47.5
  longitude: 8.7
  altitude_m: 500
  heading_deg: 12
  gpsd:
    host: localhost
    port: 2947
    device: /dev/ttyACM0
    position: true
    heading: track
    heading_offset_deg: 3
    min_speed_m_s: 2
    stale_s: 5
radio:
  kind: simulator
  frequency_hz: 433.92e6
  sample_rate_hz: 240e3
  gain_db: 10
  bearings_deg: 72
  snr_db: 20
  offsets_hz: 25e3
  seed: 4
  phase_errors: true
array:
  kind: ula
  elements: 5
  spacing_m: 0.3
calibration:
  self_calibration: true
  num_sources: 1
  channel: beacon
  beacon_azimuth_deg: 97
channels:
  - name: beacon
    offset_hz: 25e3
    bandwidth_hz: 12.5e3
    num_sources: 1
    squelch:
      power_db: -60
      eigenvalue_db: 6
      hang_s: 1
  - name: band
estimator:
  method: root_music
  variant: unitary
  interval_s: 0.05
  spectrum_points: 720
outputs:
  - kind: json_lines
    target: bearings.jsonl
    rotate_mb: 5
    keep: 2
  - kind: zmq
    target: tcp://127.0.0.1:5560
    channel: beacon
web:
  enabled: true
  address: 127.0.0.1
  port: 8080
  token_file: token
  read_token: true
  max_clients: 3
state_folder: state
"""

# Dataclass of each definition of the schema that has one.
CLASSES = {
    "station": config_types.station_config,
    "gpsd": config_types.gpsd_config,
    "radio_kraken": config_types.kraken_config,
    "radio_usrp": config_types.usrp_config,
    "radio_soapy": config_types.soapy_config,
    "radio_file": config_types.file_config,
    "radio_simulator": config_types.simulator_config,
    "realign": config_types.realign_config,
    "calibration": config_types.calibration_config,
    "channel": config_types.channel_config,
    "squelch": config_types.squelch_config,
    "estimator": config_types.estimator_config,
    "web": config_types.web_config,
}


def problems_of(text, name="receiver.yaml"):
    """The problems of a file with that text."""
    try:
        parse_config(text, name)
    except config_error as error:
        return error.problems
    return []


def texts_of(text):
    """(path, text) of the problems, as they are printed."""
    return [p.told("f").split(": ", 2)[1:] for p in problems_of(text)]


def changed(text, before, after):
    """The text with one place changed that must be there."""
    if text.count(before) != 1:
        raise AssertionError(f"{before!r} stands there {text.count(before)} times")
    return text.replace(before, after)


def write_recording(stem, rate=48e3, array=None, num_channels=5):
    samples = np.zeros((100, num_channels, 2), np.int8)
    Path(f"{stem}.sigmf-data").write_bytes(samples.tobytes())
    captures = (sigmf.capture(0, 433.92e6, (1700000000, 0.0)),)
    return sigmf.write_metadata(stem, "ci8", rate, num_channels, array=array, captures=captures)


class qa_receiver_config(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # Not that of this computer.
        changes = {"STATE_DIRECTORY": str(self.folder / "default")}
        patch = mock.patch.dict(os.environ, changes)
        patch.start()
        self.addCleanup(patch.stop)

    def check_told(self, text, path, words):
        """One problem alone, with that path, whose text holds the words."""
        found = texts_of(text)
        self.assertEqual([entry[0] for entry in found], [path], found)
        self.assertIn(words, found[0][1])


class what_it_means(qa_receiver_config):
    def test_what_is_left_out_has_the_defaults_of_the_dataclasses(self):
        config = parse_config(SMALLEST, self.folder / "r.yaml")
        self.assertEqual(config.station, config_types.station_config())
        self.assertEqual(config.estimator, config_types.estimator_config())
        self.assertEqual(config.calibration, config_types.calibration_config())
        self.assertEqual(config.channels, (config_types.channel_config(name="all"),))
        self.assertEqual(config.outputs, ())
        self.assertEqual(config.state_folder, self.folder / "default")
        token_file = self.folder / "default" / "token"
        self.assertEqual(config.web, config_types.web_config(token_file=token_file))

    def test_every_key_arrives(self):
        config = parse_config(COMPLETE, self.folder / "r.yaml")
        self.assertEqual(
            config.station.gpsd,
            config_types.gpsd_config(
                "localhost", 2947, "/dev/ttyACM0", True, "track", 3.0, 2.0, 5.0
            ),
        )
        self.assertEqual(
            config.radio,
            config_types.simulator_config(
                "simulator", 433.92e6, 240e3, 10.0, (72.0,), (20.0,), (25e3,), 4, True
            ),
        )
        self.assertEqual(
            config.calibration, config_types.calibration_config(None, True, 1, "beacon", 97.0)
        )
        self.assertEqual(config.channels[0].squelch, config_types.squelch_config(-60.0, 6.0, 1.0))
        self.assertEqual(config.outputs[0].options, {"rotate_mb": 5, "keep": 2})
        self.assertEqual(config.outputs[1].options, {"channel": "beacon"})
        self.assertTrue(config.web.enabled and config.web.read_token)

    def test_numbers_of_the_field_are_floats_however_they_are_written(self):
        for written in (
            "433920000", "433.92e6", "433.92e+6", "+433920000.0", "43392e4", "4.3392E8",
        ):
            text = changed(SMALLEST, "433.92e6", written)
            frequency = parse_config(text, "r").radio.frequency_hz
            self.assertEqual((type(frequency), frequency), (float, 433.92e6), written)

    def test_whole_numbers_are_integers_however_they_are_written(self):
        text = changed(SMALLEST, "elements: 5,", "elements: 5.0,")
        self.assertIs(type(parse_config(text, "r").array.elements), int)

    def test_plain_words_are_those_of_yaml_1_2(self):
        text = "[no, on, 12:30, 010, 0x10, ~, true, '1', 1_000, 2026-01-01]"
        value, _, problems = read_yaml(text)
        self.assertEqual(problems, [])
        self.assertEqual(
            value, ["no", "on", "12:30", 10, "0x10", None, True, "1", "1_000", "2026-01-01"]
        )

    def test_what_is_read_is_beside_the_file_and_what_is_written_in_the_state_folder(self):
        write_recording(self.folder / "a", array=bearing.array.uca(5, 0.25, 0.69))
        bearing.calibration(gains=np.ones(5)).save(str(self.folder / "c.json"))
        text = """
radio: {kind: file, path: a.sigmf-meta}
calibration: {file: c.json}
channels: [{name: all}]
outputs: [{kind: csv, target: b.csv}, {kind: zmq, target: "tcp://127.0.0.1:5560"}]
web: {token_file: t}
state_folder: s
"""
        config = parse_config(text, self.folder / "r.yaml")
        self.assertEqual(config.radio.path, self.folder / "a.sigmf-meta")
        self.assertEqual(config.calibration.file, self.folder / "c.json")
        self.assertEqual(config.state_folder, self.folder / "s")
        self.assertEqual(config.outputs[0].target, str(self.folder / "s" / "b.csv"))
        self.assertEqual(config.outputs[1].target, "tcp://127.0.0.1:5560")
        self.assertEqual(config.web.token_file, self.folder / "s" / "t")

    def test_a_recording_tells_rate_frequency_and_array(self):
        write_recording(self.folder / "a", 96e3, bearing.array.uca(5, 0.25, 0.69))
        text = "radio: {kind: file, path: a.sigmf-meta}\nchannels: [{name: all}]"
        config = parse_config(text, self.folder / "r.yaml")
        self.assertEqual((config.radio.sample_rate_hz, config.radio.frequency_hz), (96e3, 433.92e6))
        self.assertIsNone(config.array)

    def test_positions_become_x_y_z(self):
        text = changed(
            SMALLEST,
            "{kind: uca, elements: 5, radius_m: 0.25}",
            "{kind: custom, positions_m: [[0, 0], [0.3, 0], [0, 0.3, 0.1]]}",
        )
        array = parse_config(text, "r").array
        self.assertEqual(array.positions_m, ((0, 0, 0), (0.3, 0, 0), (0, 0.3, 0.1)))
        self.assertEqual(array.elements, 3)
        made = array.make(433.92e6)
        np.testing.assert_allclose(made.positions, array.positions_m)

    def test_heading_by_gpsd_has_a_short_form(self):
        for written, meant in (
            ("true", "attitude"), ("attitude", "attitude"), ("track", "track"), ("false", None),
        ):
            text = SMALLEST + f"station: {{gpsd: {{heading: {written}}}}}"
            self.assertEqual(parse_config(text, "r").station.gpsd.heading, meant)


class what_is_wrong(qa_receiver_config):
    def test_each_wrong_value_is_told_with_its_own_line_and_path(self):
        lines = COMPLETE.splitlines()
        tried = 0
        for number, line in enumerate(lines):
            match = re.fullmatch(r"(?P<head>[ -]*(?P<key>\w+): )(?P<value>\S.*)", line)
            if not match:
                continue
            text = "\n".join([*lines[:number], match["head"] + "[[]]", *lines[number + 1 :]])
            with self.subTest(line=line):
                found = [p for p in problems_of(text) if p.line == number + 1]
                self.assertTrue(found, problems_of(text))
                keys = [part for p in found for part in p.path if isinstance(part, str)]
                self.assertIn(match["key"], keys)
            tried += 1
        self.assertGreater(tried, 50)

    def test_all_problems_come_at_once_in_the_order_of_the_file(self):
        text = COMPLETE.replace("latitude: 47.5", "latitude: 97.5")
        text = text.replace("  elements: 5", "  elements: five")
        text = text.replace("method: root", "method: rot")
        text = text.replace("rotate_mb: 5", "rotate: 5").replace("port: 8080", "port: 80800")
        with self.assertRaises(config_error) as raised:
            parse_config(text, "/etc/r.yaml")
        told = str(raised.exception).splitlines()
        self.assertEqual(
            [line.split(": ")[1] for line in told],
            ["station.latitude", "array.elements", "estimator.method", "outputs[0].rotate",
             "web.port"],
        )
        numbers = [int(line.split(":")[1]) for line in told]
        self.assertEqual(numbers, sorted(numbers))
        self.assertTrue(all(line.startswith("/etc/r.yaml:") for line in told))

    def test_what_does_not_go_together_is_told_beside_what_the_schema_refuses(self):
        text = COMPLETE.replace("port: 8080", "port: 80800")
        text = text.replace("offset_hz: 25e3", "offset_hz: 9e9")
        self.assertEqual(
            [path for path, _ in texts_of(text)], ["channels[0].offset_hz", "web.port"]
        )

    def test_unknown_keys_name_the_nearest_one(self):
        for wrong, right in (("bandwith_hz", "bandwidth_hz"), ("num_source", "num_sources")):
            self.check_told(
                SMALLEST.replace("{name: all}", f"{{name: all, {wrong}: 1}}"),
                f"channels[0].{wrong}",
                f"did you mean {right}?",
            )
        self.check_told(SMALLEST + "xyzzy: 1", "xyzzy", "allowed are station, radio,")
        self.check_told(
            SMALLEST.replace("simulator", "simulater"), "radio.kind", "did you mean simulator?"
        )

    def test_a_misspelt_key_is_told_once(self):
        # Without its bandwidth the channel would be the whole band, which has no offset; the name
        # of a channel that is not understood may be the one that others mean.
        for right, wrong, path in (
            ("bandwidth_hz", "bandwith_hz", "channels[0].bandwith_hz"),
            ("  frequency_hz", "  frequncy_hz", "radio.frequncy_hz"),
            ("sample_rate_hz: 240e3", "sample_rate: 240e3", "radio.sample_rate"),
            ("spacing_m", "spacing", "array.spacing"),
            ("  heading_deg", "  headin_deg", "station.headin_deg"),
        ):
            with self.subTest(wrong=wrong):
                self.check_told(changed(COMPLETE, right, wrong), path, "did you mean")
        # What is missing and not misspelt is told beside it.
        text = changed(COMPLETE, "  spacing_m: 0.3\n", "  xyzzy: 1\n")
        self.assertEqual(
            sorted(path for path, _ in texts_of(text)), ["array.spacing_m", "array.xyzzy"]
        )

    def test_megahertz_are_not_hertz(self):
        self.check_told(
            COMPLETE.replace("433.92e6", "433.92"), "radio.frequency_hz", "Hz, not MHz?"
        )

    def test_parts_that_do_not_go_together(self):
        base = COMPLETE
        band = "  - name: band\n"
        for before, after, path, words in (
            ("offset_hz: 25e3\n    b", "offset_hz: 119e3\n    b",
             "channels[0].offset_hz", "113750"),
            ("bandwidth_hz: 12.5e3", "bandwidth_hz: 110e3", "channels[0].bandwidth_hz", "108000"),
            ("bandwidth_hz: 12.5e3\n    n", "n", "channels[0].offset_hz", "whole band"),
            (band, "  - {name: beacon, bandwidth_hz: 1e4}\n", "channels[1].name", "must differ"),
            (band, "  - {name: b, num_sources: 5}\n", "channels[1].num_sources", "elements, 5"),
            ("_calibration: true\n  num_sources: 1\n  channel: beacon\n  beacon_azimuth_deg: 97",
             "_calibration: true\n  num_sources: 5",
             "calibration.num_sources", "less than"),
            ("channel: beacon\n  beacon_", "channel: nobody\n  beacon_",
             "calibration.channel", "one of beacon, band"),
            ("self_calibration: true", "self_calibration: false",
             "calibration.beacon_azimuth_deg", "self_calibration: true"),
            ("_calibration: true\n  num_sources: 1", "_calibration: true\n  num_sources: 2",
             "calibration.beacon_azimuth_deg", "num_sources is 2"),
            ("    channel: beacon\nweb", "    channel: nobody\nweb",
             "outputs[1].channel", "one of beacon, band"),
            ("gain_db: 10", "gain_db: [1, 2]", "radio.gain_db", "5 elements"),
            ("snr_db: 20", "snr_db: [20, 10]", "radio.snr_db", "for 1 sources"),
            ("offsets_hz: 25e3", "offsets_hz: 200e3", "radio.offsets_hz", "120000"),
            ("  longitude: 8.7\n", "", "station", "longitude"),
            ("name: hill", 'name: "a\\nb"', "station", "printable"),
            ("interval_s: 0.05", "interval_s: 0.001\n  limits_deg: [0, 10]",
             "estimator.limits_deg", "music"),
            ("ula\n  elements: 5\n  spacing_m: 0.3", "uca\n  elements: 5\n  radius_m: 1",
             "estimator", "line"),
            ("tcp://127.0.0.1:5560", "udp://127.0.0.1:5560", "outputs[1]", "tcp://HOST:PORT"),
            ("kind: zmq\n    target: tcp://127.0.0.1:5560", "kind: csv\n    target: bearings.jsonl",
             "outputs[1].target", "outputs[0]"),
        ):
            with self.subTest(after=after):
                self.check_told(changed(base, before, after), path, words)

    def test_files_that_two_parts_would_write(self):
        """The second of them, and words that name the first."""
        state = self.folder / "default"
        for outputs, path, words in (
            ("{kind: csv, target: status.json}", "outputs[0].target", "receiver's own"),
            ("{kind: csv, target: ../default/lock}", "outputs[0].target", "receiver's own"),
            ("{kind: csv, target: t}", "outputs[0].target", "web.token_file"),
            ("{kind: csv, target: a.csv}, {kind: csv, target: a.csv.1}",
             "outputs[1].target", f"outputs[0], {state}/a.csv,"),
            ("{kind: csv, target: a.5}, {kind: json_lines, target: a}",
             "outputs[1].target", "outputs[0]"),
        ):
            with self.subTest(outputs=outputs):
                self.check_told(
                    SMALLEST + f"web: {{token_file: t}}\noutputs: [{outputs}]", path, words
                )
        for outputs in (
            "{kind: csv, target: a.csv}, {kind: csv, target: a.csv.6}",
            "{kind: csv, target: a.csv, keep: 2}, {kind: csv, target: a.csv.3}",
            "{kind: csv, target: a.csv, rotate_mb: 0}, {kind: csv, target: a.csv.1}",
            "{kind: kraken_csv, target: a}, {kind: csv, target: a.1}",
            "{kind: csv, target: a.csv}, {kind: csv, target: a.csv.01}",
        ):
            self.assertEqual(texts_of(SMALLEST + f"outputs: [{outputs}]"), [], outputs)
        self.check_told(SMALLEST + "web: {token_file: status.json}", "web.token_file", "own")

    def test_ports_that_two_parts_would_listen_at(self):
        place = "station: {latitude: 1, longitude: 2, heading_deg: 3}\n"
        csv, xml = "{kind: kraken_csv, serve: '%s'}", "{kind: kraken_xml, serve: '%s'}"
        df, zmq = "{kind: df_aggregator_xml, serve: '%s'}", "{kind: zmq, target: 'tcp://%s'}"
        here = "127.0.0.1:8081"
        for outputs, path, words in (
            ([csv % here, xml % here], "outputs[1].serve", "outputs[0]"),
            ([csv % here, df % "localhost:8081"], "outputs[1].serve", "outputs[0]"),
            ([csv % here, csv % "0.0.0.0:8081"], "outputs[1].serve", "outputs[0]"),
            ([csv % "127.0.0.1:8080"], "outputs[0].serve", "web page"),
            ([csv % "[::]:8080"], "outputs[0].serve", "web page"),
            ([zmq % "*:8080"], "outputs[0].target", "web page"),
            ([csv % here, zmq % here], "outputs[1].target", "outputs[0]"),
        ):
            with self.subTest(outputs=outputs):
                text = SMALLEST + place + f"web: {{}}\noutputs: [{', '.join(outputs)}]"
                self.check_told(text, path, words)
        for outputs in (
            [csv % here, df % here],
            [csv % here, xml % "127.0.0.2:8081"],
            [csv % "127.0.0.1:0", xml % "127.0.0.1:0"],
            [zmq % "127.0.0.1:*", zmq % "127.0.0.2:*"],
            [zmq % "127.0.0.1:8080', bind: false, with_spectrum: false, channel: 'all"],
        ):
            text = SMALLEST + place + f"web: {{}}\noutputs: [{', '.join(outputs)}]"
            self.assertEqual(texts_of(text), [], outputs)

    def test_pages_are_those_that_outputs_serve(self):
        for kind, output in KINDS.items():
            self.assertEqual("serve" in output.options, kind in PAGES)
            if kind in PAGES:
                options = checked_options(kind, "", {"serve": "127.0.0.1:0"})
                target = output.make_target("", options)
                self.addCleanup(target.close)
                self.assertTrue(target.url.endswith(PAGES[kind]), target.url)

    def test_what_may_pass_by_itself_is_told_apart(self):
        recording = "radio: {kind: file, path: mounted/later}\nchannels: [{name: all}]\n"
        kept = SMALLEST + "calibration: {file: mounted/later.json}\n"
        (self.folder / "c.json").write_text("{")
        for text, may_pass in (
            (recording, True),
            (kept, True),
            (kept.replace("mounted/later", "c"), False),
            (recording + "xyzzy: 1", False),
            (SMALLEST + "xyzzy: 1", False),
        ):
            with self.assertRaises(config_error) as raised:
                parse_config(text, self.folder / "r.yaml")
            self.assertEqual(raised.exception.may_pass, may_pass, text)

    def test_homes_that_are_not_there(self):
        for text, path in (
            ("state_folder: ~nobody.here/x", "state_folder"),
            ("web: {token_file: ~nobody.here/x}", "web.token_file"),
            ("calibration: {file: ~nobody.here/x}", "calibration.file"),
            ("outputs: [{kind: csv, target: a}, {kind: csv, target: ~nobody.here/x}]",
             "outputs[1].target"),
        ):
            with self.subTest(text=text):
                told = [entry for entry in texts_of(SMALLEST + text) if "no such home" in entry[1]]
                self.assertEqual([entry[0] for entry in told], [path])

    def test_a_default_folder_without_a_home(self):
        with mock.patch.dict(os.environ, {"XDG_STATE_HOME": "~nobody.here"}):
            del os.environ["STATE_DIRECTORY"]
            self.check_told(SMALLEST, "state_folder", "no home folder")

    def test_the_folder_of_a_service_with_a_user_of_its_own_may_be_closed(self):
        closed = mock.Mock(spec=Path)
        closed.is_dir.side_effect = PermissionError
        with mock.patch.object(config, "_SYSTEM_STATE_FOLDER", closed):
            del os.environ["STATE_DIRECTORY"]
            self.assertIs(config.default_state_folder(), closed)

    def test_a_state_folder_that_is_in_use_stays(self):
        text = SMALLEST + "state_folder: new\nweb: {}\noutputs: [{kind: csv, target: a.csv}]"
        kept = parse_config(text, self.folder / "r.yaml", self.folder / "old")
        self.assertEqual(kept.state_folder, self.folder / "old")
        self.assertEqual(kept.web.token_file, self.folder / "old" / "token")
        self.assertEqual(kept.outputs[0].target, str(self.folder / "old" / "a.csv"))

    def test_outputs_whose_readers_need_a_place_and_a_heading(self):
        tak = SMALLEST + 'outputs: [{kind: tak, target: "udp://127.0.0.1:6969"}]\n'
        self.assertEqual(len(texts_of(tak)), 2)
        place = "station: {latitude: 1, longitude: 2"
        self.check_told(tak + place + "}", "outputs[0]", "heading_deg")
        self.assertEqual(texts_of(tak + place + ", heading_deg: 3}"), [])
        self.assertEqual(texts_of(tak + "station: {gpsd: {heading: track}}"), [])
        self.check_told(tak + "station: {heading_deg: 1, gpsd: {position: false}}",
                        "outputs[0]", "latitude")

    def test_too_few_samples_behind_a_bearing(self):
        text = COMPLETE.replace("interval_s: 0.05", "interval_s: 0.001")
        text = text.replace("bandwidth_hz: 12.5e3", "bandwidth_hz: 1e3")
        self.check_told(text, "estimator.interval_s", "'beacon'")

    def test_recordings_that_do_not_fit(self):
        text = "radio: {kind: file, path: a.sigmf-meta}\nchannels: [{name: all}]\n"
        name = self.folder / "r.yaml"
        told = [p.told("f") for p in problems_of(text, name)]
        self.assertEqual(len(told), 1)
        self.assertIn("f:1: radio.path: no such recording", told[0])
        write_recording(self.folder / "a")
        self.assertEqual([p.path for p in problems_of(text, name)], [("array",)])
        three = text + "array: {kind: uca, elements: 3, radius_m: 1}"
        told = [p.told("f") for p in problems_of(three, name)]
        self.assertEqual(told, ["f:1: radio.path: has 5 channels, but the array has 3 elements"])

    def test_a_calibration_that_does_not_fit(self):
        bearing.calibration(gains=np.ones(4)).save(str(self.folder / "c.json"))
        (self.folder / "broken.json").write_text("{")
        for name in ("c.json", "broken.json", "absent.json"):
            found = problems_of(SMALLEST + f"calibration: {{file: {name}}}", self.folder / "r.yaml")
            self.assertEqual([p.path for p in found], [("calibration", "file")], found)

    def test_a_token_that_others_can_read(self):
        token = self.folder / "t"
        text = SMALLEST + f"web: {{token_file: {token}}}\n"
        self.assertEqual(texts_of(text), [])
        token.write_text("secret")
        token.chmod(0o640)
        self.check_told(text, "web.token_file", "chmod 600")
        token.chmod(0o600)
        self.assertEqual(texts_of(text), [])
        token.chmod(0o640)
        self.assertEqual(texts_of(text.replace("{token", "{enabled: false, token")), [])


class what_strangers_write(qa_receiver_config):
    def test_aliases_anchors_and_tags_are_refused_before_anything_is_built_of_them(self):
        bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]\n" for k in range(1, 12)
        )
        begin = time.monotonic()
        for text in (
            bomb,
            "a: [*b]",
            "a: &b 1",
            "!!python/object/apply:os.system ['touch /tmp/owned']",
            "a: !!python/name:os.system",
            "a: !!binary aGVsbG8=",
            "a: !include /etc/passwd",
        ):
            self.assertEqual(len(problems_of(text)), 1, text)
        # A bomb takes hours, or all memory.
        self.assertLess(time.monotonic() - begin, 60)

    def test_merges_are_keys_like_others(self):
        self.check_told(SMALLEST + "<<: {a: 1}", "<<", "unknown key")

    def test_nesting_is_limited(self):
        for deep in ("[" * 5000 + "]" * 5000, "{a: " * 5000 + "}" * 5000):
            found = problems_of("a: " + deep)
            self.assertEqual(len(found), 1)
            self.assertRegex(found[0].text, "nested deeper|is no YAML")
        self.assertEqual(read_yaml("[" * (DEEPEST - 1) + "]" * (DEEPEST - 1))[2], [])

    def test_size_is_limited(self):
        text = SMALLEST + "#" * LARGEST_BYTES
        self.assertIn("larger than", problems_of(text)[0].text)
        path = self.folder / "large.yaml"
        path.write_text(text)
        with self.assertRaisesRegex(config_error, "larger than"):
            load_config(path)

    def test_a_device_that_never_ends_is_read_no_further_than_that(self):
        with self.assertRaisesRegex(config_error, "larger than"):
            load_config("/dev/zero")

    def test_numbers_are_finite(self):
        for written in (".nan", ".inf", "-.inf", "1e999", "9" * 5000):
            found = problems_of(changed(SMALLEST, "433.92e6", written))
            self.assertEqual([p.path for p in found], [("radio", "frequency_hz")], written)

    def test_what_no_name_can_hold(self):
        for written in ('"x\\0y"', '"x\\x00y"'):
            for key in ("web: {token_file: %s}", "state_folder: %s", "station: {name: %s}",
                        "outputs: [{kind: csv, target: %s}]", "calibration: {file: %s}"):
                found = problems_of(SMALLEST + key % written)
                self.assertEqual(len(found), 1, found)
                self.assertIn("must not hold NUL", found[0].text)
        found = problems_of(SMALLEST + 'web: {token_file: "x\\ud800y"}')
        self.assertEqual(len(found), 1, found)

    def test_keys_stand_once(self):
        text = COMPLETE.replace("latitude: 47.5", "latitude: 47.5\n  latitude: 48")
        self.check_told(text, "station.latitude", "second time, see line 4")

    def test_what_is_no_configuration_at_all(self):
        for text in ("", "[]", "3", "just words", "--- a\n--- b", "a: [", "? {a: b}\n: c", "\x00",
                     "\ta: b", b"\xff\xfe\xfd", b"\x80", "a: b: c", "- a\nb: c",
                     "%YAML 9.9\n---\na"):
            found = problems_of(text)
            self.assertTrue(found, text)
            self.assertTrue(all(p.line >= 1 for p in found))

    def test_a_byte_order_mark_does_no_harm(self):
        self.assertEqual(problems_of(b"\xef\xbb\xbf" + SMALLEST.lstrip().encode()), [])

    def test_messages_are_one_line_each_whatever_the_file_holds(self):
        text = SMALLEST + '"a\\nb\\u001b[2J": 1\nestimator: {method: "x\\ny\\u001b[31m"}\n'
        with self.assertRaises(config_error) as raised:
            parse_config(text, "r")
        told = str(raised.exception)
        self.assertEqual(len(told.splitlines()), 2)
        self.assertNotIn("\x1b", told)

    def test_many_problems_are_told_briefly(self):
        text = SMALLEST + "".join(f"k{k}: 1\n" for k in range(3000))
        with self.assertRaises(config_error) as raised:
            parse_config(text, "receiver.yaml")
        told = str(raised.exception).splitlines()
        self.assertEqual(len(told), 51)
        self.assertEqual(told[-1], f"receiver.yaml: and {MOST_PROBLEMS - 50} more")

    def test_damaged_files_raise_nothing_else(self):
        chooser = random.Random(3)
        pieces = ["{", "}", "[", "]", ":", "- ", "\n", "&a", "*a", "!!int", "'", '"', "null", "1e9",
                  "\t", "|", ">", "?", "%", "#", "\x00", "kind", ".nan", "-1", "true", "é"]
        refused = 0
        for _ in range(300):
            text = COMPLETE
            for _ in range(chooser.randint(1, 4)):
                at = chooser.randrange(len(text))
                text = text[:at] + chooser.choice(pieces) + text[at + chooser.randint(0, 6):]
            try:
                parse_config(text, "r")
            except config_error as error:
                self.assertTrue(error.problems)
                refused += 1
        self.assertGreater(refused, 150)


class what_the_schema_says(qa_receiver_config):
    def properties(self):
        """(definition, key, its schema) of every key."""
        for name, definition in [("", schema()), *schema()["$defs"].items()]:
            for key, entry in definition.get("properties", {}).items():
                yield name, key, entry

    def test_it_is_a_schema(self):
        jsonschema.Draft202012Validator.check_schema(schema())
        self.assertIn('"$schema"', schema_json())

    def test_every_key_is_described(self):
        without = [
            f"{name}.{key}" for name, key, entry in self.properties()
            if "description" not in entry and "$ref" not in entry
            and key not in ("channels", "outputs") and not (key == "kind" and "enum" in entry)
        ]
        self.assertEqual(without, [])

    def test_defaults_and_keys_are_those_of_the_dataclasses(self):
        for name, kind in CLASSES.items():
            fields = {field.name: field for field in dataclasses.fields(kind)}
            keys = schema()["$defs"][name]["properties"]
            inherited = {"frequency_hz", "sample_rate_hz", "gain_db"}
            self.assertLessEqual(set(keys), set(fields), name)
            self.assertLessEqual(set(fields) - set(keys), inherited, name)
            for key, entry in keys.items():
                if "default" not in entry:
                    continue
                # Where there is no section there is no page; in one it is meant to be there.
                if (name, key) in (("web", "enabled"), ("web", "token_file")):
                    continue
                default = fields[key].default
                default = list(default) if isinstance(default, tuple) else default
                self.assertEqual(entry["default"], default, f"{name}.{key}")

    def test_keys_without_default_are_required_or_none(self):
        for name, kind in CLASSES.items():
            definition = schema()["$defs"][name]
            for field in dataclasses.fields(kind):
                entry = definition["properties"].get(field.name, {"default": None})
                if "default" in entry or field.name in (*definition.get("required", ()), "kind"):
                    continue
                self.assertIn(field.default, (None, ()), f"{name}.{field.name}")

    def test_outputs_take_what_their_writers_take(self):
        self.assertEqual(set(schema()["$defs"]["output"]["properties"]["kind"]["enum"]), set(KINDS))
        for kind in KINDS:
            keys = dict(schema()["$defs"][f"output_{kind}"]["properties"])
            del keys["kind"], keys["target"]
            defaults = options_of(kind)
            self.assertEqual(set(keys), set(defaults), kind)
            for key, default in defaults.items():
                if default is not None:
                    self.assertEqual(keys[key]["default"], default, f"{kind}.{key}")

    def test_radios_have_what_their_blocks_have(self):
        from gnuradio.bearing.hier.phase_realigner import phase_realigner
        from gnuradio.bearing.hier.usrp_layouts import LAYOUTS

        layouts = schema()["$defs"]["radio_usrp"]["properties"]["layout"]["enum"]
        self.assertEqual(set(layouts), set(LAYOUTS))
        parameters = inspect.signature(phase_realigner).parameters
        for key, entry in schema()["$defs"]["realign"]["properties"].items():
            self.assertIn(key, parameters)
            if "default" in entry:
                self.assertEqual(entry["default"], parameters[key].default, key)

    def test_the_tables_of_the_documentation_are_made_of_it(self):
        path = SOURCE_DIR / "docs" / "make_receiver_tables.py"
        spec = importlib.util.spec_from_file_location("make_receiver_tables", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        page = (SOURCE_DIR / "docs" / "receiver.md").read_text(encoding="utf-8")
        self.assertEqual(module.with_tables(page), page, "run docs/make_receiver_tables.py")


class examples(qa_receiver_config):
    def test_all_are_right(self):
        names = sorted(path.name for path in EXAMPLES.glob("*.yaml"))
        self.assertEqual(names, ["file.yaml", "kraken.yaml", "simulator.yaml", "usrp.yaml"])
        for name in names:
            copy = self.folder / name
            shutil.copy(EXAMPLES / name, copy)
            if name == "file.yaml":
                write_recording(self.folder / "recording", array=bearing.array.uca(5, 0.25, 0.69))
            self.assertEqual(load_config(copy).radio.kind, name.removesuffix(".yaml"))


del qa_receiver_config

if __name__ == "__main__":
    unittest.main()
