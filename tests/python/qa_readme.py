#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What README.md promises: its first flowgraph runs as printed, its files exist."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

from gnuradio import bearing

SOURCE_DIR = pathlib.Path(
    os.environ.get("BEARING_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2])
)


def links(page):
    """Relative targets of Markdown links and pictures, without their anchors."""
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    return {t.split("#")[0] for t in targets if "://" not in t and not t.startswith("#")}


class qa_readme(unittest.TestCase):
    def test_first_flowgraph_prints_the_bearing(self):
        readme = (SOURCE_DIR / "README.md").read_text(encoding="utf-8")
        program = re.search(r"```python\n(.*?)```", readme, re.DOTALL).group(1)
        truth = float(re.search(r"angles_deg=\[([\d.]+)\]", program).group(1))

        # PYTHONPATH leads the program to the module that this test has, not to an installed one.
        environment = dict(os.environ, PYTHONIOENCODING="utf-8")
        stage = pathlib.Path(bearing.__file__).resolve().parents[2]
        self.assertIn(str(stage), environment.get("PYTHONPATH", ""))
        output = subprocess.run(
            [sys.executable, "-B", "-c", program],
            env=environment,
            check=True,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        ).stdout

        lines = output.splitlines()
        self.assertGreater(len(lines), 10)
        for line in lines:
            angle, std, status = re.fullmatch(r"([\d.]+)° ± ([\d.]+)° (\w+)", line).groups()
            self.assertEqual(status, "ok")
            # Five deviations: one in two million goes further, and the seed is fixed.
            self.assertLess(abs(float(angle) - truth), 5 * float(std), line)
            # A circle of five at 10 dB and 1000 snapshots: the Cramer-Rao bound is 0.11 degrees.
            self.assertLess(float(std), 0.2, line)

    def test_links_lead_to_files(self):
        pages = [SOURCE_DIR / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
        pages += sorted((SOURCE_DIR / "docs").glob("*.md"))
        self.assertGreater(len(pages), 10)
        for page in pages:
            for target in links(page):
                with self.subTest(page=page.name, target=target):
                    self.assertTrue((page.parent / target).exists())

    def test_every_page_is_in_the_index(self):
        docs = SOURCE_DIR / "docs"
        pages = {page.name for page in docs.glob("*.md")} - {"README.md"}
        self.assertEqual(pages, pages & links(docs / "README.md"))


if __name__ == "__main__":
    unittest.main()
