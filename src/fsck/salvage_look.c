// SPDX-License-Identifier: GPL-2.0-only
/*
 * salvage_look.c - what all of salvage asks and tells: is this block ours, is it used, what goes.
 */
#include "salvage.h"

bool sfs_head_is_near(const struct sfs_fs *fs, const void *data, u64 blk, u32 magic, u64 owner)
{
	const struct sfs_head *head = data;

	return (le32_to_cpu(head->h_magic) == magic) + (le64_to_cpu(head->h_blk) == blk) +
	       (le64_to_cpu(head->h_owner) == owner) +
	       (le32_to_cpu(head->h_fsid) == fs->f_fsid) >= 3;
}

void sfs_salvage_tell(struct sfs_salvage *s, enum sfs_problem_code code, u64 num0, u64 num1,
		      const char *why)
{
	char text[512];

	if (!s->tell)
		return;
	s->any = true;
	sfs_problem_text(&(const struct sfs_problem) {
		.p_code = code, .p_num = { num0, num1 }, .p_name = why,
		.p_len = why ? strlen(why) : 0 }, text, sizeof(text));
	s->tell(text);
}

bool sfs_salvage_is_used(struct sfs_salvage *s, u64 blk, u64 nblks)
{
	struct sfs_buf *buf;
	bool used = true;

	for (; nblks && used; blk++, nblks--) {
		u64 group = blk / SFS_GROUP_BLOCKS;

		if (group >= sfs_groups_ready(s->fs) ||
		    sfs_map_get(s->fs, group, SFS_MAP_USED, &buf))
			return false;
		used = sfs_bits_test(((struct sfs_bitmap_disk *)sfs_buf_data(buf))->b_bits,
				     blk % SFS_GROUP_BLOCKS);
		sfs_buf_put(buf);
	}
	return used;
}
