# SPDX-License-Identifier: GPL-2.0-only
# What the crash tests share: a machine whose disks are recorded, and the crashes of that record.
#
# CRASH_OPS (operations), CRASH_EVERY (crash after every Nth write) and CRASH_SEEDS choose how much is
# tried; make check-crash says more of all.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib.sh"
make -s crash-bins >"$tmp/make.log" 2>&1 || { cat "$tmp/make.log"; echo "Bail out! the build fails"; exit 1; }
ops=${CRASH_OPS:-400}
every=${CRASH_EVERY:-4}
seeds=${CRASH_SEEDS:-1}
bin=build/crash

# make_disks MKFS-ARGUMENTS...: $tmp/disk0 is a volume of 24 MiB or $disk_size, or on as much one of
# $volume_size, $tmp/disk1 room for a journal; what is not written by mkfs is full of a byte that no file holds but by mistake, or a hole
# where the volume is counted in GiB.
make_disks()
{
    case ${disk_size:=24M} in
    *G) rm -f "$tmp/disk0"; truncate -s "$disk_size" "$tmp/disk0" ;;
    *) tr '\0' '\333' </dev/zero | head -c "$disk_size" >"$tmp/disk0" ;;
    esac
    tr '\0' '\333' </dev/zero | head -c 5M >"$tmp/disk1"
    rm -f "$tmp/marks"
    truncate -s 64M "$tmp/marks"
    run build/bin/mkfs.simplefs -fqK "$@" "$tmp/disk0" ${volume_size:+"$volume_size"}
    is "$status" 0 "mkfs $*" || diag "$out"
}

# record_run SEED [MOUNT-OPTIONS [WORKERS [MODE]]]: runs the operations in a machine; $tmp/record is what
# its disks saw, if $whole is 0; $status is the machine's. $beside is a command that
# is done over and over beside them, and so many times at least ($beside_least), however soon they end.
record_run()
{
    local i server fd nbd=nbd:unix:$tmp/socket
    rm -f "$tmp/socket"
    for i in 0 1; do cp "$tmp/disk$i" "$tmp/work$i"; done
    exec {fd}< <(exec "$bin/nbd-log" "$tmp/socket" "$tmp/record" "$tmp/work0" "$tmp/work1" "$tmp/marks")
    server=$!
    read -r -u "$fd" _
    boot --timeout 900 --module "$module" --add "$bin/ops" --add build/bin/resize.simplefs --disk-cache writeback \
        --disk "$nbd:exportname=0" --disk "$nbd:exportname=1" --disk "$nbd:exportname=2" -- \
        sh -c "mount -t simplefs ${2-} /dev/vda /mnt || exit 1
            i=0; while { [ ! -e /over ] || [ \$i -lt ${beside_least:-0} ]; } && ${beside:-false}; do i=\$((i + 1)); done &
            ops /dev/vdc /mnt $1 $ops ${*:3}; s=\$?
            touch /over; wait; umount /mnt && exit \$s"
    exec {fd}<&-
    wait "$server"
    whole=$?
}

# record, as above: all went well
record()
{
    record_run "$@"
    is "$status" 0 "seed $1${3:+, workers: ${*:3}}: $ops operations in a machine, recorded" || diag "$(tail -n 5 "$tmp/console")"
    is "$whole" 0 "seed $1: the record is whole"
}

# crowd SEED SIZE WORKERS [MODE]: on a volume of SIZE with the smallest journal
crowd()
{
    disk_size=$2
    make_disks -J size=4M
    record "$1" '' "${@:3}"
    crashes "seed $1, $2, crowd of ${*:3}" "$1" -c "$3" -- "$tmp/disk0"
}

# crashes NAME SEED REPLAY-OPTIONS -- DISKS...: all of them must leave what was promised
crashes()
{
    local name=$1 seed=$2 options=()
    shift 2
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    run "$bin/replay-log" "${options[@]}" -e "$every" "$tmp/record" "$seed" "$ops" "$@"
    is "$status" 0 "$name: $(tail -n 1 <<<"$out")" || diag "$out"
}

# wide SEED HOW SIZE PIECES [ZONES]: one works on a volume of several zones (HOW, PIECES: ops.c), of which
# so many are begun before
wide()
{
    disk_size=$3
    make -s build/image/edit >"$tmp/make.log" 2>&1 || cat "$tmp/make.log"
    rm -rf "$tmp/from" && mkdir "$tmp/from" && : >"$tmp/from/ready"
    make_disks -J size=4M -L 'op 1' -d "$tmp/from"
    [ -z "${5-}" ] || build/image/edit "$tmp/disk0" zones "$5" /ready
    record "$1" '' "$2" "$4"
}

# crashes_wide NAME SEED PIECES: of that record; $behind crashes had copies of a former label
crashes_wide()
{
    crashes "$1" "$2" -z "$3" -- "$tmp/disk0"
    diag "$(grep '^# ' <<<"$out" | tail -n 2 | cut -c 3-)"
    behind=$(sed -n 's/^# \([0-9]*\) with copies of a former label, .*/\1/p' <<<"$out")
}
