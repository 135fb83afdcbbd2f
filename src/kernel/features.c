// SPDX-License-Identifier: GPL-2.0-only
/*
 * features.c - a volume that a newer version has used: what it has that this one does not know.
 *
 * What an unknown bit means is in format.h.  Called by whoever mounts or remounts, before anything
 * is believed or changed; no locks.
 */
#include "simplefs.h"

int sfs_refuse_newer(struct super_block *sb, const void *super)
{
	const struct sfs_super_disk *sup = super;
	u64 incompat;

	if (!sfs_super_is_newer(super, &incompat))
		return 0;
	if (incompat)
		pr_err("simplefs (%s): features that this version does not know: incompat 0x%llx\n",
		       sb->s_id, incompat);
	else
		pr_err("simplefs (%s): version %u of the format, this knows %u\n", sb->s_id,
		       le32_to_cpu(sup->s_version), SFS_VERSION);
	return -EINVAL;
}

int sfs_refuse_writing(struct super_block *sb)
{
	u64 ro_compat = sfs_unknown_ro_compat(&SFS_SB(sb)->si_fs);

	if (!ro_compat)
		return 0;
	pr_err("simplefs (%s): features that this version does not know: ro_compat 0x%llx;"
	       " it can be mounted read-only (ro)\n", sb->s_id, ro_compat);
	return -EROFS;
}
