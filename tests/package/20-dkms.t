#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The module through dkms, as packages and kernels come and go: the rows are in dkms-rows.
. "$(dirname "$0")/lib.sh"

for suite in "${suites[@]}"; do
    case $suite in
    bookworm) kernels='6\.1\.0-[0-9]+-cloud-amd64' ;;
    *) kernels='6\.12\.[0-9]+.deb[0-9]+-cloud-amd64' ;;
    esac
    packages "$suite"
    in_suite "$suite" ccache,dkms,initramfs-tools,kmod,openssl,zstd \
        /simplefs/tests/package/dkms-rows "$kernels" >"$tmp/rows" 2>&1 || diag "$(tail -n 5 "$tmp/rows")"
    relay_tap "$suite" <"$tmp/rows"
done
done_testing
