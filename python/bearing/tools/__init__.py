# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the programs bearing-* do. Each module has a main() that returns the exit code."""
