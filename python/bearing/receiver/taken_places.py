# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and ports that two parts of a configuration must not both use."""

import re

# Of the kinds of outputs that are served by HTTP: what they are asked for.
PAGES = {
    "kraken_csv": "/DOA_value.html",
    "kraken_xml": "/DOA_value.html",
    "df_aggregator_xml": "/doa.xml",
}
_ANY = ("", "*", "0.0.0.0", "::")


class taken_files:
    """Names of files, and of those that they are put aside as: NAME.1, NAME.2, ..."""

    def __init__(self):
        self._taken = {}  # name: (how many are kept aside, whose)

    def take(self, name, whose, kept=0):
        """Whose file it is, in words, or None when it was free."""
        found = None
        for other, (others_kept, other_whose) in self._taken.items():
            if other == name:
                found = f"which is {other_whose}"
            elif _is_aside(name, other, others_kept) or _is_aside(other, name, kept):
                found = f"which is in the way of {other_whose}, {other}, when files are put aside"
        self._taken.setdefault(name, (kept, whose))
        return found


class taken_ports:
    """TCP ports that are listened at, and pages of those that answer by HTTP."""

    def __init__(self):
        self._taken = []  # (host, port, page, whose)

    def take(self, host, port, whose, page=None):
        """Whose it is, in words, or None when it was free.

        Pages of different names share the port of a host that is written alike.
        """
        found = None
        for other_host, other_port, other_page, other_whose in self._taken:
            is_shared = page and other_page and page != other_page and host == other_host
            if port and port == other_port and _overlap(host, other_host) and not is_shared:
                found = other_whose
        self._taken.append((host, port, page, whose))
        return found


def _overlap(*hosts):
    a, b = ("127.0.0.1" if host == "localhost" else host.strip("[]") for host in hosts)
    return a == b or a in _ANY or b in _ANY


def _is_aside(name, of, kept):
    match = re.fullmatch(re.escape(of) + r"\.([1-9][0-9]{0,3})", name)
    return bool(match) and int(match[1]) <= kept
