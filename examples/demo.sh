#!/bin/bash
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
set -eu -o pipefail

usage() {
    cat <<'END'
usage: examples/demo.sh [--duration SECONDS] [--output PNG] [--seed N] [--help]

Installs the packages that are missing, builds the module into build/ (nothing is installed
from there) and runs a flowgraph from it: two moving transmitters, seen by a circle of five
elements. Prints bearings with their standard deviations beside the truth, one line a second,
and draws them.

  --duration   seconds (default 30)
  --output     the picture (default demo.png in the present folder)
  --seed       of the random numbers (default 1)
END
}

for argument in "$@"; do
    case $argument in
    --help | -h)
        usage
        exit 0
        ;;
    esac
done

source_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
build_dir=$source_dir/build

# Neither tests nor benchmarks: the demonstration needs the Python module only.
"$source_dir/cmake/build.sh" bearing_python bearing_python_files

echo
PYTHONPATH=$build_dir/test_modules${PYTHONPATH:+:$PYTHONPATH} \
    /usr/bin/python3 "$source_dir/examples/demo.py" "$@"

cat <<END

What next:
  GNU Radio Companion with this module's blocks, from this build:
    GRC_BLOCKS_PATH='$source_dir/grc' \\
    PYTHONPATH='$build_dir/test_modules' gnuradio-companion
    then open a flowgraph of $source_dir/examples
  Your own first flowgraph: README.md, "A first flowgraph in Python"
  Install for all users:
    sudo cmake --install '$build_dir' && sudo ldconfig
  All tests: $source_dir/tests/run.sh
END
