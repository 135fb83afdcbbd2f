#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# make install: every file where it belongs, and a source tree from which dkms can build.
. "$(dirname "$0")/../tap/tap.sh"
. tests/static/headers.sh
version=$(cat src/VERSION)
dkms=$tmp/root/usr/src/simplefs-$version

run make --no-print-directory install DESTDIR="$tmp/root" PREFIX=/usr
exits 0 'make install'
run find "$tmp/root" ! -type d ! -path "$tmp/root/usr/*"
is "$out" '' 'nothing lands outside DESTDIR and PREFIX'
shopt -s nullglob
for program in build/bin/*; do
    case $program in */simplefs_id) dir=usr/lib/udev ;; *) dir=usr/sbin ;; esac
    [ -x "$tmp/root/$dir/${program##*/}" ]
    ok $? "installed: ${program##*/}"
done
run grep '^PACKAGE_VERSION' "$dkms/dkms.conf"
is "$out" "PACKAGE_VERSION=\"$version\"" 'dkms.conf carries the version'

# As dkms does it without MAKE: the kernel's own build on a copy of the tree, Kbuild at its root.
cp -r "$dkms" "$tmp/build"
run make -j2 -C "$kdir" M="$tmp/build"
exits 0 'the module builds from the installed source alone'
run modinfo -F version "$tmp/build/simplefs.ko"
is "$out" "$version" 'and carries the version'
run make -C "$kdir" M="$tmp/build" clean
exits 0 'and its build cleans up'
rm -f "$tmp/build"/Module.symvers
run diff -r "$dkms" "$tmp/build"
exits 0 'to what was installed'

for test in '5.19 ' '6.0.1 ' '6.1.0-50-amd64 yes' '6.12.1 yes' '7.3.4 yes' '10.0.1 yes' '4.19 '; do
    release=${test% *}
    ( . "$dkms/dkms.conf" && [[ $release =~ $BUILD_EXCLUSIVE_KERNEL ]] ) && got=yes || got=
    is "$got" "${test#* }" "dkms.conf on $release: ${got:-skip}"
done
done_testing
