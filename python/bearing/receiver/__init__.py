# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unattended receiver: one file describes it, bearing-receiver runs it."""
