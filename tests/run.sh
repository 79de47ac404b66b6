#!/bin/bash
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
set -eu -o pipefail

usage() {
    cat <<'END'
usage: tests/run.sh [--full] [--help]

Installs the packages that are missing, builds into build/ and runs every test. Exits with
failure when the build or a test fails; tests that were skipped are named at the end.

  --full   the long statistical versions of the tests (BEARING_TEST_FULL=1)
  --help   this text

Environment:
  BEARING_TEST_DATA   folder with reference data; default: ../shared beside the clone.
                      Tests that need it are skipped where it is absent.
  VOLK_GENERIC=1      run with VOLK's generic kernels only
END
}

for argument in "$@"; do
    case $argument in
    --full) export BEARING_TEST_FULL=1 ;;
    --help | -h)
        usage
        exit 0
        ;;
    *)
        echo "tests/run.sh: unknown argument $argument" >&2
        usage >&2
        exit 2
        ;;
    esac
done

source_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
build_dir=$source_dir/build

data=${BEARING_TEST_DATA:-$source_dir/../shared}
"$source_dir/cmake/build.sh" -DBEARING_ENABLE_TESTS=ON -DBEARING_ENABLE_PYTHON=ON \
    "-DBEARING_TEST_DATA=$data"

# C++ tests read it from the environment, Python tests get it from CMake.
export BEARING_TEST_DATA=$data

log=$build_dir/tests.log
result=0
(cd -- "$build_dir" && ctest --output-on-failure --parallel "$(nproc)") 2>&1 |
    tee -- "$log" || result=$?

echo
if [ ! -d "$data" ]; then
    echo "Reference data: none at $data"
fi
# ctest's lines of single tests, "12/34 Test  #5: name ....***Skipped   0.50 sec", show tests
# that were skipped in whole or in part.
skipped=$(sed -n 's/^.*Test *#[0-9]*: \([^ ]*\) .*\*\*\*Skipped.*$/\1/p' "$log")
if [ -n "$skipped" ]; then
    echo "Skipped tests:"
    while read -r name; do
        echo "  $name"
    done <<<"$skipped"
else
    echo "Skipped tests: none"
fi
if [ "$result" -eq 0 ]; then
    echo "All tests passed."
else
    echo "TESTS FAILED; the log is $log"
fi
exit "$result"
