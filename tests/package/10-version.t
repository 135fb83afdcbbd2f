#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The version is in src/VERSION; whoever must repeat it says the same.
. "$(dirname "$0")/../tap/tap.sh"

version=$(cat src/VERSION)
run sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' debian/changelog
is "$out" "$version" "debian/changelog"
run grep -E '^PACKAGE_VERSION=' dkms.conf
is "$out" 'PACKAGE_VERSION="#MODULE_VERSION#"' "dkms.conf leaves it to be filled in"

mkdir -p "$tmp/tree/src"
cp -r debian "$tmp/tree/"
echo 7.7.7 >"$tmp/tree/src/VERSION"
run "$tmp/tree/debian/make-source" "$tmp/tree"
exits 1 "no source package when the two differ"
like "src/VERSION is 7\.7\.7, debian/changelog $version-" "and both are named"
done_testing
