#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the tables of keys in docs/receiver.md anew, from the schema of the file."""

import json
from pathlib import Path

from gnuradio.bearing.receiver.schema_check import schema

PAGE = Path(__file__).with_name("receiver.md")
BEGIN, END = "<!-- keys: made by make_receiver_tables.py -->\n", "<!-- end of keys -->\n"

# Heading of each section, and the definitions of its table, with what they are in.
SECTIONS = (
    ("station", [("station", ""), ("gpsd", "gpsd.")]),
    ("radio", [
        ("radio_kraken", ""), ("radio_usrp", ""), ("realign", "realign."), ("radio_soapy", ""),
        ("radio_file", ""), ("radio_simulator", ""),
    ]),
    ("array", [("array_uca", ""), ("array_ula", ""), ("array_custom", "")]),
    ("calibration", [("calibration", "")]),
    ("channels", [("channel", ""), ("squelch", "squelch.")]),
    ("estimator", [("estimator", "")]),
    ("outputs", [
        ("output_json_lines", ""), ("output_csv", ""), ("output_zmq", ""),
        ("output_kraken_csv", ""), ("output_kraken_xml", ""), ("output_kraken_json", ""), ("output_df_aggregator_xml", ""),
        ("output_tak", ""),
    ]),
    ("web", [("web", "")]),
)


def tables():
    """Markdown: a heading and a table for each section."""
    text = ""
    for name, definitions in SECTIONS:
        text += f"\n### {name}\n\n| key | meaning | default |\n|---|---|---|\n"
        for definition, prefix in definitions:
            text += "".join(rows(schema()["$defs"][definition], prefix))
    entry = schema()["properties"]["state_folder"]
    text += "\n### state_folder\n\n" + entry["description"] + ".\n"
    return text


def rows(definition, prefix):
    required = definition.get("required", ())
    for key, entry in definition["properties"].items():
        if key == "kind":
            yield f"| **`kind: {entry['const']}`** | {entry['description']} | |\n"
        elif "$ref" not in entry:
            description, _, told = entry["description"].partition("; default: ")
            if not told:
                description, _, told = description.partition(". Default: ")
            if key in required:
                told = "required"
            elif not told and "default" in entry:
                told = f"`{plain(entry['default'])}`" if entry["default"] != "" else ""
            choices = choices_of(entry)
            if choices:
                description += f" ({choices})"
            yield f"| `{prefix}{key}` | {description} | {told} |\n".replace("|  |", "| |")


def choices_of(entry):
    """Words that a value may be, where the description does not name them all."""
    words = [value for value in entry.get("enum", ()) if isinstance(value, str)]
    if all(word in entry["description"] for word in words):
        return ""
    return ", ".join(f"`{word}`" for word in words)


def plain(value):
    """As one writes it: 2.4e6, not 2400000.0."""
    if isinstance(value, float):
        if value >= 1e4:
            exponent = 6 if value >= 1e6 else 3
            return f"{value / 10**exponent:g}e{exponent}"
        return f"{value:g}"
    if isinstance(value, list):
        return "[" + ", ".join(map(plain, value)) + "]"
    return value if isinstance(value, str) else json.dumps(value)


def with_tables(page):
    """A page with the tables between its marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + tables() + "\n" + END + after


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
