# SPDX-License-Identifier: GPL-2.0-only
# What the tests with other people's programs share: a machine whose root is Debian's, on simplefs, and the
# record of what its disk was told.
# shellcheck shell=bash
SFS_KERNEL=${SFS_KERNEL:-debug-programs}
. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib.sh"
suite=trixie
here=tests/programs

# debian: $root_tar, a root with the packages of tests/programs/root, made once for each state of the suite
debian()
{
    local key with
    with=$(sed 's/#.*//' $here/root | awk 'NF {print $1}' | paste -sd,)
    key=$(tests/kernels/archive.py key $suite)-$(sha256sum <<<"$with" | cut -c 1-10) || exit 1
    mkdir -p build/programs
    root_tar=$PWD/build/programs/$key.tar
    [ -e "$root_tar" ] && return
    rm -f build/programs/*.tar
    # shellcheck disable=SC2016
    tests/chroot --with "$with" --bind "$PWD/build/programs:/out" $suite sh -c '
        tar --one-file-system --xattrs --acls --exclude="./out/*" --exclude="./proc/*" --exclude="./sys/*" \
            --exclude="./dev/*" --exclude="./var/cache/apt/archives/*" --exclude="./var/lib/apt/lists/*" \
            -C / -cf /out/$1.new . && mv /out/$1.new /out/$1' tar "${root_tar##*/}" >"$tmp/root.log" 2>&1 ||
        { cat "$tmp/root.log"; echo "Bail out! no root for the machine"; exit 1; }
}

# volume FILE SIZE [MKFS-ARGUMENT]...: a fresh one
volume()
{
    rm -f "$1"
    truncate -s "$2" "$1"
    build/bin/mkfs.simplefs -fq "${@:3}" "$1" || { echo "Bail out! mkfs.simplefs fails"; exit 1; }
}

# new_root: $tmp/root, from which the machine lives
new_root()
{
    debian
    volume "$tmp/root" 4G -d "$root_tar"
}

# programs [ARGUMENT]... -- SCRIPT [ARGUMENT]...: boots from $tmp/root and runs one of guest/; other disks
# are /dev/vdb and on
programs()
{
    local options=()
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    boot --timeout 3000 --mem "${mem:-1G}" --module "$module" --add $here/guest:/guest \
        --disk "$tmp/root" "${options[@]}" -- sh /guest/enter "$@"
    mkdir -p build/check/programs && cp "$tmp/console" "build/check/programs/$(basename "$0" .slow.t)"
}

# whole FILE WHAT
whole()
{
    run build/bin/fsck.simplefs -nf "$1"
    exits 0 "$2: fsck.simplefs has nothing to say"
}

# recorded SIZE PROGRAM [ARGUMENT]...: it runs on a volume of SIZE; $tmp/record is what the disk was told,
# $tmp/before the disk as it was
recorded()
{
    local size=$1
    shift
    volume "$tmp/before" "$size"
    cp --sparse=always "$tmp/before" "$tmp/disk"
    rm -f "$tmp/record"
    truncate -s 64G "$tmp/record"
    programs --disk "$tmp/disk" --disk "$tmp/record" -- record.sh "$@"
    is "$status" 0 "a record of $1, no complaint"
    relay record
    whole "$tmp/disk" "without a crash"
}

# crashed COUNT SEED PROGRAM...: so many crashes of the record, in machines of up to twelve disks, are
# judged by "PROGRAM check PROMISE..."
crashed()
{
    local count=$1 seed=$2 n=0 images
    shift 2
    while [ "$n" -lt "$count" ]; do
        images=$((count - n < 12 ? count - n : 12))
        rm -rf "$tmp/crashes" "$tmp/share" && mkdir "$tmp/crashes" "$tmp/share"
        run $here/crashes.py "$tmp/record" "$tmp/before" "$tmp/crashes" $images $((seed + n))
        exits 0 "$images crashes" || return
        local disks=() i letters=(b c d e f g h i j k l m)
        for ((i = 0; i < images; i++)); do disks+=(--disk "$tmp/crashes/$i"); done
        while read -r i rest; do echo "ubd${letters[$i]} $rest"; done <"$tmp/crashes/promises" >"$tmp/share/promises"
        programs --add "$tmp/share:/share" "${disks[@]}" -- judge.sh "$@"
        is "$status" 0 "no complaint from the kernel"
        relay "seed $((seed + n))"
        for ((i = 0; i < images; i++)); do whole "$tmp/crashes/$i" "seed $((seed + n)), ${letters[$i]}"; done
        n=$((n + images))
    done
}
