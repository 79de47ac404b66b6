# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small XML file of the Kerberos app, at http://HOST:8081/DOA_value.html.

DOA: whole degrees clockwise from the array's +y axis, 0 to 359. CONF: 100 times the confidence in
dB, 0 unless the status is ok. PWR: power in dB relative to full scale, plus 100. It has room for
one direction, the strongest that was found, and for nothing else.
"""

import xml.etree.ElementTree as ElementTree

from .angle_conventions import whole_degrees, wrap_deg
from .confidence import confidence_db
from .kraken_fields import number, power_db, record_of, whole_number
from .xml_reader import child_text, parse


def encode(record):
    """A list of one document, or of none without a direction."""
    return [_document(record, index) for index in record.found[:1]]


def _document(record, index):
    fields = {
        "DOA": str(whole_degrees(wrap_deg(float(record.report.angles_deg[index])))),
        "CONF": str(int(confidence_db(record, index) * 100.0)),
        "PWR": f"{power_db(record, index) + 100.0:.1f}",
    }
    root = ElementTree.Element("DATA")
    root.text = "\n"
    for name, text in fields.items():
        child = ElementTree.SubElement(root, name)
        child.text, child.tail = text, "\n"
    return ElementTree.tostring(root, encoding="unicode")


def decode(text):
    """A list of one record, whose station is not known.

    Raises ValueError naming what is wrong.
    """
    root = parse(text, "DATA")
    whole_number(child_text(root, "CONF"), "CONF")
    return [
        record_of(
            azimuth_deg=float(wrap_deg(whole_number(child_text(root, "DOA"), "DOA"))),
            name="",
            position=(0.0, 0.0),
            heading_deg=None,
            power_db=number(child_text(root, "PWR"), "PWR") - 100.0,
        )
    ]
