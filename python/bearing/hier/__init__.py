# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks made of GNU Radio's own blocks: recordings to and from files."""
