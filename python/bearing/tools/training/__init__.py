# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated antennas and the training of the noise networks of bearing.coupling."""
