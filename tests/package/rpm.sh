# SPDX-License-Identifier: GPL-2.0-only
# What the tests of the RPM packages share: how they are built.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../tap/tap.sh"
version=$(cat src/VERSION)
rpms=$tmp/rpms

# build NAME TREE ARGS...: TREE's binary packages into $rpms/NAME; what is left of it in $tmp/build
build()
{
    local name=$1 tree=$2
    shift 2
    run nice "$tree/rpm/make-rpm" "$tmp/build" --nocheck "$@"
    exits 0 "make-rpm $*" || { echo 'Bail out! no packages'; exit 1; }
    mkdir -p "$rpms/$name"
    cp "$tmp"/build/RPMS/*/*.rpm "$rpms/$name/"
}
