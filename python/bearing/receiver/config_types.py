# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a receiver's configuration file says, as frozen dataclasses.

Fields have the names of the file's keys, which schema.yaml describes, and the same defaults.
Lists are tuples; None is what the file leaves out and has no default. Paths are absolute.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional, Tuple, Union

from ..bearing_python import array
from ..hier.sigmf_format import SPEED_OF_LIGHT
from ..output.station import station


@dataclass(frozen=True)
class gpsd_config:
    host: str = "localhost"
    port: int = 2947
    device: Optional[str] = None
    position: bool = True
    heading: Optional[str] = None  # "attitude", "track" or None
    heading_offset_deg: float = 0.0
    min_speed_m_s: float = 1.0
    stale_s: float = 10.0


@dataclass(frozen=True)
class station_config:
    name: str = ""
    latitude: Optional[float] = None
    longitude: Optional[float] = None
    altitude_m: Optional[float] = None
    heading_deg: Optional[float] = None
    gpsd: Optional[gpsd_config] = None

    def station(self):
        """The bearing.station before gpsd has said anything; ValueError naming a field."""
        return station(
            name=self.name,
            latitude=self.latitude,
            longitude=self.longitude,
            heading_deg=self.heading_deg,
            altitude_m=self.altitude_m,
        )


@dataclass(frozen=True)
class radio_config:
    """What every radio has; sample_rate_hz and frequency_hz are None where a file tells them."""

    kind: str
    frequency_hz: Optional[float] = None
    sample_rate_hz: Optional[float] = None
    gain_db: Union[None, float, Tuple[float, ...]] = None  # of all channels, or one of each


@dataclass(frozen=True)
class kraken_config(radio_config):
    sample_rate_hz: float = 2.4e6
    gain_db: Union[float, Tuple[float, ...]] = 28.0
    host: str = "127.0.0.1"
    protocol: str = "auto"  # "v1", "v2"
    data_port: int = 0
    control_port: int = 0
    timeout_s: float = 5.0


@dataclass(frozen=True)
class realign_config:
    pilot: str  # "splitter" or "emitter", as of phase_realigner
    pilot_deg: float = 0.0
    snapshots: int = 16384
    settle_s: float = 0.2
    min_ratio_db: float = 10.0


@dataclass(frozen=True)
class usrp_config(radio_config):
    gain_db: Union[float, Tuple[float, ...]] = 30.0
    layout: str = "b210"
    device_args: Union[str, Tuple[str, ...]] = ""
    subdevices: str = ""
    clock_source: str = "auto"
    time_source: str = "auto"
    share_lo: bool = True
    antennas: Tuple[str, ...] = ()  # empty: the layout's
    bandwidth_hz: Optional[float] = None
    realign: Optional[realign_config] = None  # None: phases are left as they are


@dataclass(frozen=True)
class soapy_config(radio_config):
    gain_db: Union[float, Tuple[float, ...]] = 30.0
    driver: str = ""
    device_args: str = ""
    channels: Tuple[int, ...] = ()  # of the device; empty: 0 .. elements - 1
    antenna: Optional[str] = None
    bandwidth_hz: Optional[float] = None


@dataclass(frozen=True)
class file_config(radio_config):
    path: Optional[Path] = None
    repeat: bool = False
    throttle: bool = True


@dataclass(frozen=True)
class simulator_config(radio_config):
    sample_rate_hz: float = 240e3
    gain_db: Union[float, Tuple[float, ...]] = 0.0
    bearings_deg: Tuple[float, ...] = (72.0,)  # azimuths of the sources, one each
    snr_db: Tuple[float, ...] = (20.0,)  # as long as bearings_deg
    offsets_hz: Tuple[float, ...] = (0.0,)  # as long as bearings_deg
    seed: int = 1
    phase_errors: bool = False


@dataclass(frozen=True)
class array_config:
    kind: str  # "uca", "ula" or "custom"
    elements: int
    radius_m: Optional[float] = None
    spacing_m: Optional[float] = None
    positions_m: Tuple[Tuple[float, float, float], ...] = ()  # of (x, y, z)

    def make(self, frequency_hz):
        """The bearing.array at that carrier frequency, geometry in metres."""
        wavelength = SPEED_OF_LIGHT / frequency_hz
        if self.kind == "uca":
            return array.uca(n=self.elements, radius=self.radius_m, wavelength=wavelength)
        if self.kind == "ula":
            return array.ula(n=self.elements, spacing=self.spacing_m, wavelength=wavelength)
        return array.custom([list(p) for p in self.positions_m], wavelength=wavelength)


@dataclass(frozen=True)
class calibration_config:
    file: Optional[Path] = None
    self_calibration: bool = False
    num_sources: int = 1
    channel: Optional[str] = None  # None: the first one
    beacon_azimuth_deg: Optional[float] = None  # None: unknown


@dataclass(frozen=True)
class squelch_config:
    power_db: Optional[float] = None
    eigenvalue_db: Optional[float] = None
    hang_s: float = 0.0


@dataclass(frozen=True)
class channel_config:
    name: str
    offset_hz: float = 0.0
    bandwidth_hz: Optional[float] = None  # None: the whole band
    num_sources: int = 0
    squelch: Optional[squelch_config] = None


@dataclass(frozen=True)
class estimator_config:
    method: str = "music"
    variant: str = "auto"
    interval_s: float = 0.1
    spectrum_points: int = 512
    limits_deg: Tuple[float, ...] = ()


@dataclass(frozen=True)
class output_config:
    """options: what else bearing_writer takes for that kind."""

    kind: str
    target: str
    options: dict = field(default_factory=dict)


@dataclass(frozen=True)
class web_config:
    enabled: bool = False
    address: str = "127.0.0.1"
    port: int = 8080
    token_file: Optional[Path] = None  # a file always when it is enabled
    read_token: bool = False
    allowed_hosts: Tuple[str, ...] = ()
    max_clients: int = 16


@dataclass(frozen=True)
class receiver_config:
    """array is None only where a recording tells the positions."""

    station: station_config
    radio: radio_config
    array: Optional[array_config]
    channels: Tuple[channel_config, ...]
    estimator: estimator_config = estimator_config()
    calibration: calibration_config = calibration_config()
    outputs: Tuple[output_config, ...] = ()
    web: web_config = web_config()
    state_folder: Optional[Path] = None
    path: Optional[Path] = None  # of the file itself
