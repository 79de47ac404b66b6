# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a configuration describes, in a few lines, and what its author may not have meant."""

import ipaddress
import os

import numpy as np

from .configured_array import learned_calibration_path, make_array
from .flowgraph import channel_decimation

# Wavelengths between neighbours, with room for arrays that are cut for half of one.
_LARGEST_SPACING = 0.6


def description_lines(config):
    """Lines on a receiver_config: what bearing-receiver --check prints."""
    station, radio, array = config.station, config.radio, config.array
    where = "position unknown"
    if station.latitude is not None:
        where = f"{station.latitude:.5f}, {station.longitude:.5f}"
    if station.gpsd is not None:
        where += f"; gpsd at {station.gpsd.host}:{station.gpsd.port}"
    heading = "unknown" if station.heading_deg is None else f"{station.heading_deg:g} degrees"
    if station.gpsd is not None and station.gpsd.heading is not None:
        heading = f"by gpsd's {station.gpsd.heading}"
    frequency = "as recorded" if radio.frequency_hz is None else _hertz(radio.frequency_hz)
    lines = [
        f"{config.path}: ok",
        f"station      {station.name or 'no name'}: {where}, heading {heading}",
        f"radio        {radio.kind}: {frequency}, {_hertz(radio.sample_rate_hz, 'S/s')}",
        f"array        {'as recorded' if array is None else _array(array)}",
    ]
    for channel in config.channels:
        lines.append(f"channel      {channel.name}: {_channel(channel, config)}")
    lines.append(f"calibration  {_calibration(config)}")
    for output in config.outputs:
        served = output.options.get("serve")
        targets = [output.target, f"served at http://{served}" if served else ""]
        lines.append(f"output       {output.kind}: {', '.join(filter(None, targets))}")
    if config.web.enabled:
        lines.append(f"web page     http://{_host(config.web.address)}:{config.web.port}")
    lines.append(f"state        {config.state_folder}")
    return lines + [f"note: {note}" for note in notes(config)]


def notes(config):
    """What is allowed, and perhaps not meant: list of sentences."""
    station, found = config.station, []
    has_position = station.latitude is not None or (station.gpsd and station.gpsd.position)
    has_heading = station.heading_deg is not None or (station.gpsd and station.gpsd.heading)
    if not has_heading:
        found.append("without the station's heading_deg, bearings are relative to the array only")
    if any(o.kind == "zmq" for o in config.outputs) and not (has_position and has_heading):
        found.append("bearing-fuse leaves out a station without position or heading")
    if config.web.enabled and not _is_local(config.web.address):
        found.append(f"the web page can be reached from other computers, at {config.web.address}")
    for output in config.outputs:
        host = output.target.removeprefix("tcp://").rpartition(":")[0]
        if output.kind == "zmq" and not _is_local(host):
            found.append(f"{output.target} can be reached from other computers")
    found += _radio_notes(config) + _target_notes(config)
    if not config.outputs and not config.web.enabled:
        found.append("neither outputs nor a web page: bearings go nowhere")
    return found


def _radio_notes(config):
    """What the array may not have been meant to be."""
    radio, array, found = config.radio, config.array, []
    if radio.kind == "kraken" and array is not None and array.elements != 5:
        found.append(f"a KrakenSDR has 5 channels, the array has {array.elements} elements")
    try:
        made = make_array(config, radio.frequency_hz)
    except (OSError, ValueError):
        return found  # told by others
    positions = made.positions
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    nearest = distances[~np.eye(len(positions), dtype=bool)].min() / made.wavelength
    if nearest > _LARGEST_SPACING:
        found.append(
            f"elements are {nearest:.2g} wavelengths or more from one another: beyond half a "
            "wavelength one transmitter can look like several"
        )
    return found


def _target_notes(config):
    found = []
    for number, output in enumerate(config.outputs):
        folder = os.path.dirname(output.target) if os.path.isabs(output.target) else ""
        # The state folder is made at the start.
        is_made = folder == str(config.state_folder)
        if folder and not is_made and not os.path.isdir(folder):
            found.append(f"outputs[{number}].target: the folder {folder} is not there")
    return found


def _is_local(host):
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _host(address):
    return f"[{address}]" if ":" in address else address


def _calibration(config):
    calibration = config.calibration
    try:
        path = learned_calibration_path(config)
        path.stat()
        begin = f"{path}, learnt by an earlier run"
        if calibration.file is not None:
            begin += f", before {calibration.file}"
    except PermissionError:
        begin = f"{calibration.file or 'none'}, unless {config.state_folder} holds a learnt one"
    except (OSError, ValueError):
        begin = str(calibration.file or "none to begin with")
    return begin + (", and what it learns itself" if calibration.self_calibration else "")


def _hertz(value, unit="Hz"):
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.9g} {prefix}{unit}"
    return f"{value:.9g} {unit}"


def _array(array):
    if array.kind == "uca":
        return f"circle of {array.elements}, radius {array.radius_m:g} m"
    if array.kind == "ula":
        return f"line of {array.elements}, spacing {array.spacing_m:g} m"
    return f"{array.elements} elements"


def _channel(channel, config):
    rate = config.radio.sample_rate_hz
    decimation = 1
    if channel.bandwidth_hz is not None:
        decimation = channel_decimation(channel.bandwidth_hz, rate)
    snapshots = round(config.estimator.interval_s * rate / decimation)
    sources = f"{channel.num_sources} sources" if channel.num_sources else "counts its sources"
    if channel.num_sources == 1:
        sources = "1 source"
    band = "whole band"
    if channel.bandwidth_hz is not None:
        carrier = config.radio.frequency_hz
        centre = f"{channel.offset_hz:+g} Hz"
        if carrier is not None:
            centre = _hertz(carrier + channel.offset_hz)
        band = f"{centre}, {_hertz(channel.bandwidth_hz)} wide (rate / {decimation})"
    squelch = ", squelch" if channel.squelch else ""
    return (
        f"{band}, {sources}, {config.estimator.method} every {config.estimator.interval_s:g} s "
        f"({snapshots} samples){squelch}"
    )
