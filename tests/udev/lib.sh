# SPDX-License-Identifier: GPL-2.0-only
# What the machines of these tests share: the files of ours that go into them.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib.sh"
release=$(tests/kernels/archive.py release "$kernel") || exit 1

# stage ROOT ARGS...: what `make install` makes, the module where depmod and udev's kmod find it by
# its alias, and the test itself; ARGS are make's
stage()
{
    local root=$1 tree=$1/lib/modules/$release
    shift
    mkdir -p "$tree/updates" "$root/test/tests/udev"
    cp "$module" "$tree/updates/"
    strip -g "$tree/updates/simplefs.ko"
    depmod -b "$root" "$release" 2>/dev/null
    make -s install-tools DESTDIR="$root" PREFIX=/usr "$@" >"$tmp/install.log" 2>&1 ||
        { cat "$tmp/install.log"; exit 1; }
    cp -r tests/tap "$root/test/tests/"
    cp tests/udev/guest "$root/test/tests/udev/"
}
