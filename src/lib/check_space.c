// SPDX-License-Identifier: GPL-2.0-only
/*
 * check_space.c - the used maps against what inodes hold: the pass of a check (check.c) after all
 * names are known.
 */
#include "found.h"
#include "progress.h"

/* What is wrong with one bit of the used map; SFS_PROBLEMS: nothing. */
static enum sfs_problem_code sfs_judge_used(const struct sfs_checker *c, u64 blk, bool used,
					    bool fixed)
{
	bool taken = sfs_found_is_taken(c->found, blk);

	/* What mkfs takes for itself is used without an owner. */
	if (used == (taken || fixed))
		return SFS_PROBLEMS;
	/* Who holds a block may be what could not be read. */
	if (used)
		return c->found->f_problems[SFS_REMEDY_NONE] ||
		       c->found->f_problems[SFS_REMEDY_READ] ? SFS_PROBLEMS : SFS_PROBLEM_LEAKED;
	/* At its start files may have been: the volume grew from a smaller one. */
	if (!taken && sfs_blk_is_valid(c->fs, blk, 1) && blk < c->fs->f_blocks - c->fs->f_tail)
		return SFS_PROBLEMS;
	return SFS_PROBLEM_TAKEN;
}

/* Blocks @first to @last have one problem, of which one line is enough. */
static void sfs_tell_used(struct sfs_checker *c, enum sfs_problem_code code, u64 first, u64 last)
{
	if (first == last)
		SFS_PROBLEM(c, code, first);
	else if (code == SFS_PROBLEM_LEAKED)
		SFS_PROBLEM(c, SFS_PROBLEM_LEAKED_RUN, first, last);
	else
		SFS_PROBLEM(c, SFS_PROBLEM_TAKEN_RUN, first, last);
}

static void sfs_check_used(struct sfs_checker *c, u64 group, const struct sfs_bitmap_disk *map,
			   const struct sfs_bitmap_disk *fresh)
{
	enum sfs_problem_code code, run = SFS_PROBLEMS;
	unsigned int bit, nbits = sfs_group_nblks(c->fs, group);
	u64 start = group * SFS_GROUP_BLOCKS, first = 0;

	for (bit = 0; bit <= nbits; bit++) {
		code = bit == nbits ? SFS_PROBLEMS :
		       sfs_judge_used(c, start + bit, sfs_bits_test(map->b_bits, bit),
				      sfs_bits_test(fresh->b_bits, bit));
		if (code == run)
			continue;
		if (run != SFS_PROBLEMS)
			sfs_tell_used(c, run, first, start + bit - 1);
		run = code;
		first = start + bit;
	}
}

void sfs_check_space(struct sfs_checker *c)
{
	u64 ngroups = sfs_groups_ready(c->fs);
	struct sfs_bitmap_disk fresh;
	struct sfs_buf *buf;
	u64 group;
	int err;

	for (group = 0; group < ngroups && !c->err; group++) {
		sfs_progress(3, "space", group, ngroups);
		err = sfs_map_get(c->fs, group, SFS_MAP_USED, &buf);
		if (sfs_is_damage(err))
			continue;	/* reported in the first pass */
		sfs_check_err(c, err);
		if (err)
			continue;
		memset(&fresh, 0, sizeof(fresh));
		sfs_map_fill(c->fs, sfs_map_blk(group, SFS_MAP_USED), &fresh);
		sfs_check_used(c, group, sfs_buf_data(buf), &fresh);
		sfs_buf_put(buf);
	}
}
