#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""tests/benchmarks/report.py: that it tells what was measured, and of nothing else. No figure of it
is judged here: this machine may be any, and busy."""

import json
import math
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import BUILD_DIR, SOURCE_DIR

BENCHMARKS = SOURCE_DIR / "tests" / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import report
from targets import TARGETS, Case, Target

ALL_TARGETS = ["A1", "A2", "A3", "A4", "A5", "A6", "C1", "D1", "E1", "F1", "F1b", "F2",
               "G1", "G2"]


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
            self.assertEqual(run.returncode, 0, run.stderr)
            text = page.read_text(encoding="utf-8")
            results = json.loads(said.read_text())["results"]["quiet"]
            self.assertEqual(figure.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(target_rows(text), ALL_TARGETS)
        self.assertNotIn("nan", text)

        programs = ["covariance_numpy.py", "cpu_share.py"]
        # Google Benchmark is optional.
        if (BUILD_DIR / "tests" / "benchmarks" / "bm_covariance").exists():
            programs.append("bm_covariance")
        for program in programs:
            self.assertTrue(results[program], f"{program}: {run.stderr}")
            for name, counters in results[program].items():
                for key, value in counters.items():
                    self.assertTrue(math.isfinite(value), f"{name}: {key}")
                    if "ratio" in key or "vs_" in key or "share" in key:
                        self.assertGreater(value, 0.0, f"{name}: {key}")

    def test_every_target_is_there_once(self):
        self.assertEqual([target.name for target in TARGETS], ALL_TARGETS)

    def test_what_is_not_measured_is_said_and_not_made_up(self):
        page = report.markdown({"quiet": {}}, {}, {})
        self.assertEqual(target_rows(page), ALL_TARGETS)
        for row in re.findall(r"^\| [A-Z]\d\w? \|.*\|$", page, re.MULTILINE):
            self.assertIn("not measured", row)
            self.assertNotIn("| yes |", row)

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
