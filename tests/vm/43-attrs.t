#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Extended attributes and access control lists: by their system calls, on a full volume, behind a plug.
. "$(dirname "$0")/lib.sh"
program attrs

# attrs WHAT [OPTION]...: in one boot, on the volume
attrs()
{
    boot --module "$module" --add "$tmp/attrs" --disk "$tmp/disk" "${@:2}" -- sh -c \
        "mount -t simplefs /dev/vda /mnt && attrs $1 /mnt && umount /mnt && rmmod simplefs"
}

# whole WHAT: the checker finds nothing
whole()
{
    run build/bin/fsck.simplefs -fn "$tmp/disk"
    is "$status" 0 "$1: the structure is whole" || diag "$out"
}

run build/bin/mkfs.simplefs -q "$tmp/disk" 256M
is "$status" 0 "mkfs"
attrs use
is "$status" 0 "used, unmounted, unloaded"
relay "use"
whole "use"
attrs verify
is "$status" 0 "mounted again"
relay "what is left"
attrs pull --kill-on "round 7"
is "$status" 123 "pulled in the middle of changes"
attrs verify-pull
is "$status" 0 "recovered"
relay "the plug"
whole "the plug"

run build/bin/mkfs.simplefs -f -q "$tmp/disk" 32M
is "$status" 0 "mkfs of a small one"
attrs full
is "$status" 0 "filled"
relay "full"
whole "full"

python3 -c 'import sys, tarfile
with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as tar:
    for name, kind, pax in (("made", tarfile.REGTYPE, {"SCHILY.xattr.user.one": "1" * 5000, "SCHILY.acl.access":
                             "user::rwx,user:them:r--:1000,group::---,mask::rwx,other::---"}),
                            ("heirs", tarfile.DIRTYPE, {"SCHILY.acl.default":
                             "user::rwx,user:them:rwx:1000,group::---,mask::rwx,other::---"})):
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode, entry.pax_headers = kind, 0o755, pax
        tar.addfile(entry)' "$tmp/tar"
run build/bin/mkfs.simplefs -f -q -d "$tmp/tar" "$tmp/disk" 32M
is "$status" 0 "mkfs from an archive"
attrs made
is "$status" 0 "mounted"
relay "from an archive"
whole "from an archive"
done_testing
