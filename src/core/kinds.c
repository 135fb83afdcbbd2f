// SPDX-License-Identifier: GPL-2.0-only
/*
 * kinds.c - the kinds of records there are, as the trees of a volume are given them.
 *
 * A new kind is a file beside extent.c, which knows its shape, and a row here.  One without a
 * verifier is a name: its records are taken for those of a feature that is not known.
 */
#include "port.h"
#include "format.h"
#include "core.h"

const struct sfs_record_kind sfs_kinds[SFS_KINDS] = {
	[SFS_KIND_XATTR] = {
		.k_name = "xattr",
		.k_verify = sfs_xattr_verify,
		.k_print = sfs_xattr_totext,
	},
	[SFS_KIND_INLINE] = {
		.k_name = "inline",
		.k_verify = sfs_inline_verify,
		.k_print = sfs_inline_totext,
	},
	[SFS_KIND_EXTENT] = {
		.k_name = "extent",
		.k_verify = sfs_extent_verify,
		.k_print = sfs_extent_totext,
	},
	[SFS_KIND_DIRENT] = {
		.k_name = "dirent",
		.k_verify = sfs_dirent_verify,
		.k_print = sfs_dirent_totext,
	},
	[SFS_KIND_DATA_SUM] = { .k_name = "data checksums" },
	[SFS_KIND_SHARED] = { .k_name = "shared extents" },
	[SFS_KIND_QUOTA] = {
		.k_name = "quota",
		.k_verify = sfs_quota_verify,
		.k_print = sfs_quota_totext,
	},
};
