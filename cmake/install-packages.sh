#!/bin/sh
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Installs those packages of the given lists that dpkg does not show as installed. Nothing is
# ever removed. Without arguments the list is apt-packages.txt beside this script.
#
# usage: install-packages.sh [LIST...]
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
[ $# -gt 0 ] || set -- "$here/apt-packages.txt"

for list in "$@"; do
    if [ ! -r "$list" ]; then
        echo "install-packages.sh: cannot read the list $list" >&2
        exit 1
    fi
done

# One package a line; '#' starts a comment.
wanted=$(cat -- "$@" | sed 's/#.*//' | tr -s '[:space:]' '\n')

missing=
for package in $wanted; do
    # shellcheck disable=SC2016  # dpkg-query's own variable
    state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) || state=
    case $state in
    ?i*) ;;
    *) missing="$missing $package" ;;
    esac
done

if [ -z "$missing" ]; then
    echo "install-packages.sh: all packages are installed"
    exit 0
fi
echo "install-packages.sh: installing$missing"

if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    echo "install-packages.sh: these packages are missing, and installing them needs root" \
        "or sudo, which this user has not. Ask an administrator to run, as root:" >&2
    echo "  apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

$as_root apt-get update
# $as_root and $missing are lists of words.
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-remove --no-install-recommends $missing
