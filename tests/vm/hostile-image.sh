# SPDX-License-Identifier: GPL-2.0-only
# The image that hostile.py varies, for the kernel's test and the tools': $tmp/image and $tmp/cases.
# shellcheck shell=bash
make_hostile()
{
    make -s build/image/edit >"$tmp/make.log" 2>&1
    mkdir -p "$tmp/from/dir/sub/deep"
    for i in $(seq 120); do echo "$i" >"$tmp/from/dir/a name that takes some room $i"; done
    head -c 12288 /dev/urandom >"$tmp/from/a"
    head -c 12288 /dev/urandom >"$tmp/from/b"
    echo x >"$tmp/from/attrs"
    ln -s dir "$tmp/from/link"
    for i in $(seq 0 2 300); do
        printf x | dd of="$tmp/from/pieces" bs=4096 seek="$i" conv=notrunc status=none
    done
    run build/bin/mkfs.simplefs -q -J size=4M -d "$tmp/from" "$tmp/image" 7M
    is "$status" 0 'a volume with one of everything' || diag "$out"
    build/image/edit "$tmp/image" attribute /attrs large 5000 99 &&
        build/image/edit "$tmp/image" attribute /attrs small 500 99
    is $? 0 'with attributes, one of them in leaves'
    run tests/vm/hostile.py build/bin/dump.simplefs "$tmp/image" "$tmp/cases"
    is "$status" 0 'and its hostile variants' || diag "$out"
}
