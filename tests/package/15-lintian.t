#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Lintian, asked for everything down to pedantry, has nothing to say of the packages.
. "$(dirname "$0")/lib.sh"

for suite in "${suites[@]}"; do
    packages "$suite"
    run cat "build/deb/$suite/lintian.log"
    is "$out" "" "$suite: not a word"
    run sh -c "dpkg-deb -c build/deb/$suite/simplefs-tools_*.deb; dpkg-deb -c build/deb/$suite/simplefs-dkms_*.deb"
    like '/usr/sbin/mkfs\.simplefs$' "$suite: and they are not empty"
    like "/usr/src/simplefs-$(cat src/VERSION)/dkms\.conf$" "$suite: nor is the module's source"
done
done_testing
