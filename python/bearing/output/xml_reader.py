# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML that others wrote, read with care."""

import xml.etree.ElementTree as ElementTree

_LARGEST = 1 << 20


def parse(text, root_name):
    """The root element, which must have that name. Neither document types nor entities pass.

    text: str or bytes, up to 1 MB. Raises ValueError saying what is wrong.
    """
    # Imported here: programs that only write need not have it.
    from defusedxml import DefusedXmlException
    from defusedxml import ElementTree as safe_element_tree

    if len(text) > _LARGEST:
        raise ValueError(f"XML of {len(text)} bytes; it must be at most {_LARGEST}")
    try:
        root = safe_element_tree.fromstring(text, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, UnicodeError, LookupError) as error:
        raise ValueError(f"this is no XML that can be read: {error}") from None
    if root.tag != root_name:
        raise ValueError(f"the root element is {root.tag[:60]!r}; it must be {root_name}")
    return root


def child_text(element, path):
    """Text of a descendant, "" for an empty one; ValueError when there is none."""
    text = element.findtext(path)
    if text is None:
        raise ValueError(f"{path} is missing")
    return text.strip()
