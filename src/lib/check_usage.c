// SPDX-License-Identifier: GPL-2.0-only
/*
 * check_usage.c - do the tables of usage say what the inodes say?
 *
 * Those are the truth once nothing is wrong with them; else a repair counts anew.
 */
#include "found.h"
#include "usage.h"

void sfs_usage_tell(struct sfs_checker *c, enum sfs_problem_code code, const char *word, u64 num0,
		    u64 num1, u64 num2)
{
	sfs_problem(c, &(const struct sfs_problem) {
		.p_code = code, .p_num = { num0, num1, num2 },
		.p_name = word, .p_len = strlen(word),
	});
}

static void sfs_check_usages(struct sfs_checker *c, unsigned int q, const struct sfs_usages *t)
{
	const struct sfs_usage *u;

	for (u = t->t_usage; u < t->t_usage + t->t_n; u++) {
		if (u->u_space != u->u_held_space)
			sfs_usage_tell(c, SFS_PROBLEM_USAGE, sfs_quota_word[q], u->u_id,
				       u->u_held_space, u->u_space);
		if (u->u_inodes != u->u_held_inodes)
			sfs_usage_tell(c, SFS_PROBLEM_USAGE_INODES, sfs_quota_word[q], u->u_id,
				       u->u_held_inodes, u->u_inodes);
	}
}

/* False: it is no table that could be compared. */
static bool sfs_check_table(struct sfs_checker *c, unsigned int q, struct sfs_usages *t)
{
	u64 ino = c->fs->f_hidden[q];
	struct sfs_inode in = { 0 };
	const char *why = "";
	int err;

	if (!ino)
		return false;
	err = sfs_inode_read(c->fs, ino, &in);
	if (!err)
		err = sfs_usages_load(&in, q, t, &why);
	if (sfs_is_damage(err))
		sfs_usage_tell(c, SFS_PROBLEM_USAGE_LOST, why, ino, 0, 0);
	else
		sfs_check_err(c, err);
	return !err;
}

void sfs_check_usage(struct sfs_checker *c)
{
	struct sfs_usages tables[SFS_QUOTAS] = { 0 };
	bool sound[SFS_QUOTAS] = { 0 };
	unsigned int q;

	if (!(c->fs->f_ro_compat & SFS_RO_COMPAT_QUOTA) || !sfs_maps_are_true(c))
		return;
	for (q = 0; q < SFS_QUOTAS && !c->err; q++)
		sound[q] = sfs_check_table(c, q, &tables[q]);
	sfs_check_err(c, sfs_usage_tally(c->fs, tables));
	for (q = 0; q < SFS_QUOTAS && !c->err; q++)
		if (sound[q])
			sfs_check_usages(c, q, &tables[q]);
	for (q = 0; q < SFS_QUOTAS; q++)
		sfs_usages_free(&tables[q]);
}
