#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""tests/benchmarks/report.py: that it tells what was measured, and of nothing else. No figure of it
is judged here: this machine may be any, and busy."""

import contextlib
import copy
import io
import json
import math
import re
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

from support import BUILD_DIR, SOURCE_DIR

BENCHMARKS = SOURCE_DIR / "tests" / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import report
from targets import TARGETS, Case, Target

ALL_TARGETS = ["A1", "A2", "A3", "A4", "A5", "A6", "C1", "D1", "D1b", "E1", "F1", "F1b", "F2",
               "F2b", "G1", "G2"]


def target_rows(page):
    rows = re.findall(r"^\| ([A-Z]\d\w?) \|.*\|$", page, re.MULTILINE)
    return rows


class qa_performance_report(unittest.TestCase):
    def test_a_quick_run_has_a_row_for_every_target_and_positive_ratios(self):
        with tempfile.TemporaryDirectory() as folder:
            page, figure, said = (Path(folder, name) for name in ("a.md", "a.png", "a.json"))
            run = subprocess.run(
                [sys.executable, "-B", BENCHMARKS / "report.py", "--quick", "--programs",
                 BUILD_DIR / "tests" / "benchmarks", "--page", page, "--figure", figure,
                 "--json", said],
                capture_output=True, text=True, check=False)
            # Google Benchmark is optional.
            has_programs = (BUILD_DIR / "tests" / "benchmarks" / "bm_covariance").exists()
            self.assertEqual(run.returncode, 0 if has_programs else 1, run.stderr)
            text = page.read_text(encoding="utf-8")
            (condition, results), = json.loads(said.read_text())["results"].items()
            self.assertRegex(condition, r"^(quiet|as found, load average [\d.]+)$")
            self.assertEqual(figure.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(target_rows(text), ALL_TARGETS)
        self.assertNotIn("nan", text)

        programs = ["covariance_numpy.py", "cpu_share.py"]
        if has_programs:
            programs.append("bm_covariance")
        for program in programs:
            self.assertTrue(results[program], f"{program}: {run.stderr}")
            for name, counters in results[program].items():
                for key, value in counters.items():
                    self.assertTrue(math.isfinite(value), f"{name}: {key}")
                    if "ratio" in key or "vs_" in key or "share" in key:
                        self.assertGreater(value, 0.0, f"{name}: {key}")

    def test_a_report_that_could_not_be_written_is_not_begun(self):
        with tempfile.TemporaryDirectory() as folder:
            for option in ("--page", "--figure", "--json"):
                # One in a folder that is missing, and a folder itself.
                for path in (Path(folder, "missing", "file"), Path(folder)):
                    run = subprocess.run(
                        [sys.executable, "-B", BENCHMARKS / "report.py", "--quick", option, path],
                        capture_output=True, text=True, check=False)
                    self.assertEqual(run.returncode, 2)
                    self.assertIn(f"error: {option}: ", run.stderr)
                    self.assertNotIn("cpu_share.py", run.stderr)

    def test_every_target_is_there_once(self):
        self.assertEqual([target.name for target in TARGETS], ALL_TARGETS)

    def test_what_is_not_measured_is_said_and_not_made_up(self):
        page = report.markdown({"quiet": {}}, {}, {})
        self.assertEqual(target_rows(page), ALL_TARGETS)
        for row in re.findall(r"^\| [A-Z]\d\w? \|.*\|$", page, re.MULTILINE):
            self.assertIn("not measured", row)
            self.assertNotIn("| yes |", row)

    def test_a_program_that_is_missing_or_fails_is_a_failure(self):
        with tempfile.TemporaryDirectory() as folder:
            failing = Path(folder, "failing")
            failing.write_text("#!/bin/sh\nexit 3\n")
            failing.chmod(0o755)
            for program in ("missing", "failing"):
                failures = []
                self.assertEqual(report.run(program, None, Path(folder), failures), {})
                self.assertEqual(len(failures), 1)
                self.assertIn(program, failures[0])
        failures = []
        said = {"benchmarks": [{"name": "b/5/iterations:1", "error_occurred": True,
                                "error_message": "why", "real_time": 0.0}]}
        self.assertEqual(report.of_google_benchmark(said, failures), {})
        self.assertEqual(failures, ["b/5: why"])

    def test_the_exit_status_tells_of_a_missed_target_and_of_a_missing_program(self):
        reached = {}
        for target in TARGETS:
            for case in target.cases:
                name = re.sub(r"\(.*?\)[?*]|\\d\+", "", case.benchmark)
                name += "5" if name.endswith("/") else ""
                self.assertRegex(name, f"^{case.benchmark}$")
                counters = reached.setdefault(case.program, {}).setdefault(name, {})
                # Figures that more than one target judges reach the strictest.
                better = min if target.is_upper_bound else max
                counters[case.counter] = better(counters.get(case.counter, case.limit), case.limit)
                counters.update(case.requires)

        def status(results, *options, failing=(), busy_for_ever=True):
            def measure(plan, folder, failures):
                failures += failing
                return results

            @contextlib.contextmanager
            def busy_core():
                yield unittest.mock.Mock(poll=lambda: None if busy_for_ever else 0)

            with unittest.mock.patch.multiple(
                    report, measure=measure, busy_core=busy_core, run=lambda *_: {},
                    vector_kernel=lambda: "avx512"), \
                    unittest.mock.patch.object(sys, "argv", ["report.py", *options]), \
                    contextlib.redirect_stdout(io.StringIO()), \
                    contextlib.redirect_stderr(io.StringIO()):
                return report.main()

        self.assertEqual(status(reached), 0)
        self.assertEqual(status(reached, failing=["program: not there"]), 1)
        self.assertEqual(status({}), 1)
        slow = copy.deepcopy(reached)
        slow["bm_spectrum"]["spectrum/line/5/3601"]["ratio_vs_eigen"] = 29.0
        self.assertEqual(status(slow), 1)
        self.assertEqual(status(slow, "--quick"), 0)
        self.assertEqual(status(reached, "--load"), 0)
        self.assertEqual(status(reached, "--load", busy_for_ever=False), 1)

    def test_processor_time_tells_nothing_where_the_rate_was_not_reached(self):
        (target,) = (target for target in TARGETS if target.name == "G1")
        for rate, bearings, holds in ((1.0, 10.0, True), (0.97, 10.0, None), (1.0, 0.0, None)):
            results = {"cpu_share.py": {"receiver": {
                "ratio": 1.1, "rate_reached": rate, "bearings_a_second": bearings}}}
            self.assertIs(target.holds(results), holds)

    def test_the_worst_case_decides(self):
        def holds(*values, is_upper_bound=False):
            cases = tuple(Case(f"N = {n}", "p", f"b/{n}", "ratio", 2.0) for n in (4, 5))
            results = {"p": {f"b/{n}": {"ratio": v} for n, v in zip((4, 5), values)}}
            return Target("T", "", cases, is_upper_bound=is_upper_bound).holds(results)

        self.assertIs(holds(2.0, 3.0), True)
        self.assertIs(holds(3.0, 1.9), False)
        self.assertIsNone(holds(3.0))
        self.assertIs(holds(1.0), False)  # whatever the other one is
        self.assertIs(holds(2.0, 1.0, is_upper_bound=True), True)
        self.assertIs(holds(2.1, 1.0, is_upper_bound=True), False)

    def test_a_page_keeps_what_is_not_between_its_marks(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder, "page.md")
            page.write_text(f"before\n{report.BEGIN_MARK}\nold\n{report.END_MARK}\nafter\n")
            report.write_page(page, "new")
            self.assertEqual(
                page.read_text(),
                f"before\n{report.BEGIN_MARK}\n\nnew\n\n{report.END_MARK}\nafter\n")

    def test_the_busy_process_ends(self):
        started = []
        popen = subprocess.Popen

        def remember(*arguments, **named):
            started.append(popen(*arguments, **named))
            return started[-1]

        report.subprocess.Popen = remember
        self.addCleanup(setattr, report.subprocess, "Popen", popen)
        with self.assertRaises(KeyboardInterrupt):
            with report.busy_core():
                self.assertIsNone(started[0].poll())
                raise KeyboardInterrupt
        self.assertIsNotNone(started[0].poll())


if __name__ == "__main__":
    unittest.main()
