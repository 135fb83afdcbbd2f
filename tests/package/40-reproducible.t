#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The same source gives the same packages, byte for byte, wherever and by whomever they are built.
. "$(dirname "$0")/lib.sh"

for suite in "${suites[@]}"; do
    packages "$suite"
    run debian/make-deb --nocheck --elsewhere --out "$tmp/again" "$suite"
    exits 0 "$suite: built again in another folder, zone and umask" || continue
    for file in "build/deb/$suite"/*.deb "build/deb/$suite"/*.dsc "build/deb/$suite"/*.tar.xz; do
        run cmp "$file" "$tmp/again/$suite/${file##*/}"
        exits 0 "$suite: ${file##*/} is the same"
    done
done
done_testing
