#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What CTest makes of a Python test program that skips tests."""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import BUILD_DIR

PROGRAM = """
import sys
import unittest

class toy(unittest.TestCase):
    @unittest.skip("no data")
    def test_that_is_skipped(self):
        pass

    def test_that_runs(self):
        self.assertTrue({passes})

unittest.main()
"""


class qa_ctest(unittest.TestCase):
    def result(self, passes):
        """(exit code, output) of CTest on such a program, with the rule of this build."""
        rules = (BUILD_DIR / "tests" / "CTestTestfile.cmake").read_text()
        rule = re.search(r'SKIP_REGULAR_EXPRESSION "(?:[^"\\]|\\.)*"', rules).group()
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder, "toy.py")
            program.write_text(PROGRAM.format(passes=passes))
            Path(folder, "CTestTestfile.cmake").write_text(
                f'add_test(toy "{sys.executable}" "{program}")\n'
                f"set_tests_properties(toy PROPERTIES {rule})\n")
            run = subprocess.run(["ctest"], cwd=folder, capture_output=True, text=True)
            return run.returncode, run.stdout

    def test_a_program_that_only_skips_is_shown_as_skipped(self):
        code, output = self.result(passes=True)
        self.assertEqual(code, 0, output)
        self.assertIn("Skipped", output)

    def test_a_program_that_skips_and_fails_has_failed(self):
        code, output = self.result(passes=False)
        self.assertNotEqual(code, 0, output)
        self.assertIn("Failed", output)


if __name__ == "__main__":
    unittest.main()
