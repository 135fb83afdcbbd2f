# SPDX-License-Identifier: GPL-2.0-only
# What the tests of tools and of the kernel need for volumes of a version to come (future.c).
# shellcheck shell=bash
make -s tools build/image/edit build/image/future >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; exit 1; }

# future_base FOLDER IMAGE [ARGUMENT...]: a volume filled from a folder made here
future_base()
{
    mkdir -p "$1/dir"
    seq 9000 >"$1/file"
    seq 99 >"$1/gone"
    seq 99 >"$1/dir/file"
    ln -s target "$1/link"
    mkfifo "$1/fifo"
    run build/bin/mkfs.simplefs -q -d "$1" "${@:3}" "$2" 64M
    is "$status" 0 'a volume'
}

# future IMAGE VERB NAME: as future.c; it exits 0 and says nothing if all is there
future()
{
    run build/image/future "$1" "$2"
    is "$status$out" 0 "$3"
}

# edit IMAGE VERB ARGUMENT...
edit()
{
    build/image/edit "$@" || { echo "Bail out! edit $*"; exit 1; }
}
