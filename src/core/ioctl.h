/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ioctl.h - what only this filesystem is asked by ioctl(2): for the module, and for who asks.
 *
 * It includes nothing, and wants _IOWR() and __u64 from whoever includes it.
 */
#ifndef SFS_IOCTL_H
#define SFS_IOCTL_H

/*
 * The volume becomes larger while it is mounted, by any of its files or directories.  What it has
 * already is no error.  EPERM without CAP_SYS_RESOURCE; EINVAL for less than it has, or more than
 * the format can; ENOSPC for more than its device has; EROFS; EUCLEAN where damage was seen; EIO
 * after a shutdown.
 */
struct sfs_grow_args {
	__u64 g_blocks;		/* wanted, of 4096 bytes; on return what the volume has now */
	__u64 g_was;		/* on return: and had before */
};
#define SFS_IOC_GROW		_IOWR('f', 98, struct sfs_grow_args)
#define SFS_GROW_DEVICE		(~0ULL)	/* g_blocks: as many as the device has */

#endif
