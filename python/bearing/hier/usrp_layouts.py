# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How USRPs are put together for direction finding: channels, oscillators, clocks.

Facts of the UHD manual (files.ettus.com/manual): TwinRX daughterboard, N3xx, X4xx and B2x0 series,
multiple USRP configurations, device synchronisation.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class usrp_layout:
    """Receivers of one kind.

    channels : sub-device and antenna of each channel of a board, in the order of elements; antenna
        "": what UHD chooses. Empty: the user names them.
    antennas : names that a channel's antenna may have; empty: not checked.
    boards_per_device : boards that UHD drives as one device; more are further devices.
    max_boards : in all.
    clock_sources, time_sources : names; empty: not checked.
    lo_name : of the oscillators that can be shared; "": none, or there is none.
    first_board_lo, other_board_lo : source of each channel's oscillator where they are shared.
    lo_exports : channels of the first board that give theirs to others.
    """

    channels: tuple
    antennas: tuple = ()
    boards_per_device: int = 8
    max_boards: int = 8
    clock_sources: tuple = ("internal", "external", "gpsdo")
    time_sources: tuple = ("internal", "external", "gpsdo")
    lo_name: str = ""
    first_board_lo: tuple = ()
    other_board_lo: tuple = ()
    lo_exports: tuple = ()

    @property
    def can_share_lo(self):
        return bool(self.lo_name)


LAYOUTS = {
    # Two TwinRX in an X310: the first channel's two oscillators feed its companion inside the
    # board, and the other board through cables from J1 and J3 to its J2 and J4.
    "x310_twinrx": usrp_layout(
        channels=(("A:0", "RX1"), ("A:1", "RX2"), ("B:0", "RX1"), ("B:1", "RX2")),
        antennas=("RX1", "RX2"),
        lo_name="all",
        first_board_lo=("internal", "companion", "external", "external"),
        other_board_lo=("external", "external", "external", "external"),
        lo_exports=(0,),
    ),
    # The first N321 feeds its own second channel and further boards through its distribution
    # board.
    "n321": usrp_layout(
        channels=(("A:0", "RX2"), ("B:0", "RX2")),
        antennas=("RX2", "TX/RX", "CAL"),
        time_sources=("internal", "external", "gpsdo", "sfp0"),
        lo_name="lo1",
        first_board_lo=("internal", "external"),
        other_board_lo=("external", "external"),
        lo_exports=(0,),
    ),
    # Samples the antenna's signal itself: there is no oscillator to share.
    "x440": usrp_layout(
        channels=tuple((f"{slot}:{k}", "") for slot in "AB" for k in range(4)),
        clock_sources=("internal", "external", "gpsdo", "mboard", "nsync"),
        time_sources=("internal", "external", "gpsdo", "qsfp0"),
    ),
    # Two channels of one chip share its oscillator. UHD drives USB devices one by one.
    "b210": usrp_layout(
        channels=(("A:A", "RX2"), ("A:B", "RX2")),
        antennas=("RX2", "TX/RX"),
        boards_per_device=1,
        time_sources=("none", "internal", "external", "gpsdo"),
    ),
    "custom": usrp_layout(channels=(), clock_sources=(), time_sources=()),
}
