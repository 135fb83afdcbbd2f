#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Modules with one promise broken each: the crashes must show it, with one of a few seeds, since when
# things are written is the machine's choice. MUTANT= picks one by its name.
. "$(dirname "$0")/lib.sh"
seeds=${CRASH_SEEDS:-1 2 3}

# build_mutant FILE FROM TO: the module with a text of src/FILE, one line, replaced
build_mutant()
{
    rm -rf "$tmp/tree"
    cp -r src "$tmp/tree"
    FROM=$2 TO=$3 perl -0pi -e 's/\Q$ENV{FROM}\E/$ENV{TO}/' "$tmp/tree/$1"
    ! cmp -s "src/$1" "$tmp/tree/$1" &&
        module=$(tests/vm/build-module "$kernel" "$tmp/tree" 2>"$tmp/make.log")
    is $? 0 "$name: built" || diag "$(tail -n 5 "$tmp/make.log")"
}

# mutant NAME JOURNAL FILE FROM TO: JOURNAL is internal, external, or a crowd works on a volume that has one,
# or it has several zones (wide)
mutant()
{
    local name=$1 disks=("$tmp/disk0") options='' crowd=() workers=() each=1 seed said
    [ "${MUTANT:-$name}" = "$name" ] || return
    build_mutant "$3" "$4" "$5"
    disk_size=24M
    [ "$2" != crowd ] || disk_size=48M
    [ "$2" != wide ] || disk_size=18G
    if [ "$2" = external ]; then
        options='-o journal_path=/dev/vdb'
        disks+=("$tmp/disk1")
        make_disks -J device="$tmp/disk1"
    else
        make_disks -J size=4M -L 'op 1'
    fi
    [ "$2" != crowd ] || workers=(3) crowd=(-c 3)
    [ "$2" != wide ] || workers=(wide 14) crowd=(-z 14) each=4
    for seed in $seeds; do
        record_run "$seed" "$options" "${workers[@]}"
        # What crashes would show may have stopped the module before.
        said=$(grep -aE 'simplefs.*(shut down|corrupt)|Aborting journal|WARNING|BUG:' "$tmp/console" | head -n 1)
        if [ -n "$said" ]; then
            ok 0 "$name: found while it was recorded"
            diag "$said"
            return
        fi
        [ "$status$whole" = 00 ] || { ok 1 "$name: recorded"; return; }
        run "$bin/replay-log" -e "$each" "${crowd[@]}" "$tmp/record" "$seed" "$ops" "${disks[@]}"
        [ "$status" = 0 ] || break
    done
    is "$status" 1 "$name: $(tail -n 1 <<<"$out")"
    diag "$(grep -m 1 entry <<<"$out")"
}

mutant 'commits without a barrier' internal kernel/journal.c \
    'log->j_flags |= SFS_JOURNAL_FLAGS;' ';'
mutant 'fsync that waits for no commit' internal kernel/trans.c \
    'err = jbd2_complete_transaction(log, tid);' 'err = 0;'
mutant 'fsync that does not flush overwritten data' internal kernel/trans.c \
    'return flush ? blkdev_issue_flush(sb->s_bdev) : 0;' 'return 0;'
mutant 'commits that do not flush another device' external kernel/trans.c \
    'if (log->j_dev != log->j_fs_dev && ' 'if (0 * '
mutant 'blocks that are written before their data is' internal kernel/writeback.c \
    'run, nblks, true,' 'run, nblks, false,'
mutant 'freed metadata without revocation' internal kernel/buf.c \
    'jbd2_journal_revoke(sfs_handle(t), bh->b_blocknr, bh)' 'jbd2_journal_forget(sfs_handle(t), bh)'
mutant 'freed blocks taken before the commit' internal kernel/buf.c \
    'if (!buffer_jbd(sfs_bh(buf)))' 'if (1)'
mutant 'blocks taken before the commit, by others' crowd kernel/buf.c \
    'if (!buffer_jbd(sfs_bh(buf)))' 'if (1)'
mutant 'blocks taken that the committing transaction holds' crowd kernel/buf.c \
    'nbits = sfs_state_clear(jh->b_frozen_data, bit, nbits);' ';'
mutant 'freed metadata without revocation, by others' crowd kernel/buf.c \
    'jbd2_journal_revoke(sfs_handle(t), bh->b_blocknr, bh)' 'jbd2_journal_forget(sfs_handle(t), bh)'
mutant 'a hole taken for one behind a promise' internal kernel/writeback.c \
    'ext.e_nblks = 1;' ';'
mutant 'a new file that fdatasync forgets' internal kernel/recipe.c \
    'sfs_inode_note_tid(t, inode, true);' ';'
mutant 'labels that are not waited for' wide kernel/label.c \
    'return sfs_journal_wait(sb, tid);' 'return 0;'
mutant 'copies of the superblock written past the journal' wide core/copy.c \
    'err = sfs_copy_update(t, fs, sfs_copy_blk(zone), sfs_buf_data(super));' \
    'err = sfs_buf_format(fs, sfs_copy_blk(zone), 1, sfs_copy_fill, sfs_buf_data(super));'
mutant 'zones that begin without copy and summary' wide core/zone.c \
    'sfs_zone_head(zone), SFS_ZONE_HEAD,' 'sfs_zone_head(zone), SFS_ZONE_COPY,'
mutant 'a superblock that is clean too early' internal kernel/super.c \
    'si->si_fs.f_state &= ~SFS_STATE_CLEAN;' ';'
done_testing
