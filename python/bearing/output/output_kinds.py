# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of outputs: their formats, targets and options."""

import dataclasses
import math
import numbers
import re
from typing import Callable, Tuple

from . import (
    csv_lines,
    cursor_on_target,
    df_aggregator_xml,
    json_lines,
    kraken_csv,
    kraken_json,
    kraken_xml,
)
from .append_file import append_file
from .http_post import http_post, split_url
from .kraken_fields import VERSIONS, check_choice
from .state_file import state_file
from .udp_target import udp_target

MULTICAST = ("239.2.3.1", 6969)


@dataclasses.dataclass(frozen=True)
class output_kind:
    """What is written, and where to.

    options: names of OPTIONS that it takes, beyond COMMON.
    needs: what a record must have to be written: "direction", "position", "heading", "time".
    check_target: of the target and the options; raises ValueError without naming the target.
    make_target: of the target and the options; None for zmq, where GNU Radio's block is it.
    encode: of a record, the array's kind and the options: texts.
    """

    options: Tuple[str, ...]
    needs: Tuple[str, ...]
    check_target: Callable
    make_target: Callable
    encode: Callable


def _text(name, value):
    if not isinstance(value, str) or not value.isprintable() or len(value) > 1000:
        raise ValueError(f"{name} is {value!r:.60}; it must be printable text")
    return value


def _number(least, most, unit, kind=numbers.Real):
    def check(name, value):
        is_number = isinstance(value, kind) and not isinstance(value, bool)
        if not (is_number and math.isfinite(value) and least <= value <= most):
            whole = "a whole number" if kind is numbers.Integral else "a number"
            raise ValueError(
                f"{name} is {value!r:.60}; it must be {whole} of {unit} from {least:g} to {most:g}"
            )
        return value

    return check


def _interval(name, value):
    return value if value is None else _number(0, 86400, "seconds")(name, value)


def _bool(name, value):
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r:.60}; it must be True or False")
    return value


def _serve(name, value):
    _text(name, value)
    if value:
        host_and_port(name, value, least_port=0)
    return value


def _version(name, value):
    return check_choice(name, value, VERSIONS)


# name: (default, check).
OPTIONS = {
    "channel": ("", _text),
    "interval_s": (None, _interval),
    "rotate_mb": (10.0, _number(0, 1e6, "megabytes")),
    "keep": (5, _number(0, 1000, "files", numbers.Integral)),
    "append": (False, _bool),
    "serve": ("", _serve),
    "version": ("v1", _version),
    "timeout_s": (2.0, _number(0.01, 60, "seconds")),
    "range_km": (20.0, _number(0.001, 1000, "kilometres")),
    "stale_s": (10.0, _number(0.1, 86400, "seconds")),
    "ttl": (1, _number(0, 255, "networks", numbers.Integral)),
    "bind": (True, _bool),
    "with_spectrum": (False, _bool),
}

# Taken by all kinds.
COMMON = ("channel", "interval_s")


def host_and_port(name, text, least_port=1):
    """("127.0.0.1", 8081) of "127.0.0.1:8081" or "[::1]:8081"; ValueError names the option."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})", text)
    if not match or not least_port <= int(match[3]) <= 65535:
        raise ValueError(f"{name} is {text!r:.60}; it must be HOST:PORT")
    return match[1] or match[2], int(match[3])


def _check_file(target, options):
    if not target or target.endswith("/"):
        raise ValueError("it must be the name of a file")


def _check_state(target, options):
    if options.get("append"):
        if options["serve"]:
            raise ValueError(
                f"append is True and serve is {options['serve']!r}; what is served is the newest "
                "line, for which append must be False"
            )
    elif not target and options["serve"]:
        return
    _check_file(target, options)


def _check_url(target, options):
    split_url(target)


def _check_udp(target, options):
    if target != "multicast":
        host_and_port("target", _without_scheme(target))


def _check_zmq(target, options):
    if not re.fullmatch(r"tcp://\S+:(\*|[0-9]{1,5})|ipc://\S+", target):
        raise ValueError("it must be of the form tcp://HOST:PORT or ipc://PATH")


def _without_scheme(target):
    return target[len("udp://") :] if target.startswith("udp://") else target


def _make_state(page, content_type, by_channel=False):
    def make(target, options):
        serve = host_and_port("serve", options["serve"], 0) if options["serve"] else None
        return state_file(target, serve, page, content_type, by_channel)

    return make


def _make_kraken_csv(target, options):
    if options["append"]:
        return append_file(target, options["rotate_mb"], options["keep"])
    # Not HTML, whatever its name: a station's name is in it as it is.
    return _make_state("/DOA_value.html", "text/plain", by_channel=True)(target, options)


def _make_udp(target, options):
    if target == "multicast":
        return udp_target(*MULTICAST, options["ttl"])
    return udp_target(*host_and_port("target", _without_scheme(target)), options["ttl"])


KINDS = {
    "json_lines": output_kind(
        options=("rotate_mb", "keep", "with_spectrum"),
        needs=(),
        check_target=_check_file,
        make_target=lambda target, options: append_file(
            target, options["rotate_mb"], options["keep"]
        ),
        encode=lambda record, kind, options: json_lines.encode(record, options["with_spectrum"]),
    ),
    "csv": output_kind(
        options=("rotate_mb", "keep"),
        needs=(),
        check_target=_check_file,
        make_target=lambda target, options: append_file(
            target, options["rotate_mb"], options["keep"], csv_lines.HEADER
        ),
        encode=lambda record, kind, options: csv_lines.encode(record),
    ),
    "zmq": output_kind(
        options=("bind", "with_spectrum"),
        needs=(),
        check_target=_check_zmq,
        make_target=None,
        encode=None,
    ),
    "kraken_csv": output_kind(
        options=("serve", "version", "append", "rotate_mb", "keep"),
        needs=("direction",),
        check_target=_check_state,
        make_target=_make_kraken_csv,
        encode=lambda record, kind, options: kraken_csv.encode(record, kind, options["version"]),
    ),
    "kraken_xml": output_kind(
        options=("serve",),
        needs=("direction",),
        check_target=_check_state,
        make_target=_make_state("/DOA_value.html", "text/html"),
        encode=lambda record, kind, options: kraken_xml.encode(record),
    ),
    "kraken_json": output_kind(
        options=("version", "timeout_s"),
        needs=("direction",),
        check_target=_check_url,
        make_target=lambda target, options: http_post(target, options["timeout_s"]),
        encode=lambda record, kind, options: kraken_json.encode(record, kind, options["version"]),
    ),
    "df_aggregator_xml": output_kind(
        options=("serve",),
        needs=("direction", "position", "heading"),
        check_target=_check_state,
        make_target=_make_state("/doa.xml", "application/xml"),
        encode=lambda record, kind, options: df_aggregator_xml.encode(record),
    ),
    "tak": output_kind(
        options=("range_km", "stale_s", "ttl"),
        needs=("direction", "position", "heading", "time"),
        check_target=_check_udp,
        make_target=_make_udp,
        encode=lambda record, kind, options: cursor_on_target.encode(
            record, options["range_km"], options["stale_s"]
        ),
    ),
}

_DEFAULT_INTERVAL_S = {"tak": 1.0}


def options_of(kind):
    """{name: default} of what that kind of output takes beside its target."""
    check_choice("kind", kind, tuple(KINDS))
    return {name: OPTIONS[name][0] for name in COMMON + KINDS[kind].options}


def checked_options(kind, target, options):
    """All options of that kind, with defaults for those that are not given.

    Raises ValueError naming the one that is wrong, its value and what is allowed.
    """
    defaults = options_of(kind)
    for name in options:
        if name not in defaults:
            raise ValueError(
                f"{name} is no option of an output of the kind {kind}; it takes "
                f"{', '.join(sorted(defaults))}"
            )
    checked = {
        name: OPTIONS[name][1](name, options.get(name, default))
        for name, default in defaults.items()
    }
    if checked["interval_s"] is None:
        checked["interval_s"] = _DEFAULT_INTERVAL_S.get(kind, 0.0)
    _text("target", target)
    try:
        KINDS[kind].check_target(target, checked)
    except ValueError as error:
        raise ValueError(f"target is {target!r:.80}: {error}") from None
    return checked


def missing(kind, record):
    """What a record lacks that this kind of output cannot do without: one of ``needs``, or
    None."""
    has = {
        "direction": lambda: record.found.size > 0,
        "position": lambda: record.station.has_position,
        "heading": lambda: record.station.heading_deg is not None,
        "time": lambda: record.time_s is not None,
    }
    return next((need for need in KINDS[kind].needs if not has[need]()), None)
