// SPDX-License-Identifier: GPL-2.0-only
/*
 * types.c - which operations an inode has, by its type.
 *
 * The mount gives the table to the volume, so that inode.c, on which all of these stand, needs none
 * of them.
 */
#include "simplefs.h"

#define SFS_SPECIAL	{ .t_iops = &sfs_special_iops }

const struct sfs_type sfs_types[16] = {
	[SFS_TYPE_FIFO] = SFS_SPECIAL,
	[SFS_TYPE_CHR] = SFS_SPECIAL,
	[SFS_TYPE_DIR] = { .t_iops = &sfs_dir_iops, .t_fops = &sfs_dir_fops },
	[SFS_TYPE_BLK] = SFS_SPECIAL,
	[SFS_TYPE_REG] = {
		.t_iops = &sfs_file_iops, .t_fops = &sfs_file_fops, .t_aops = &sfs_aops
	},
	[SFS_TYPE_LNK] = { .t_iops = &sfs_symlink_iops },
	[SFS_TYPE_SOCK] = SFS_SPECIAL,
};
