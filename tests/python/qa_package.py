#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An application outside finds, links and runs the installed library; Python imports it."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import BUILD_DIR

CMAKE = """\
cmake_minimum_required(VERSION 3.16...3.25)
project(application CXX)
find_package(gnuradio-bearing REQUIRED)
add_executable(application main.cc)
target_link_libraries(application gnuradio::gnuradio-bearing)
"""
PROGRAM = """\
#include <gnuradio/bearing/music.h>
#include <iostream>
int main() {
    const auto array = gr::bearing::core::antenna_array::uniform_circle(5, 0.4);
    std::cout << gr::bearing::music::make(array, 1)->grid_deg().size() << std::endl;
}
"""


def run(*command, **options):
    result = subprocess.run([str(c) for c in command], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, **options)
    if result.returncode:
        raise AssertionError(f"{command}\n{result.stdout}")
    return result.stdout


class qa_package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.prefix = Path(cls.folder.name) / "prefix"
        run("cmake", "--install", BUILD_DIR, "--prefix", cls.prefix)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_a_five_line_project_finds_links_and_runs(self):
        source = Path(self.folder.name) / "application"
        source.mkdir()
        (source / "CMakeLists.txt").write_text(CMAKE)
        (source / "main.cc").write_text(PROGRAM)
        run("cmake", "-S", source, "-B", source / "build",
            f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", source / "build")
        self.assertEqual(run(source / "build" / "application").split()[-1], "512")

    def test_the_installed_python_package_imports(self):
        package = next(self.prefix.rglob("bearing/__init__.py"))
        environment = dict(os.environ, PYTHONPATH=str(package.parents[2]))
        program = ("from gnuradio import bearing; print(bearing.__file__);"
                   "print(bearing.array.ula(n=4, spacing=0.5).n)")
        output = run(sys.executable, "-c", program, env=environment).split()
        self.assertEqual(output, [str(package), "4"])

    def test_the_installed_library_finds_the_installed_weights(self):
        package = next(self.prefix.rglob("bearing/__init__.py"))
        environment = dict(os.environ, PYTHONPATH=str(package.parents[2]))
        environment.pop("GR_BEARING_WEIGHTS", None)
        program = ("from gnuradio import bearing; a = bearing.array.ula(n=8, spacing=0.5);"
                   "print(bearing.core.find_weights(a, 'coupling'))")
        (found,) = run(sys.executable, "-c", program, env=environment).split()
        self.assertTrue(found.startswith(str(self.prefix / "share/gnuradio-bearing")), found)

    def test_grc_blocks_and_headers_are_installed(self):
        blocks = list((self.prefix / "share/gnuradio/grc/blocks").glob("bearing_*.block.yml"))
        self.assertGreaterEqual(len(blocks), 6)
        self.assertTrue((self.prefix / "include/gnuradio/bearing/core/subspace/music.h").exists())


if __name__ == "__main__":
    unittest.main()
