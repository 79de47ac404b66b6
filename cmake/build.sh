#!/bin/sh
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Installs the packages that are missing, then configures and builds the clone that this script
# lies in into its folder build/. Arguments go to cmake's configuration step, for example
# -DBEARING_ENABLE_TESTS=OFF.
#
# usage: build.sh [CMAKE_ARGUMENT...]
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
source_dir=$(dirname -- "$here")
build_dir=$source_dir/build

"$here/install-packages.sh"

# CMake refuses a cache that was made elsewhere: of a clone that was moved or copied.
cache=$build_dir/CMakeCache.txt
if [ -f "$cache" ]; then
    made_for=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$cache")
    made_in=$(sed -n 's/^CMAKE_CACHEFILE_DIR:INTERNAL=//p' "$cache")
    if [ "$made_for" != "$source_dir" ] || [ "$made_in" != "$build_dir" ]; then
        echo "build.sh: $build_dir was made for ${made_for:-another folder}; starting afresh"
        rm -rf -- "$build_dir"
    fi
fi

cmake -S "$source_dir" -B "$build_dir" -DCMAKE_BUILD_TYPE=Release "$@"
cmake --build "$build_dir" --parallel "$(nproc)"
