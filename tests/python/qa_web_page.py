#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver's web page in a browser, on a telephone's and on a desk's screen.

Pictures are left in tests/web of the build folder.
"""

import cmath
import json
import logging
import math
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np
import pmt
from gnuradio import gr

from gnuradio.bearing.gui import words
from gnuradio.bearing.receiver.config import load_config
from gnuradio.bearing.receiver.config_types import web_config
from gnuradio.bearing.receiver.radios import make_radio
from gnuradio.bearing.receiver.receiver import receiver
from gnuradio.bearing.receiver.web import web_server
from gnuradio.bearing.tools.kraken_simulator import kraken_simulator

from pretend_receiver import ANGLES_DEG, CHANNELS, HEADING_DEG, STD_DEG, pretend_receiver
from support import BUILD_DIR, OWN_ADDRESS, SOURCE_DIR, wait_for
from web_browser import browser, tab

PAGE = SOURCE_DIR / "python" / "bearing" / "receiver" / "page"
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}

# Of a point on a circle of 97 units that is written to a thousandth.
GEOMETRY_DEG = 0.002
# Of what is written to a thousandth, and calculated from several such.
GEOMETRY = 0.003


def direction_deg(x, y):
    """Clockwise from up, y down."""
    return math.degrees(math.atan2(x, -y)) % 360.0


def points_of(path):
    """Points of a path of straight lines."""
    return [tuple(map(float, point.split())) for point in re.findall(r"[-\d.e]+ [-\d.e]+", path)]


def levels_of(spectrum, turn):
    """Direction in whole degrees -> level, of a spectrum turned clockwise."""
    step = spectrum["azimuth_deg"]["step"]
    return {round(k * step + turn) % 360: level for k, level in enumerate(spectrum["db"])}


def through(a, b):
    """The straight line through two (x, y)."""
    return lambda x: a[1] + (x - a[0]) * (b[1] - a[1]) / (b[0] - a[0])


def wedge_deg(path):
    """(from, to) of "M0 0Lx yAr r 0 large sweep x yZ"."""
    numbers = re.fullmatch(
        r"M0 0L(\S+) (\S+)A(\S+) (\S+) 0 ([01]) ([01]) (\S+) (\S+)Z", path
    ).groups()
    x0, y0, r0, r1, large, sweep, x1, y1 = map(float, numbers)
    assert r0 == r1 and sweep == 1.0
    begin, end = direction_deg(x0, y0), direction_deg(x1, y1)
    assert ((end - begin) % 360.0 > 180.0) == bool(large)
    return begin, end


class page_tests(unittest.TestCase):
    """What tests with a page share; the browser is opened once for each class."""

    @classmethod
    def setUpClass(cls):
        cls.browser = cls.enterClassContext(browser())

    def setUp(self):
        logging.getLogger("gnuradio.bearing.receiver").setLevel(logging.CRITICAL)
        folder = tempfile.TemporaryDirectory(prefix="bearing-web-")
        self.addCleanup(folder.cleanup)
        self.token_file = Path(folder.name) / "token"

    def serve(self, receiver, **options):
        server = web_server(
            receiver, web_config(enabled=True, token_file=self.token_file, **{"port": 0, **options})
        )
        server.start()
        self.addCleanup(server.stop)
        return server

    def pretended(self, **options):
        """A receiver that tells its bearings all the time, and its server."""
        receiver = pretend_receiver()
        server = self.serve(receiver, **options)
        receiver.start()
        self.addCleanup(receiver.stop)
        return receiver, server

    def opened(self, name, server, size="desktop", **options):
        page = tab(self.browser, name, server.url, *SIZES[size], **options)
        self.addCleanup(page.do, "close")
        return page

    @property
    def token(self):
        return self.token_file.read_text().strip()

    def drawn(self, page):
        """Channel -> (needle, wedge's begin, its end) in degrees as drawn."""
        found = page.evaluate(
            "[...document.querySelectorAll('#compass g[data-channel]')].map((g) => ({"
            "channel: g.dataset.channel, wedge: g.querySelector('.wedge').getAttribute('d'),"
            "x: g.querySelector('.needle').getAttribute('x2'),"
            "y: g.querySelector('.needle').getAttribute('y2')}))"
        )
        return {
            each["channel"]: (
                direction_deg(float(each["x"]), float(each["y"])), *wedge_deg(each["wedge"])
            )
            for each in found
        }  # fmt: skip

    def assert_drawn(self, page, turn):
        drawn = self.drawn(page)
        self.assertEqual(set(drawn), set(CHANNELS))
        for channel, (needle, begin, end) in drawn.items():
            angle = (ANGLES_DEG[channel] + turn) % 360.0
            self.assertAlmostEqual(needle, angle, delta=GEOMETRY_DEG)
            self.assertAlmostEqual((begin + STD_DEG[channel]) % 360.0, angle, delta=GEOMETRY_DEG)
            self.assertAlmostEqual((end - STD_DEG[channel]) % 360.0, angle, delta=GEOMETRY_DEG)

    def attribute(self, page, selector, name):
        element = f"document.querySelector({json.dumps(selector)})"
        return page.evaluate(f"{element}.getAttribute({json.dumps(name)})")

    def number(self, page, selector, name):
        return float(self.attribute(page, selector, name))

    def assert_spectrum_drawn(self, page, receiver, turn):
        """The lobe around the compass and the curve, every point of both."""
        wanted = levels_of(receiver.spectrum(CHANNELS[0]), turn)
        top = max(wanted.values())
        bottom = 5.0 * math.floor(min(wanted.values()) / 5.0)
        # Drawn with the frame, which a click changes, a moment after it.
        page.wait(f"Math.abs({self.LOBE_PEAK_JS} - {ANGLES_DEG[CHANNELS[0]] + turn}) < 0.5")
        points = points_of(self.attribute(page, "#compass .lobe", "d"))
        self.assertEqual(len(points), 360)
        for k, (x, y) in enumerate(points):
            radius = 92.0 * (wanted[(k + turn) % 360] - bottom) / (top - bottom)
            angle = math.radians(k + turn)
            self.assertAlmostEqual(x, radius * math.sin(angle), delta=GEOMETRY)
            self.assertAlmostEqual(y, -radius * math.cos(angle), delta=GEOMETRY)

        labels = page.evaluate(
            "[...document.querySelectorAll('#spectrum text')].map((t) => [t.textContent,"
            " Number(t.getAttribute('x')), Number(t.getAttribute('y')),"
            " t.classList.contains('level')])"
        )
        level_marks = [(y, float(text.split()[0])) for text, _, y, is_level in labels if is_level]
        angle_marks = [(x, float(text[:-1])) for text, x, _, is_level in labels if not is_level]
        level_at = through(level_marks[0], level_marks[-1])
        angle_at = through(angle_marks[0], angle_marks[-1])
        # Up is more, right is clockwise.
        self.assertLess(level_at(1.0), level_at(0.0))
        self.assertGreater(angle_at(1.0), angle_at(0.0))
        points = points_of(self.attribute(page, "#spectrum .curve", "d"))
        self.assertGreaterEqual(len(points), 361)
        self.assertEqual(points, sorted(points))
        for x, y in points:
            # Marks are a few hundred pixels apart, and written to a thousandth.
            self.assertAlmostEqual(angle_at(x), round(angle_at(x)), delta=0.01)
            self.assertAlmostEqual(level_at(y), wanted[round(angle_at(x)) % 360], delta=0.01)
        found = self.number(page, "#spectrum .found", "x1")
        self.assertAlmostEqual(angle_at(found), ANGLES_DEG[CHANNELS[0]] + turn, delta=0.01)

    LOBE_PEAK_JS = (
        "((d) => { const p = d.match(/[-\\d.e]+ [-\\d.e]+/g).map((t) => t.split(' ').map(Number));"
        " const [x, y] = p.reduce((a, b) => Math.hypot(...b) > Math.hypot(...a) ? b : a);"
        " return (Math.atan2(x, -y) * 180 / Math.PI + 360) % 360; })"
        "(document.querySelector('#compass .lobe').getAttribute('d'))"
    )

    def assert_arrow_drawn(self, page, angle, name):
        """Where the array points, or where north is."""
        transform = self.attribute(page, "#compass .front", "transform")
        turned = re.fullmatch(r"rotate\((\S+)\)", transform)
        self.assertAlmostEqual(float(turned[1]) % 360.0, angle, delta=GEOMETRY_DEG)
        self.assertEqual(page.text("#compass .front title"), name)
        line = [self.number(page, "#compass .front-line", end) for end in ("x2", "y2")]
        self.assertAlmostEqual(direction_deg(*line), angle, delta=GEOMETRY_DEG)

    def assert_elements_drawn(self, page, state):
        """Positions, gains, phases and moves in the picture, and their numbers in the table."""
        calibration, positions = state["calibration"], state["array"]["positions_m"]
        drawn = page.evaluate(
            "[...document.querySelectorAll('#elements g[data-element]')].map((g) => {"
            " const of = (s, ...names) => { const e = g.querySelector(s);"
            "  return e && names.map((n) => Number(e.getAttribute(n))); };"
            " return { at: g.getAttribute('transform').match(/-?\\d[\\d.]*/g).map(Number),"
            "  hand: of('.hand', 'x2', 'y2'), gain: of('.gain', 'r'), one: of('.nominal', 'r'),"
            "  moved: of('.moved', 'cx', 'cy'), line: of('.move', 'x2', 'y2'),"
            "  sigma: g.querySelector('.sigma')?.getAttribute('d') }; })"
        )
        rows = page.evaluate(
            "[...document.querySelectorAll('#gains tbody tr')].map((r) =>"
            " [...r.cells].map((c) => c.textContent.replace('\u2212', '-')))"
        )
        self.assertEqual((len(drawn), len(rows)), (5, 5))
        factor = float(re.search(r"drawn × (\d+)", page.text("#elements-caption"))[1])
        scale = (drawn[1]["at"][0] - drawn[0]["at"][0]) / (positions[1][0] - positions[0][0])
        self.assertGreater(scale, 0.0)
        for k, (each, row) in enumerate(zip(drawn, rows)):
            for axis, sign in ((0, 1.0), (1, -1.0)):
                between = drawn[0]["at"][axis] + sign * scale * (
                    positions[k][axis] - positions[0][axis]
                )
                self.assertAlmostEqual(each["at"][axis], between, delta=GEOMETRY)
            gain = complex(*calibration["gains"][k])
            phase = math.degrees(cmath.phase(gain))
            # Hands are short: a thousandth of 9 units.
            self.assertAlmostEqual(direction_deg(*each["hand"]), phase % 360.0, delta=0.02)
            self.assertAlmostEqual(each["gain"][0], each["one"][0] * abs(gain), delta=GEOMETRY)
            sigma = math.degrees(calibration["sigma_phase_rad"][k])
            if sigma:
                begin, end = wedge_deg(each["sigma"])
                self.assertAlmostEqual((begin + sigma) % 360.0, phase % 360.0, delta=0.02)
                self.assertAlmostEqual((end - sigma) % 360.0, phase % 360.0, delta=0.02)
            move = calibration["positions_m"][k]
            if any(move):
                shown = [move[0] * scale * factor, -move[1] * scale * factor]
                for kind in ("moved", "line"):
                    for value, wanted in zip(each[kind], shown):
                        # The scale is known to a thousandth of 68 units.
                        self.assertAlmostEqual(value, wanted, delta=GEOMETRY + 3e-5 * abs(wanted))
            else:
                self.assertIsNone(each["moved"])
            self.assertEqual(row, [
                f"{k} (ref.)" if k == calibration["reference"] else str(k),
                f"{20.0 * math.log10(abs(gain)):.1f}", f"{phase:.1f}°", f"{sigma:.1f}°",
                f"{1000.0 * math.hypot(*move):.1f}",
            ])  # fmt: skip

    def assert_clean(self, page, server, but=()):
        """No error in the console but those of refused requests, and no request elsewhere."""
        seen = page.do("seen")
        errors = [e for e in seen["errors"] if not any(status in e for status in but)]
        self.assertEqual(errors, [])
        self.assertGreater(len(seen["requests"]), 5)
        for url in seen["requests"]:
            self.assertRegex(url, rf"^(http|ws)://127\.0\.0\.1:{server.port}/")


class qa_web_page(page_tests):
    def test_page_shows_and_controls_the_receiver_on_both_sizes(self):
        for size in SIZES:
            with self.subTest(size=size):
                self.shows_and_controls(size)

    def shows_and_controls(self, size):
        pretended, server = self.pretended()
        page = self.opened(size, server, size)
        page.wait("document.querySelectorAll('#compass g[data-channel]').length === 2"
                  " && document.querySelectorAll('#bearings .angle').length === 2"
                  " && document.querySelector('#link').textContent === 'live'"
                  " && document.querySelector('#spectrum .curve')")

        # The same words as the displays', and what is drawn is what they say.
        for frame, turn in (("true", HEADING_DEG), ("array", 0.0)):
            page.do("click", selector=f"input[value={frame}]")
            for channel in CHANNELS:
                angle = words.bearing_text(ANGLES_DEG[channel] + turn, STD_DEG[channel])
                page.wait_for_text(f".bearing[data-channel={channel}] .angle", angle)
            self.assert_drawn(page, turn)
            self.assert_spectrum_drawn(page, pretended, int(turn))
            if frame == "true":
                self.assert_arrow_drawn(page, HEADING_DEG, "front of the array")
            else:
                self.assert_arrow_drawn(page, 360.0 - HEADING_DEG, "north")
        self.assert_elements_drawn(page, pretended.snapshot())
        page.do("click", selector="input[value=true]")

        self.assertEqual(page.text("#station"), "hill")
        self.assertIn("433.920 MHz", page.text("#summary"))
        self.assertIn("heading 12.0°", page.text("#summary"))
        self.assertIn("squelch open", page.text(".item[data-channel=beacon]"))
        self.assertIn("squelch closed", page.text(".item[data-channel=voice]"))
        self.assertIn("shape calibrated, north unknown", page.text("#calibration-text"))
        self.assertIn("network is unreachable", page.text("#outputs"))
        self.assertIn("data flow from 127.0.0.1:5000", page.text("#radio-state"))
        self.assertIn("received frames", page.text("#radio-facts"))
        self.assertEqual(
            page.evaluate("document.querySelectorAll('#elements g[data-element]').length"), 5)
        self.assert_readable(page, SIZES[size][0])

        # Without the token, with a wrong one, with the right one.
        page.do("fill", selector="#frequency", value="434.5")
        page.do("click", selector="#retune-form button")
        page.wait_for_text("#answer", "enter the token first")
        page.do("fill", selector="#token", value="this-is-not-the-token")
        page.do("press", key="Enter")
        page.wait_for_text("#answer", "the token is wrong")
        self.assertIsNone(page.evaluate("sessionStorage.getItem('bearing-receiver-token')"))
        page.do("fill", selector="#token", value=self.token)
        page.do("press", key="Enter")
        page.wait_for_text("#answer", "token taken")
        self.assertEqual(page.evaluate("localStorage.length"), 0)
        self.assertEqual(pretended.commands, [])

        page.do("click", selector="#retune-form button")
        page.wait_for_text("#answer", "retuned to 434.500 MHz")
        page.wait_for_text("#summary", "434.500 MHz")
        page.do("fill", selector="#frequency", value="5 MHz")
        page.do("press", key="Enter")
        page.wait_for_text("#answer", "the radio takes 24 MHz to 1766 MHz")
        page.do("fill", selector="#frequency", value="much")
        page.do("press", key="Enter")
        page.wait_for_text("#answer", "a frequency is written like")
        page.do("fill", selector="#frequency", value="1,200 MHz")
        page.do("press", key="Enter")
        page.wait_for_text("#answer", "without a comma for thousands")
        page.do("fill", selector="#gain", value="30.5")
        page.do("press", key="Enter")
        page.wait_for_text("#answer", "gain set to 30.5 dB")
        page.do("select", selector="#sources-channel", value="voice")
        # Someone else's change is not taken back by whoever sets what stood here.
        pretended.num_sources["voice"] = 2
        page.wait("document.querySelector('#sources').value === '2'")
        page.do("select", selector="#sources", value="3")
        page.do("click", selector="#sources-form button")
        page.wait_for_text("#answer", "voice looks for 3")
        page.wait_for_text(".item[data-channel=voice]", "3 sources")
        self.assertEqual(pretended.commands, [
            ("retune", {"frequency_hz": 434.5e6}),
            ("set_gain", {"gain_db": 30.5}),
            ("set_num_sources", {"channel": "voice", "num_sources": 3}),
        ])
        page.evaluate("window.scrollTo(0, 0)")
        page.do("screenshot", path=str(BUILD_DIR / "tests" / "web" / f"{size}.png"))
        page.do("screenshot", path=str(BUILD_DIR / "tests" / "web" / f"{size}_all.png"), full=True)
        self.assert_clean(page, server, but=("401", "400"))

    def assert_readable(self, page, width):
        # Nothing has to be moved sideways.
        self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), width)
        # Everything that takes input has a name.
        nameless = page.evaluate(
            "[...document.querySelectorAll('input, select, button')].filter((e) =>"
            " !(e.getAttribute('aria-label') || e.textContent.trim() && e.matches('button')"
            " || [...(e.labels ?? [])].some((l) => l.textContent.trim()))).map((e) => e.outerHTML)"
        )
        self.assertEqual(nameless, [])
        unnamed = page.evaluate(
            "[...document.querySelectorAll('[role=img], section')].filter((e) =>"
            " !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby')))"
            ".map((e) => e.id)"
        )
        self.assertEqual(unnamed, [])
        # All controls are reached by the Tab key.
        page.evaluate("document.body.focus()")
        reached = set()
        for _ in range(24):
            page.do("press", key="Tab")
            reached.add(page.evaluate("document.activeElement.id"))
        self.assertLessEqual(
            {"whole-circle", "span", "token", "frequency", "gain", "sources-channel", "sources"},
            reached)

    def test_page_comes_back_after_the_receiver_does(self):
        pretended, server = self.pretended(address=OWN_ADDRESS)
        page = self.opened("restart", server)
        page.wait_for_text("#link", "live")
        page.wait_for_text(".bearing[data-channel=beacon] .angle", "84.0°")
        port = server.port
        server.stop()
        page.wait_for_text("#link", "trying again")
        page.wait_for_text(".bearing[data-channel=beacon]", "no bearings for")
        self.serve(pretended, address=OWN_ADDRESS, port=port)
        page.wait("document.querySelector('#link').textContent === 'live'")
        page.wait("!document.querySelector('.bearing.stale')")

    def test_page_asks_for_the_token_where_reading_needs_it(self):
        _, server = self.pretended(read_token=True)
        page = self.opened("read", server, "phone", scheme="dark")
        page.wait_for_text("#link", "needs the token")
        self.assertNotIn("433.920", page.text("body"))
        # Nothing but the field, without scrolling, and ready to be typed into.
        self.assertEqual(page.evaluate(
            "[...document.querySelectorAll('section, form')].filter((e) => e.checkVisibility())"
            ".map((e) => e.id)"), ["control", "token-form"])
        self.assertEqual(page.evaluate("document.activeElement.id"), "token")
        self.assertLess(page.evaluate(
            "document.querySelector('#token').getBoundingClientRect().bottom"), 844)
        page.do("fill", selector="#token", value=self.token)
        page.do("press", key="Enter")
        page.wait("document.querySelector('#link').textContent === 'live'")
        page.wait_for_text(".bearing[data-channel=beacon] .angle", "84.0°")
        self.assertEqual(page.evaluate(
            "[...document.querySelectorAll('section')].filter((e) => !e.checkVisibility()).length"),
            0)
        self.assert_clean(page, server, but=("401",))

    def test_without_a_heading_the_array_is_up_until_there_is_one(self):
        pretended, server = self.pretended()
        pretended.heading_deg = None
        page = self.opened("heading", server)
        checked = "document.querySelector('#frame input:checked').value"
        page.wait_for_text(".bearing[data-channel=beacon] .angle", "72.0°")
        self.assertEqual(page.evaluate(checked), "array")
        self.assertIn("heading unknown", page.text("#summary"))
        self.assertEqual(page.evaluate("document.querySelectorAll('.front').length"), 0)
        # As it was wanted before.
        pretended.heading_deg = HEADING_DEG
        page.wait_for_text(".bearing[data-channel=beacon] .angle", "84.0°")
        self.assertEqual(page.evaluate(checked), "true")

    def test_names_from_outside_are_text(self):
        pretended, server = self.pretended()
        bad = "<img src=x onerror=document.title='run'>"
        pretended.messages = [bad]
        page = self.opened("names", server)
        page.wait_for_text("#log", bad)
        self.assertEqual(page.evaluate("document.querySelectorAll('img').length"), 0)
        self.assert_clean(page, server)


class tag_log(gr.sync_block):
    """Keeps the values of a stream's rx_freq tags, in order."""

    def __init__(self):
        gr.sync_block.__init__(self, "tag_log", [np.complex64], [])
        self.frequencies = []

    def work(self, input_items, output_items):
        count = len(input_items[0])
        for tag in self.get_tags_in_window(0, 0, count, pmt.intern("rx_freq")):
            self.frequencies.append(pmt.to_double(tag.value))
        return count


class logged_kraken(gr.hier_block2):
    """A kraken_source with the tags of its first stream kept."""

    def __init__(self, source, num_streams, log):
        sizes = [gr.sizeof_gr_complex] * num_streams
        gr.hier_block2.__init__(
            self, "logged_kraken", gr.io_signature(0, 0, 0),
            gr.io_signature.makev(num_streams, num_streams, sizes),
        )  # fmt: skip
        for k in range(num_streams):
            self.connect((source, k), (self, k))
        self.connect((source, 0), log)
        for name in ("set_frequency", "set_gain", "frequency", "sample_rate", "state", "counters",
                     "is_receiving"):  # fmt: skip
            setattr(self, name, getattr(source, name))


RECEIVER = """
station: {{name: hill, latitude: 47.5, longitude: 8.7, heading_deg: 12.0}}
radio:
  kind: kraken
  protocol: v1
  data_port: {data_port}
  control_port: {control_port}
  frequency_hz: 433.92e6
  sample_rate_hz: 48e3
  gain_db: 28.0
array: {{kind: uca, elements: 5, radius_m: 0.25}}
channels:
  - {{name: beacon, offset_hz: 6e3, bandwidth_hz: 4e3, num_sources: 1}}
  - {{name: visitor, offset_hz: -6e3, bandwidth_hz: 4e3, num_sources: 1}}
estimator: {{method: music, interval_s: 0.2, spectrum_points: 360}}
outputs:
  - {{kind: json_lines, target: bearings.jsonl}}
state_folder: {folder}
"""


class qa_web_receiver(page_tests):
    """The page of a real receiver with the server of a KrakenSDR that is none."""

    def test_a_retune_from_the_page_is_seen_in_tags_and_bearings(self):
        folder = self.token_file.parent
        # It goes through the states of a real one.
        kraken = self.enterContext(kraken_simulator(
            "v1", [72.0], snr_db=10.0, sample_rate=48e3, retune=True))
        path = folder / "receiver.yaml"
        path.write_text(RECEIVER.format(
            folder=folder, data_port=kraken.data_port, control_port=kraken.control_port))
        logs = []

        def logged_radio(*arguments):
            radio = make_radio(*arguments)
            logs.append(tag_log())
            radio.block = logged_kraken(radio.block, radio.num_elements, logs[-1])
            return radio

        running = receiver(load_config(path), make_radio=logged_radio)
        bearings = []
        running.subscribe(lambda kind, what: kind == "bearing" and bearings.append(what))
        running.start()
        self.addCleanup(running.stop)
        server = self.serve(running)
        page = self.opened("receiver", server)
        for channel in ("beacon", "visitor"):
            page.wait_for_text(f".bearing[data-channel={channel}] .angle", "8")
        self.assertIn("433.920 MHz", page.text("#summary"))
        drawn, said = self.drawn(page), page.text(".bearing[data-channel=beacon] .angle")
        # 72 degrees to an array that points to 12; tenths are what 10 dB allow.
        self.assertAlmostEqual(drawn["beacon"][0], 84.0, delta=2.0)
        self.assertAlmostEqual(float(said.split("°")[0]), 84.0, delta=2.0)
        rebuilds = running.snapshot()["radio"]["counters"]["rebuilds"]

        page.do("fill", selector="#token", value=self.token)
        page.do("press", key="Enter")
        page.wait_for_text("#answer", "token taken")
        page.do("fill", selector="#frequency", value="434.5 MHz")
        page.do("press", key="Enter")
        page.wait_for_text("#answer", "retuned to 434.500 MHz")
        page.wait_for_text("#summary", "434.500 MHz")
        page.wait_for_text(".item[data-channel=beacon]", "434.506 MHz")
        # A channel's bearings tell its centre: the radio's frequency and its offset.
        wanted = {"beacon": 434.506e6, "visitor": 434.494e6}
        found = lambda: {each["channel"]: each["frequency_hz"] for each in bearings[-4:]}
        self.assertTrue(wait_for(lambda: found() == wanted), found())
        self.assertEqual(kraken.frequency, 434.5e6)
        # In the stream of the same radio, which ran on.
        self.assertEqual(len(logs), 1)
        self.assertTrue(wait_for(lambda: 434.5e6 in logs[0].frequencies))
        frequencies = list(logs[0].frequencies)
        self.assertEqual(list(dict.fromkeys(frequencies)), [433.92e6, 434.5e6])
        self.assertEqual(frequencies, sorted(frequencies))
        self.assertEqual(running.snapshot()["radio"]["counters"]["rebuilds"], rebuilds)

        # What the array or the radio cannot take is told, and nothing ends.
        for frequency, sentence in (("5 kHz", "frequency_hz"), ("5 Hz", "1 kHz to 1 THz")):
            page.do("fill", selector="#frequency", value=frequency)
            page.do("press", key="Enter")
            page.wait_for_text("#answer", sentence)
        page.do("fill", selector="#gain", value="150")
        page.do("press", key="Enter")
        page.wait_for_text("#answer", "gain")
        page.wait("document.querySelector('#answer').className === 'bad'")
        self.assertEqual(running.snapshot()["radio"]["frequency_hz"], 434.5e6)
        self.assertEqual(running.snapshot()["radio"]["gain_db"], 28.0)

        page.do("select", selector="#sources-channel", value="visitor")
        page.do("select", selector="#sources", value="2")
        page.do("click", selector="#sources-form button")
        page.wait_for_text(".item[data-channel=visitor]", "2 sources")
        self.assertEqual(running.snapshot()["channels"][1]["num_sources"], 2)
        self.assertEqual(len(logs), 1)
        self.assert_clean(page, server, but=("400",))


class qa_web_words(unittest.TestCase):
    """Modules of the page that need no browser."""

    def run_in_node(self, module, expression):
        node = shutil.which("node")
        if node is None:
            self.skipTest("no node (Debian: nodejs)")
        # Files of a folder without package.json: node would take .js for another kind of module.
        with tempfile.TemporaryDirectory(prefix="bearing-web-") as folder:
            for file in PAGE.glob("*.js"):
                shutil.copy(file, folder)
            Path(folder, "package.json").write_text('{"type": "module"}')
            program = (
                f'import * as m from "./{module}";\n'
                f"process.stdout.write(JSON.stringify({expression}));\n"
            )
            Path(folder, "run.mjs").write_text(program)
            run = subprocess.run(
                [node, "run.mjs"], cwd=folder, capture_output=True, text=True, timeout=60
            )
        self.assertEqual(run.returncode, 0, run.stderr)
        return json.loads(run.stdout)

    def test_bearings_are_written_as_in_the_displays(self):
        angles = [0.0, 0.04, 72.1, 179.96, 359.94, 359.96, 360.0, -0.3, 725.5, 123.456]
        deviations = [None, -1.0, 0.0, 0.001, 0.0049, 0.02, 0.094, 0.096, 1.23, 45.0]
        pairs = [[angle, std] for angle in angles for std in deviations]
        found = self.run_in_node(
            "words.js", f"{json.dumps(pairs)}.map(([a, s]) => m.bearingText(a, s))")
        wanted = [
            words.bearing_text(angle, math.nan if std is None else std) for angle, std in pairs
        ]
        self.assertEqual(found, wanted)

    def test_frequencies_are_read_and_written(self):
        texts = {
            "433.92": 433.92e6, "433.92 MHz": 433.92e6, " 868,3 mhz": 868.3e6, "1.2 GHz": 1.2e9,
            "433920000 Hz": 433.92e6, "433.92e6 hz": 433.92e6, "25 kHz": 25e3, "145m": 145e6,
            "": None, "MHz": None, "-5": None, "433.92 MHzz": None, "1e": None, "NaN": None,
            "433 920": None, "1,200 MHz": None, "868,300": None, "1,2 GHz": 1.2e9,
            "868,3000": 868.3e6, "12 constructor": None, "12 toString": None, "12 __proto__": None,
        }  # fmt: skip
        found = self.run_in_node("words.js", f"{json.dumps(list(texts))}.map(m.parseFrequency)")
        self.assertEqual(found, list(texts.values()))
        for hertz, text in ((433.92e6, "433.920 MHz"), (433.920001e6, "433.920001 MHz"),
                            (1.2e9, "1200.000 MHz"), (12.5e3, "12.5 kHz"), (50.0, "50 Hz"),
                            (-49995.0, "below 0 Hz")):
            self.assertEqual(self.run_in_node("words.js", f"m.frequencyText({hertz})"), text)

    # What a canvas is told, in a browser's place.
    CANVAS = """
        globalThis.window = { devicePixelRatio: 1 };
        globalThis.Path2D = class {};
        globalThis.getComputedStyle = () =>
          ({ getPropertyValue: (name) => name, fontFamily: "sans-serif" });
        const told = { texts: [], bands: [], marks: [] };
        let rects = [];
        const pen = new Proxy({
          beginPath() { rects = []; },
          rect(...numbers) { rects.push(numbers); },
          fill(path) { if (!path) told.bands.push({ colour: pen.fillStyle, rects }); },
          fillText(text, x, y) { told.texts.push([text, x, y]); },
          translate(x, y) { told.marks.push([pen.fillStyle, x, y]); },
        }, { get: (target, name) => name in target ? target[name] : () => {} });
        const canvas = { clientWidth: 500, clientHeight: 216, getContext: () => pen,
                         setAttribute() {} };
    """

    def drawn_history(self, is_whole, *bearings):
        """What is drawn of (channel, seconds ago, angle, deviation) over a minute."""
        adds = "".join(
            f"track.add('{channel}', {1000 - ago}, {{true_bearing_deg: [{angle}], "
            f"angles_deg: [{angle - 12}], std_deg: [{json.dumps(deviation)}]}});"
            for channel, ago, angle, deviation in bearings
        )
        return self.run_in_node(
            "track.js",
            f"(() => {{ {self.CANVAS} const track = new m.Track(canvas); {adds}"
            "track.draw('true', (name) => ['a', 'b'].indexOf(name), 1000, 60, "
            f"{json.dumps(is_whole)}); return told; }})()",
        )

    def test_history_is_drawn_upwards_with_its_deviations(self):
        for is_whole in (True, False):
            told = self.drawn_history(
                is_whole, ("a", 40, 100.0, 8.0), ("a", 20, 110.0, 8.0), ("b", 20, 90.0, None))
            degrees = [(y, float(t[:-1])) for t, _, y in told["texts"] if t.endswith("°")]
            angle_at = through(degrees[0], degrees[-1])
            self.assertLess(angle_at(1.0), angle_at(0.0))
            ago = {t: x for t, x, _ in told["texts"]}
            seconds_at = through((ago["\u221245 s"], 45.0), (ago["\u221215 s"], 15.0))
            wanted = [("--series-0", 40, 100.0), ("--series-0", 20, 110.0),
                      ("--series-1", 20, 90.0)]  # fmt: skip
            self.assertEqual(len(told["marks"]), 3)
            for (colour, x, y), (series, seconds, angle) in zip(told["marks"], wanted):
                self.assertEqual(colour, series)
                self.assertAlmostEqual(seconds_at(x), seconds, places=6)
                self.assertAlmostEqual(angle_at(y), angle, places=6)
            # The channel without a deviation has no band.
            band, = told["bands"]
            self.assertEqual((band["colour"], len(band["rects"])), ("--series-0", 2))
            for (x, y, width, height), (_, seconds, angle) in zip(band["rects"], wanted):
                self.assertAlmostEqual(seconds_at(x + width / 2), seconds, places=6)
                self.assertAlmostEqual(angle_at(y), angle + 8.0, places=6)
                self.assertAlmostEqual(angle_at(y + height), angle - 8.0, places=6)

    def test_a_band_goes_on_at_the_other_side_of_the_circle(self):
        told = self.drawn_history(True, ("a", 20, 357.0, 10.0))
        degrees = [(y, float(t[:-1])) for t, _, y in told["texts"] if t.endswith("°")]
        angle_at = through(degrees[0], degrees[-1])
        ends = sorted((angle_at(y + h), angle_at(y)) for _, y, _, h in told["bands"][0]["rects"])
        for found, wanted in zip(ends, ((-13.0, 7.0), (347.0, 367.0)), strict=True):
            for a, b in zip(found, wanted):
                self.assertAlmostEqual(a, b, places=6)

    def test_rounding_is_no_move(self):
        rows = self.run_in_node("array_picture.js", """(() => {
            const element = () => ({ append() {}, setAttribute() {}, dataset: {} });
            globalThis.document = { createElementNS: element };
            const svg = { replaceChildren() {} };
            const array = { positions_m: [[0, 0, 0], [0, 0.1, 0]] };
            return [1e-16, 9e-6, 2e-5].map((x) =>
              m.drawElements(svg, array, { positions_m: [[0, 0, 0], [x, 0, 0]] }));
        })()""")
        self.assertEqual([bool(said) for said in rows], [False, False, True])

    def test_history_is_shown_around_its_bearings(self):
        def fitted(*angles):
            points = [{"angle": angle} for angle in angles]
            return self.run_in_node("track.js", f"m.fittedRange({json.dumps(points)})")

        low, high = fitted(350.0, 5.0, 358.0)
        # Across north, 20 degrees wide at least.
        self.assertTrue(low <= 350.0 and high >= 365.0 and 15.0 <= high - low <= 25.0)
        self.assertEqual(fitted(), [0, 360])
        self.assertEqual(fitted(0.0, 90.0, 180.0, 270.0), [0, 360])
        self.assertEqual(fitted(100.0), [90, 110])


if __name__ == "__main__":
    unittest.main()
