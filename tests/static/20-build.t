#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Everything compiles without a warning: library, tools, unit tests, and the module with W=1.
. "$(dirname "$0")/../tap/tap.sh"
. tests/static/headers.sh

run make -j2 --no-print-directory lib tools unit-bins
exits 0 'library, tools and unit tests build under -Wall -Wextra -Werror'
run make -j2 --no-print-directory module KVER="$kver" KDIR="$kdir" W=1
exits 0 "the module builds against $kver with W=1 -Werror"
unlike 'WARNING: modpost' 'and modpost has nothing to say'
run modinfo -F version "build/module/$kver/simplefs.ko"
is "$out" "$(cat src/VERSION)" 'the module carries the version of src/VERSION'

run make --no-print-directory module KVER=0-none
exits 2 'headers that are missing stop the module build'
like 'apt install linux-headers-0-none' 'with one line that says what to install'

# A kernel too old, one of 32 bits: refused by Kbuild itself, for dkms comes the same way.
refuse()
{
    run make -C "$kdir" M="$top/build/module/$kver" "$@" modules
    [ "$status" != 0 ]
    ok $? "refused: $*"
}
refuse VERSION=5 PATCHLEVEL=19
like 'needs Linux 6.1 or newer, this is 5.19' 'with one line that says why'
refuse CONFIG_64BIT=
like 'needs a 64-bit kernel' 'with one line that says why'
done_testing
