// SPDX-License-Identifier: GPL-2.0-only
/*
 * super.c - block 0, or what its copies say when it is no superblock any more.
 *
 * What is taken from a copy is put into the cache as block 0, and from there on the volume is one
 * that was not unmounted and has to be checked.  The check tells what a copy cannot: the counters,
 * and the sequence, which must be above that of every block.
 */
#include "fsck.h"

/* Did somebody write something else there?  What is ours in a part, or nothing, is nobody's. */
static bool sfs_super_is_foreign(const void *data)
{
	const struct sfs_super_disk *sup = data;

	return le32_to_cpu(sup->s_head.h_magic) != SFS_MAGIC_SUPER &&
	       memcmp(sup->s_ident, SFS_IDENT, sizeof(sup->s_ident)) &&
	       memchr_inv(data, 0, SFS_BLOCK_SIZE);
}

/* No superblock, and no copy of one. */
__attribute__((noreturn))
static void sfs_super_none(const char *path, const void *super, int err, const char *why)
{
	if (err)
		sfs_die(SFS_EXIT_FAILED, "%s: its superblock cannot be read, and there is no copy"
			" of it: %s", path, strerror(-err));
	if (!sfs_super_probe(super))
		sfs_die(SFS_EXIT_FAILED, "%s: this is no simplefs, nor is a copy of a superblock"
			" there", path);
	sfs_refuse_newer(path, SFS_EXIT_FAILED, super);
	sfs_die(SFS_EXIT_DAMAGED, "%s: corrupt superblock: blk=0, %s; there is no copy of it, and it"
		" cannot be repaired", path, why);
}

bool sfs_super_take(struct sfs_dev *dev, const char *path, bool force, void *super)
{
	u8 found[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	const char *why = "cannot be read";
	u64 blk;
	int err;

	err = sfs_dev_read(dev, 0, super);
	if (!err && sfs_super_probe(super) &&
	    !sfs_head_verify(super, le32_to_cpu(((struct sfs_head *)super)->h_fsid), 0))
		sfs_refuse_newer(path, SFS_EXIT_FAILED, super);
	if (!err)
		why = sfs_super_verify(super, sfs_dev_nblks(dev));
	if (!why) {
		sfs_dev_keep_super(dev, super);
		return false;
	}
	if (sfs_copies_find(dev, found, &blk))
		sfs_super_none(path, super, err, why);
	if (!err && !force && sfs_super_is_foreign(super))
		sfs_die(SFS_EXIT_FAILED, "%s: no superblock but something else is in block 0, and a"
			" copy of one in block %llu: if the volume shall come back, -f takes it",
			path, (unsigned long long)blk);
	printf("corrupt superblock: blk=0, %s; the copy in block %llu takes its place\n", why,
	       (unsigned long long)blk);
	memcpy(super, found, SFS_BLOCK_SIZE);
	if (sfs_dev_put(dev, 0, super))
		sfs_die(SFS_EXIT_FAILED, "%s: no memory for its superblock", path);
	return true;
}

int sfs_super_number(struct sfs_fs *fs, void *super)
{
	u64 ahead = SFS_SEQUENCE_MAX - SFS_SEQUENCE_AHEAD;

	/* Unless the journal had one. */
	if (fs->f_sequence_max < SFS_SEQUENCE_MAX)
		return 0;
	/* Also above what could not be read. */
	fs->f_sequence = min_t(u64, sfs_dev_newest(fs->f_priv), ahead) + SFS_SEQUENCE_AHEAD;
	fs->f_sequence_max = fs->f_sequence;
	sfs_super_encode(fs, super);
	sfs_block_seal(super);
	return sfs_dev_put(fs->f_priv, 0, super);
}
