#!/bin/bash
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Installs the packages that are missing, then configures and builds the clone that this script
# lies in into its folder build/. Arguments that start with -D go to CMake; all others are
# targets to build instead of everything.
#
# usage: build.sh [-DNAME=VALUE...] [TARGET...]
set -eu -o pipefail

options=()
targets=()
for argument in "$@"; do
    case $argument in
    -D*) options+=("$argument") ;;
    *) targets+=(--target "$argument") ;;
    esac
done

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
source_dir=$(dirname -- "$here")
build_dir=$source_dir/build

"$here/install-packages.sh"

# CMake refuses a cache that was made elsewhere: of a clone that was moved or copied.
cache=$build_dir/CMakeCache.txt
if [ -f "$cache" ]; then
    made_for=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$cache")
    made_in=$(sed -n 's/^CMAKE_CACHEFILE_DIR:INTERNAL=//p' "$cache")
    if [ "$made_for" != "$source_dir" ] || [ "$made_in" != "$build_dir" ]; then
        echo "build.sh: $build_dir was made for ${made_for:-an unknown folder}; starting afresh"
        rm -rf -- "$build_dir"
    fi
fi

# The compile commands are for clang-tidy.
cmake -S "$source_dir" -B "$build_dir" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
    ${options[@]+"${options[@]}"}
cmake --build "$build_dir" --parallel "$(nproc)" ${targets[@]+"${targets[@]}"}
