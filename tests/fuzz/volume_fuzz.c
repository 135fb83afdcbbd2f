// SPDX-License-Identifier: GPL-2.0-only
/*
 * volume_fuzz.c - a volume damaged in a few places, then checked, read and changed.
 *
 * Whatever the damage, the core may say no and it may be misled, but it must not fall over, run in
 * circles, trip over its own assertions or leave something held; and what was only looked at must
 * be as it was.  The input is a list of patches (volume.h) and then one of operations.
 */
#include <sys/stat.h>

#include "volume.h"

#define MAX_INODES	64
#define MAX_OPS		48

static u64 inodes[MAX_INODES];
static unsigned int ninodes;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t nbytes);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_volume_make(false);
	return 0;
}

static bool note_name(void *arg, const char *name, unsigned int len, u64 ino, u8 type, u64 pos)
{
	unsigned int *left = arg;

	FUZZ_REQUIRE(len && len <= SFS_NAME_MAX && sfs_name_is_valid(name, len));
	(void)type;
	(void)pos;
	if (ninodes < MAX_INODES)
		inodes[ninodes++] = ino;
	return --*left;
}

static void look_at(struct sfs_fs *fs, u64 ino)
{
	char target[SFS_SYMLINK_MAX + 1];
	u8 block[SFS_BLOCK_SIZE];
	unsigned int left = 1000;
	struct sfs_extent ext;
	struct sfs_inode in;
	u64 lblk;

	if (sfs_inode_find(fs, ino, &in))
		return;
	switch (in.i_mode & S_IFMT) {
	case S_IFDIR:
		(void)sfs_dirent_iterate(&in, 0, note_name, &left);
		break;
	case S_IFLNK:
		if (!sfs_symlink_read(&in, target, sizeof(target)))
			FUZZ_REQUIRE(strlen(target) == in.i_size);
		break;
	case S_IFREG:
		for (lblk = 0, left = 2000; left && !sfs_extent_next(&in, lblk, &ext); left--) {
			FUZZ_REQUIRE(ext.e_nblks && ext.e_lblk + ext.e_nblks > lblk);
			FUZZ_REQUIRE(sfs_blk_is_valid(fs, ext.e_blk, ext.e_nblks));
			lblk = ext.e_lblk + ext.e_nblks;
		}
		(void)sfs_file_read(&in, in.i_size >> SFS_BLOCK_BITS, block);
		break;
	}
}

/* ---- changes, as the porch makes them: what can fail first ---- */

static void make(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_inode *dir, const u8 *op)
{
	static const u16 modes[] = { S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO };
	u16 mode = modes[op[2] % 4] | 0600;
	char name[] = "new ?";
	struct sfs_inode in;
	u32 generation;
	u64 ino;

	name[4] = 'a' + op[3] % 16;
	if (sfs_dirent_room(t, dir, name, 5) ||
	    sfs_inode_alloc(t, fs, dir->i_ino, S_ISDIR(mode), &ino, &generation))
		return;
	sfs_inode_init(&in, fs, ino, mode, 1);
	in.i_nlink = 1;
	in.i_generation = generation;
	in.i_parent = S_ISDIR(mode) ? dir->i_ino : 0;
	if (sfs_inode_begin(t, &in))
		return;
	if (S_ISLNK(mode) && sfs_symlink_write(t, &in, "a target somewhere else", 23)) {
		in.i_mode = S_IFIFO;
		in.i_size = 0;
	}
	sfs_inode_end(t, &in);
	(void)sfs_dirent_add(t, dir, name, 5, ino, in.i_mode >> SFS_TYPE_SHIFT);
}

static void change_file(struct sfs_trans *t, struct sfs_inode *in, const u8 *op)
{
	u64 lblk = op[2] * (op[3] & 1 ? 1 : 1ULL << 40);
	struct sfs_extent ext;
	unsigned int left = 300;
	u64 done = lblk, changed;

	switch (op[3] >> 1 & 3) {
	case 0:
		(void)sfs_extent_alloc(t, in, lblk, 1 + op[4], op[4] & 1, 0, &ext);
		break;
	case 1:
		while (left-- && !sfs_extent_punch(t, in, lblk, lblk + 1 + op[4] * 8))
			;
		break;
	case 2:
		while (left-- && done < lblk + op[4] &&
		       !sfs_extent_convert(t, in, done, lblk + op[4] - done, op[3] & 8, &done,
					   &changed))
			;
		break;
	case 3:
		if (in->i_flags & SFS_INODE_ORPHAN)
			(void)sfs_orphan_remove(t, in);
		else
			(void)sfs_orphan_add(t, in);
		break;
	}
}

static void free_inode(struct sfs_trans *t, struct sfs_inode *in)
{
	unsigned int left = 600;

	if (S_ISREG(in->i_mode)) {
		while (left && !sfs_extent_punch(t, in, 0, SFS_LBLK_MAX + 1))
			left--;
	} else if (S_ISLNK(in->i_mode)) {
		(void)sfs_symlink_clear(t, in);
	}
	while (left && !sfs_inode_strip(t, in))
		left--;
	if (sfs_tree_is_empty(in))
		(void)sfs_inode_free(t, in);
}

static void change_dir(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_inode *dir, const u8 *op)
{
	char name[64];
	u64 ino;
	u8 type;

	snprintf(name, sizeof(name), "a name that takes its room %u", op[2] | (op[4] & 1) << 8);
	switch (op[3] >> 4 & 3) {
	case 0:
		make(t, fs, dir, op);
		break;
	case 1:
		(void)sfs_dirent_remove(t, dir, name, strlen(name));
		break;
	case 2:
		if (!sfs_dirent_find(dir, name, strlen(name), &ino, &type))
			(void)sfs_dirent_set(t, dir, name, strlen(name), dir->i_ino, type);
		break;
	case 3:
		(void)sfs_dirent_add(t, dir, name, strlen(name), dir->i_ino, SFS_TYPE_REG);
		break;
	}
}

static void change(struct sfs_fs *fs, const u8 *op)
{
	struct sfs_trans *t = sfs_dev_trans(fs->f_priv);
	struct sfs_inode in;
	u64 nbad = 0;
	u64 ino;

	if (op[0] == 0xff && !sfs_orphan_next(fs, 0, &ino, &nbad))
		inodes[ninodes++ % MAX_INODES] = ino;
	ninodes = min_t(unsigned int, ninodes, MAX_INODES);
	ino = ninodes ? inodes[op[1] % ninodes] : fs->f_root;
	if (sfs_inode_find(fs, ino, &in) || sfs_inode_begin(t, &in))
		return;
	if (op[0] % 4 == 3)
		free_inode(t, &in);
	else if (S_ISREG(in.i_mode))
		change_file(t, &in, op);
	else if (S_ISDIR(in.i_mode))
		change_dir(t, fs, &in, op);
	if (in.i_buf)
		sfs_inode_end(t, &in);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t nbytes)
{
	unsigned int n = 0;
	struct sfs_fs fs;
	unsigned int i;

	fuzz_patch(&data, &nbytes);
	if (fuzz_volume_open(&fs)) {
		(void)sfs_check(&fs);
		inodes[0] = fs.f_root;
		for (i = 0, ninodes = 1; i < ninodes; i++)
			look_at(&fs, inodes[i]);
		for (; nbytes >= 5 && n < MAX_OPS; data += 5, nbytes -= 5, n++)
			change(&fs, data);
		(void)sfs_check(&fs);
		fuzz_volume_close(&fs);
	}
	fuzz_volume_reset();
	return 0;
}
