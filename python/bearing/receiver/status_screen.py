# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running receiver does, on one screen of text."""

import re

# Seconds without a new status after which a receiver counts as stuck.
STALE_S = 10.0
# Seconds after which a bearing tells no longer what is on the air.
OLD_BEARING_S = 3.0
# Parts of the names of counters: what is lost comes before what is well, and the line may be cut.
_FIRST_COUNTED = "gap", "lost", "drop", "overrun", "overflow", "error", "bad"


def status_lines(status, is_running, now, width=80, height=24):
    """At most height - 1 lines (a prompt takes one) of at most width characters.

    status: dict of status.json, or None; is_running: whether somebody holds the state folder; now:
    Unix time.
    """
    lines = _head(status, is_running, now)
    if status is not None:
        body, messages = _body(status, now), _messages(status)
        room = max(0, height - 1 - len(lines))
        # Messages take what is left, and two lines at least if there are any.
        least = min(2, len(messages))
        if len(body) > room - least:
            body = [*body[: max(0, room - least - 1)], "..."]
        lines += body
        left = room - len(body)
        lines += messages[-left:] if left > 0 else []
    return [_fit(line, width) for line in lines[: max(1, height - 1)]]


def _head(status, is_running, now):
    if not is_running:
        if status is None:
            return ["not running, and never has with this state folder"]
        service = _dict(status, "service")
        stopped = _float(status.get("stopped"))
        if stopped is not None:
            return [f"not running: stopped {_ago(now - stopped)}"]
        return [
            f"not running: ended without stopping, last seen {_ago(now - _written(service, now))}"
        ]
    if status is None:
        return ["starting"]
    service = _dict(status, "service")
    age = now - _written(service, now)
    name = _dict(status, "station").get("name") or "receiver"
    head = f"{name}: running for {_duration(_float(status.get('uptime_s')) or 0.0)}"
    head += f", process {service.get('pid', '?')}, version {status.get('version', '?')}"
    lines = [head]
    if status.get("stopped") is not None:
        lines = ["starting; what follows is of the last run"]
    elif age > STALE_S:
        lines.append(f"STALE: it has said nothing for {_duration(age)}")
    elif age < -STALE_S:
        lines.append("the clock was set back since the last status")
    if service.get("healthy") is False:
        lines.append("STUCK: a part of it does not answer")
    return lines


def _body(status, now):
    service = _dict(status, "service")
    station, radio = _dict(status, "station"), _dict(status, "radio")
    lines = []
    latitude, longitude = _float(station.get("latitude")), _float(station.get("longitude"))
    where = "position unknown"
    if latitude is not None and longitude is not None:
        where = f"{latitude:.5f}, {longitude:.5f}"
    heading = _float(station.get("heading_deg"))
    where += ", heading unknown" if heading is None else f", heading {heading:.1f}°"
    lines.append(f"station      {where} ({station.get('source', '?')})")
    if service.get("gps"):
        lines.append(f"             {service['gps']}")
    frequency, rate = _float(radio.get("frequency_hz")), _float(radio.get("sample_rate_hz"))
    tuned = "" if frequency is None else f", {frequency / 1e6:.6f} MHz"
    tuned += "" if not rate else f", {rate / 1e6:.4g} MS/s"
    lines.append(f"radio        {radio.get('kind', '?')}: {radio.get('state', '?')}{tuned}")
    if radio.get("detail"):
        lines.append(f"             {radio['detail']}")
    counters = _counters(radio)
    if counters:
        lines.append(f"             {counters}")
    silence = max(0.0, now - _written(service, now))
    for channel in _dicts(status, "channels"):
        lines.append(f"{str(channel.get('name', '?'))[:12]:12} {_channel(channel, silence)}")
    calibration = _dict(status, "calibration")
    if calibration:
        lines.append(f"calibration  {_calibration(calibration)}")
    for output in _dicts(status, "outputs"):
        state, target = str(output.get("state", "?")), str(output.get("target", "?"))
        told = state if target in state else f"{target}: {state}"
        lines.append(f"output       {output.get('kind', '?')}: {told}")
        counters = _counters(output)
        if counters:
            lines.append(f"             {counters}")
    web = service.get("web") or service.get("web_state")
    if web:
        lines.append(f"web page     {web}")
    process = _dict(status, "process")
    load = f"{_number(process.get('memory_mb'), '.0f')} MB, "
    load += f"{_number(process.get('cpu_percent'), '.0f')} % of a processor"
    if service.get("clock_jumps"):
        load += f", clock set {service['clock_jumps']} times"
    lines.append(f"process      {load}")
    if service.get("needs_restart"):
        lines.append(f"restart for  {', '.join(map(str, service['needs_restart']))}")
    return lines


def _channel(channel, silence):
    """silence: seconds since the status was written."""
    frequency = _float(channel.get("frequency_hz"))
    text = "" if frequency is None else f"{frequency / 1e6:.6f} MHz, "
    if channel.get("squelch_open") is False:
        text += "squelch closed, "
    text += f"{channel.get('items', 0)} items"
    bearing = channel.get("bearing")
    if not isinstance(bearing, dict):
        return text + ", no bearing yet"
    true = _list(bearing.get("true_bearing_deg"))
    angles, std = _list(bearing.get("angles_deg")), _list(bearing.get("std_deg"))
    found = []
    for k, angle in enumerate(angles):
        value, word = _float(true[k] if k < len(true) else None), "true"
        if value is None:
            value, word = _float(angle), "of the array"
        if value is not None:
            sigma = _float(std[k] if k < len(std) else None)
            spread = "" if sigma is None else f" ± {sigma:.2f}°"
            found.append(f"{value:.1f}°{spread} {word}")
    age = _float(channel.get("bearing_age_s"))
    is_old = age is not None and age + silence > OLD_BEARING_S
    # Before the angles, as the line may be cut.
    told = f"{bearing.get('status', '?')}{', ' + _ago(age + silence) if is_old else ''}"
    return f"{text}, {told}: {'; '.join(found) or 'no bearing'}"


def _calibration(calibration):
    text = str(calibration.get("status", "?"))
    # What is not known of the array's orientation: bearings lack it too.
    unknown = calibration.get("ambiguity")
    if unknown and unknown != "none":
        text += f", {unknown} unknown"
    loss = _float(calibration.get("loss"))
    if loss is not None:
        text += f", loss {loss:.3g}"
    if calibration.get("saved_path"):
        text += f", kept in {calibration['saved_path']}"
    return text


def _messages(status):
    return [str(message) for message in _list(status.get("messages"))]


def _counters(part):
    counted = [(name, value) for name, value in _dict(part, "counters").items() if value]
    counted.sort(key=lambda entry: _rank(entry[0]))
    return ", ".join(f"{value} {_counted(name, value)}" for name, value in counted)


def _rank(name):
    ranks = (k for k, part in enumerate(_FIRST_COUNTED) if part in name)
    return next(ranks, len(_FIRST_COUNTED))


def _counted(name, value):
    """connection_failures: "connection failures", or of one "connection failure"."""
    words = name.split("_")
    if value == 1:
        words = [word[:-1] if re.search("[^s]s$", word) else word for word in words]
    return " ".join(words)


def _fit(line, width):
    line = "".join(c if c.isprintable() else " " for c in line)
    return line if len(line) <= width else line[: max(0, width - 1)] + "…"


def _written(service, now):
    written = _float(service.get("written"))
    return now if written is None else written


def _ago(seconds):
    return f"{_duration(max(0.0, seconds))} ago"


def _duration(seconds):
    seconds = int(seconds)
    for size, unit, smaller, rest in (
        (86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"),
    ):
        if seconds >= size:
            return f"{seconds // size} {unit} {seconds % size // smaller} {rest}"
    return f"{seconds} s"


def _number(value, form):
    value = _float(value)
    return "?" if value is None else format(value, form)


def _float(value):
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number else None


def _list(value):
    return value if isinstance(value, list) else []


def _dict(value, key):
    entry = value.get(key)
    return entry if isinstance(entry, dict) else {}


def _dicts(value, key):
    return [entry for entry in _list(value.get(key)) if isinstance(entry, dict)]
