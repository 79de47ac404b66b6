# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks written in Python: recordings to and from files, channels of a wide band, and a simulated
dispersive line."""
