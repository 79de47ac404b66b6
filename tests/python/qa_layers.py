#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The house keeps its layers: core knows no GNU Radio, and its topics form no circle."""

import re
import unittest

from support import SOURCE_DIR

# Each topic and those it may use.
ALLOWED = {
    "array": set(),
    "covariance": {"array"},
    "subspace": {"array", "covariance"},
    "calibration": {"array", "covariance", "subspace"},
    "coupling": {"array", "covariance", "subspace", "calibration"},
    "propagation": {"array"},
    "simulation": {"array"},
}
ROOTS = (SOURCE_DIR / "include/gnuradio/bearing/core", SOURCE_DIR / "lib/core")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def complaints(topic, text):
    """What is wrong with the includes of a core file of this topic."""
    found = []
    for bracket, name in INCLUDE.findall(text):
        if name.startswith("pmt/"):
            found.append(f"includes {name}")
        if name.startswith("gnuradio/"):
            if name == "gnuradio/bearing/api.h":
                continue
            match = re.match(r"gnuradio/bearing/core/(\w+)/", name)
            if not match:
                found.append(f"includes {name}")
            elif match[1] != topic and match[1] not in ALLOWED[topic]:
                found.append(f"topic {topic} may not use {match[1]} ({name})")
        if bracket == '"' and "/" in name:
            found.append(f"reaches into another folder: {name}")
    return found


def core_files():
    for root in ROOTS:
        for path in sorted(root.rglob("*")):
            if path.suffix in (".h", ".cc"):
                yield path, path.relative_to(root).parts[0]


class qa_layers(unittest.TestCase):
    def test_core_includes_no_gnu_radio_and_respects_the_arrows(self):
        files = list(core_files())
        self.assertGreater(len(files), 30)
        wrong = [
            f"{path.relative_to(SOURCE_DIR)} {complaint}"
            for path, topic in files
            for complaint in complaints(topic, path.read_text())
        ]
        self.assertEqual(wrong, [])

    def test_every_core_folder_is_a_known_topic(self):
        self.assertLessEqual({topic for _, topic in core_files()}, set(ALLOWED))

    def test_sources_mirror_headers(self):
        headers, sources = ({p.relative_to(r).with_suffix("") for p in r.rglob(e)}
                            for r, e in zip(ROOTS, ("*.h", "*.cc")))
        # A public header without a source of its own holds declarations only.
        declarations = {str(h) for h in headers - sources}
        self.assertLessEqual(declarations, {"subspace/bearing_estimate"})

    def test_the_check_sees_what_is_forbidden(self):
        self.assertTrue(complaints("array", "#include <gnuradio/block.h>"))
        self.assertTrue(complaints("array", "#include <pmt/pmt.h>"))
        self.assertTrue(complaints("array", "#include <gnuradio/bearing/music.h>"))
        self.assertTrue(
            complaints("array", "#include <gnuradio/bearing/core/subspace/music.h>")
        )
        self.assertTrue(
            complaints("covariance", "#include <gnuradio/bearing/core/simulation/scene.h>")
        )
        self.assertFalse(
            complaints("subspace", "#include <gnuradio/bearing/core/covariance/smoothing.h>")
        )
        self.assertFalse(complaints("array", "#include <gnuradio/bearing/api.h>"))

    def test_every_file_names_its_licence(self):
        kinds = {".h", ".cc", ".py", ".sh", ".cmake", ".yml", ".txt"}
        without = []
        for folder in ("include", "lib", "python", "grc", "tests", "examples", "cmake", "docs"):
            for path in (SOURCE_DIR / folder).rglob("*"):
                named = path.suffix in kinds and path.name != "apt-packages.txt"
                if path.is_file() and named and "__pycache__" not in path.parts:
                    if "SPDX-License-Identifier: GPL-3.0-or-later" not in path.read_text():
                        without.append(str(path.relative_to(SOURCE_DIR)))
        self.assertEqual(without, [])


if __name__ == "__main__":
    unittest.main()
