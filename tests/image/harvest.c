// SPDX-License-Identifier: GPL-2.0-only
/*
 * harvest.c - what can be had of a volume: each name from the root on, with what it leads to.
 *
 * usage: harvest IMAGE
 * For each file that is read without an error: its size, a checksum of its content (for symlinks,
 * of the target) and its path.  What cannot be read is passed over.  Directories have a line as
 * well, with "dir" for a checksum.  Nothing is written, and block 0 has to be a superblock.
 */
#include "../../src/lib/lib.h"

#define PATH_ROOM	4096
#define DEPTH_MAX	32

static struct sfs_fs fs;
static char path[PATH_ROOM];
static unsigned int depth;

static int sum_target(struct sfs_inode *in, u32 *crc)
{
	char target[SFS_SYMLINK_MAX + 1];
	int err = sfs_symlink_read(in, target, sizeof(target));

	*crc = err ? 0 : sfs_crc32c(1, target, in->i_size);
	return err;
}

/* Holes count as zeros. */
static int sum_file(struct sfs_inode *in, u32 *crc)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	u64 at, end = (in->i_size + SFS_BLOCK_SIZE - 1) / SFS_BLOCK_SIZE;
	int err = 0;

	*crc = 0;
	for (at = 0; at < end && !err; at++) {
		u64 left = in->i_size - at * SFS_BLOCK_SIZE;

		err = sfs_file_read(in, at, data);
		if (!err)
			*crc = sfs_crc32c(*crc, data, min_t(u64, left, SFS_BLOCK_SIZE));
	}
	return err;
}

static bool show(void *arg, const char *name, unsigned int len, u64 ino, u8 type, u64 pos)
{
	size_t at = strlen(path);
	struct sfs_inode in = { 0 };
	u32 crc;

	(void)arg;
	(void)pos;
	if (at + len + 2 > sizeof(path) || sfs_inode_read(&fs, ino, &in))
		return true;
	path[at] = '/';
	memcpy(path + at + 1, name, len);
	path[at + 1 + len] = '\0';
	if (type == SFS_TYPE_DIR) {
		printf("0 dir %s\n", path);
		if (++depth < DEPTH_MAX)
			sfs_dirent_iterate(&in, 0, show, NULL);
		depth--;
	} else if (!(type == SFS_TYPE_LNK ? sum_target(&in, &crc) : sum_file(&in, &crc))) {
		printf("%llu %08x %s\n", (unsigned long long)in.i_size, crc, path);
	}
	path[at] = '\0';
	return true;
}

int main(int argc, char **argv)
{
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_inode root = { 0 };
	struct sfs_dev *dev;

	sfs_program = "harvest";
	sfs_report = sfs_report_nothing;
	if (argc != 2)
		sfs_die(2, "usage: harvest IMAGE");
	if (sfs_dev_open(argv[1], false, &dev) || sfs_dev_read(dev, 0, super) ||
	    sfs_super_verify(super, sfs_dev_nblks(dev)))
		return 0;
	sfs_super_decode(&fs, super);
	fs.f_priv = dev;
	if (!sfs_fs_init(&fs) && !sfs_inode_read(&fs, fs.f_root, &root))
		sfs_dirent_iterate(&root, 0, show, NULL);
	sfs_fs_exit(&fs);
	sfs_dev_close(dev);
	return 0;
}
