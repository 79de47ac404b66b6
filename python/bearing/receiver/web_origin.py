# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names the web page is asked for by, and which pages may ask.

A browser lets any page send requests to any address. A page of someone else's is told by its
Origin; one whose own name suddenly leads to this machine (DNS rebinding) by the name in Host.
"""

import ipaddress
import re

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")


def host_name(host):
    """"example.org" of "Example.org:8080"; None for what is no host."""
    match = _HOST.fullmatch(host or "")
    return None if match is None else match[1].lower().rstrip(".")


def is_loopback(address):
    """Whether only this machine reaches a listening address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def is_allowed_host(host, allowed_hosts):
    """Whether the value of a Host header can be this server's: a number, which no name server
    leads elsewhere; localhost; or one of allowed_hosts, names without a port."""
    name = host_name(host)
    if name is None:
        return False
    try:
        ipaddress.ip_address(name.strip("[]"))
        return True
    except ValueError:
        pass
    return name == "localhost" or name in {allowed.lower().rstrip(".") for allowed in allowed_hosts}


def is_own_origin(origin, host):
    """Whether a request with this Origin header (None: none) comes from the page that this Host
    header's server gave. Programs other than browsers send none."""
    if origin is None:
        return True
    return origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")


def is_own_site(fetch_site):
    """Whether a Sec-Fetch-Site header (None: none) is that of the page itself, or of its user.

    Requests for pictures and scripts, which another site's page may make without an Origin, are
    told by it. Programs other than browsers send none, nor do browsers to everyone."""
    return fetch_site in (None, "same-origin", "none")
