#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Asks the kernel's headers what they offer and prints -DSFS_HAVE_<NAME> for each thing found.
#
# usage: probe.sh SRCTREE        (called by Kbuild; compat.h is the only reader of the answers)
#
# Distributions backport, so the version number does not tell. One line a question, three kinds:
#   has     NAME HEADER            the header declares NAME (function, macro or enum constant)
#   member  STRUCT FIELD HEADER    the struct has the field: SFS_HAVE_<STRUCT>_<FIELD>
#   header  HEADER                 the header exists: SFS_HAVE_<HEADER>
# Comments in the headers are not read. A few greps: about as quick as one cache lookup would be.
set -eu
inc=$1/include
[ -d "$inc/linux" ] || { echo "probe.sh: no kernel headers in $1" >&2; exit 1; }

found()
{
    printf ' -DSFS_HAVE_%s' "$(printf %s "$1" | tr 'a-z/.-' 'A-Z___')"
}

# declared NAME: the text from standard input declares it. Such a name is followed by one of
# ( ) [ , = : ; or white space, or ends its line; comment lines do not count.
declared()
{
    grep -E "(^|[^A-Za-z0-9_])$1([][:space:]()[,=:;]|$)" | grep -Evq '^[[:space:]]*(/?\*|//)'
}

has()
{
    [ ! -f "$inc/$2" ] || ! declared "$1" <"$inc/$2" || found "$1"
}

member()
{
    [ ! -f "$inc/$3" ] || ! sed -n "/^struct $1 {/,/^}/p" "$inc/$3" | declared "$2" || found "$1_$2"
}

header()
{
    [ ! -f "$inc/$1" ] || found "$1"
}

has     inode_get_atime             linux/fs.h
has     inode_get_ctime             linux/fs.h
has     super_set_uuid              linux/fs.h
has     file_kattr                  linux/fileattr.h
has     super_set_sysfs_name_bdev   linux/fs.h
has     FILEID_INO64_GEN            linux/exportfs.h
has     BLK_OPEN_RESTRICT_WRITES    linux/blkdev.h
has     bdev_open_by_dev            linux/blkdev.h
has     bdev_file_open_by_dev       linux/blkdev.h
has     fs_bdev_file_open_by_dev    linux/fs/super.h
has     BIO_COMPLETE_IN_TASK        linux/blk_types.h
has     STATX_DIO_READ_ALIGN        uapi/linux/stat.h
has     JBD2_CYCLE_RECORD           linux/jbd2.h
header  linux/filelock.h
echo
