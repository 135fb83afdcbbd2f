#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Installed from source, as the README says: make install, then dkms; the rows are in source-rows.
. "$(dirname "$0")/lib.sh"
tools=bpftool,clang,gcc,libarchive-dev,libblkid-dev,libbpf-dev,libdw-dev,make,pkgconf,uuid-dev
mkdir "$tmp/tree"
tests/files | tar -c -T - | tar -x -C "$tmp/tree"

for suite in "${suites[@]}"; do
    tests/chroot --fresh --with "$tools,ccache,dkms,kmod,linux-headers-amd64" --bind "$tmp/tree:/root/simplefs" \
        --dir /root/simplefs "$suite" tests/package/source-rows >"$tmp/rows" 2>&1 || diag "$(tail -n 5 "$tmp/rows")"
    relay_tap "$suite" <"$tmp/rows"
    rm -rf "$tmp/tree/build"
done
done_testing
