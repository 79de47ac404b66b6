# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bearings of several stations on one map: geometry of the sphere, and where bearings meet."""
