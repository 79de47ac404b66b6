#!/bin/bash
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
set -eu -o pipefail

usage() {
    cat <<'END'
usage: tests/run.sh [--full] [--kernels] [--help]

Installs the packages that are missing (cmake/apt-packages.txt and apt-packages-extra.txt, and
npm where there is none), builds into build/ and runs every test. Names every test that was
skipped, and exits with failure when the build or a test fails.

  --full      the long statistical versions of the tests (BEARING_TEST_FULL=1)
  --kernels   only tests whose results depend on vector kernels: to run them with others, as
              below, when all have passed with the best ones
  --help      this text

Environment:
  BEARING_TEST_DATA   folder with reference data; default: ../shared beside the clone.
                      Tests that need it are skipped where it is absent.
  GR_BEARING_KERNEL   this module's vector kernels: generic, avx2 or avx512; default: the best
                      that the processor has
  VOLK_GENERIC=1      use VOLK's generic kernels only
END
}

choice=()
for argument in "$@"; do
    case $argument in
    --full) export BEARING_TEST_FULL=1 ;;
    --kernels) choice=(--label-exclude other_than_kernels) ;;
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

# Absolute, because tests run in another folder.
data=$(realpath -m -- "${BEARING_TEST_DATA:-$source_dir/../shared}")
export BEARING_TEST_DATA=$data

# All lists at once: what is still missing is fetched in one go.
lists=("$source_dir/cmake/apt-packages.txt" "$source_dir/cmake/apt-packages-extra.txt")
command -v npm >/dev/null || lists+=("$source_dir/cmake/apt-packages-npm.txt")
"$source_dir/cmake/install-packages.sh" "${lists[@]}"

"$source_dir/cmake/build.sh" -DBEARING_ENABLE_PYTHON=ON -DBEARING_ENABLE_GRC=ON \
    -DBEARING_ENABLE_TESTS=ON -DBEARING_ENABLE_BENCHMARKS=ON "-DBEARING_TEST_DATA=$data"

result=0
# One more than there are processors: tests of windows and of streams mostly wait.
(cd -- "$build_dir" && ctest "${choice[@]}" --output-on-failure \
    --parallel $(($(nproc) + 1))) || result=$?

# What single tests said: programs run many, and ctest only tells of the program.
# unittest: test_x (...) ... skipped 'why'; Boost.Test: Test case "x" is skipped because why.
log=$build_dir/Testing/Temporary/LastTest.log
skipped=$(sed -n -E \
    -e "s/^ *(.*) [.]{3} skipped (['\"].*)\$/\1: \2/p" \
    -e 's/^.*Test (case|suite|module) "([^"]*)" is skipped because (.*)$/\2: \3/p' "$log")

echo
[ -d "$data" ] || echo "There is no reference data at $data"
if [ -n "$skipped" ]; then
    echo "Skipped:"
    while IFS= read -r line; do
        echo "  $line"
    done <<<"$skipped"
else
    echo "Skipped: nothing"
fi
if [ "$result" -ne 0 ]; then
    echo "TESTS FAILED. What every test said is in $log"
elif [ -n "$skipped" ]; then
    echo "All other tests passed."
else
    echo "All tests passed."
fi
exit "$result"
