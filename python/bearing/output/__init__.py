# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where bearings go: what a record of one holds, the formats it is written in, and the writer."""
