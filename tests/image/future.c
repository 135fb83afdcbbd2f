// SPDX-License-Identifier: GPL-2.0-only
/*
 * future.c - a volume with features that nobody knows yet: makes it of one, and looks what is left.
 *
 * usage: future IMAGE VERB
 *	compat, ro_compat	sets a bit of that class, and puts what may belong to a feature
 *				where it may be: in block 0, and in inodes with short names
 *	left			says what is not there any more, and exits 1
 *
 * Each inode gets bytes that no field has, a flag, and a record of a kind without a number; the
 * file "gone" in the root so many that they need blocks, and is not looked for.
 */
#include <sys/stat.h>

#include "../../src/lib/lib.h"

#define BIT		(1ULL << 62)
#define FLAG		(1u << 30)
#define KEY		sfs_key(12, 0x123456)
#define MANY		60
#define MARK		0x7e
#define SHORT		4		/* names of more letters are left to others */

static const size_t super_bytes[] = { 500, 507, 508, 3000, SFS_BLOCK_SIZE - 1 };
static const size_t inode_bytes[] = { offsetof(struct sfs_inode_disk, i_zero16), 130, 139 };
#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

static struct sfs_fs fs;
static u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
static u64 names[64];			/* inodes: the root, and what is named */
static unsigned int nnames;
static u64 gone;
static int lost;

static void must(int err, const char *what)
{
	if (err)
		sfs_die(2, "%s: %s", what, strerror(-err));
}

static bool remember(void *arg, const char *name, unsigned int len, u64 ino, u8 type, u64 pos)
{
	(void)arg;
	(void)type;
	(void)pos;
	if (len > SHORT)
		return true;
	if (len == 4 && !memcmp(name, "gone", 4))
		gone = ino;
	names[nnames++] = ino;
	return nnames < COUNT(names);
}

/* All that has a name, not many. */
static void find_names(void)
{
	struct sfs_inode in;
	unsigned int i;

	names[nnames++] = fs.f_root;
	for (i = 0; i < nnames; i++) {
		memset(&in, 0, sizeof(in));
		must(sfs_inode_read(&fs, names[i], &in), "inode");
		if (S_ISDIR(in.i_mode))
			must(sfs_dirent_iterate(&in, 0, remember, NULL), "names");
	}
}

static u8 *record_of(struct sfs_buf *buf, u64 ino)
{
	return (u8 *)&((struct sfs_inodes_disk *)sfs_buf_data(buf))->n_slot[sfs_ino_slot(ino)];
}

static void make_inode(u64 ino)
{
	struct sfs_trans *t = sfs_dev_trans(fs.f_priv);
	u8 rec[200] = "later";
	struct sfs_inode in;
	unsigned int i;

	memset(&in, 0, sizeof(in));
	must(sfs_inode_read(&fs, ino, &in), "inode");
	must(sfs_inode_begin(t, &in), "inode");
	for (i = 0; i < (ino == gone ? MANY : 1); i++)
		must(sfs_tree_insert(t, &in, KEY + i, rec, ino == gone ? sizeof(rec) : 6, 0),
		     "record");
	in.i_flags |= FLAG;
	for (i = 0; i < COUNT(inode_bytes); i++)
		record_of(in.i_buf, ino)[inode_bytes[i]] = MARK;
	sfs_inode_end(t, &in);
}

static void make(const char *class)
{
	struct sfs_super_disk *sup = (struct sfs_super_disk *)super;
	unsigned int i;

	if (!strcmp(class, "compat"))
		fs.f_compat |= BIT;
	else
		fs.f_ro_compat |= BIT;
	sup->s_compat = cpu_to_le64(fs.f_compat);
	sup->s_ro_compat = cpu_to_le64(fs.f_ro_compat);
	for (i = 0; i < nnames; i++)
		make_inode(names[i]);
	for (i = 0; i < COUNT(super_bytes); i++)
		super[super_bytes[i]] = MARK;
	must(sfs_fs_recount(&fs, NULL), "counters");
	must(sfs_dev_flush(fs.f_priv), "write");
	must(sfs_volume_write_super(&fs, super), "superblock");
	must(sfs_copies_write(&fs), "its copies");
}

static void tell(u64 ino, const char *what)
{
	printf("inode %llu: %s is lost\n", (unsigned long long)ino, what);
	lost = 1;
}

static void look_inode(u64 ino)
{
	struct sfs_path path;
	struct sfs_inode in;
	struct sfs_buf *buf;
	unsigned int i, nbytes;

	memset(&in, 0, sizeof(in));
	must(sfs_inode_read(&fs, ino, &in), "inode");
	if (!(in.i_flags & FLAG))
		tell(ino, "a flag");
	if (sfs_tree_find(&in, KEY, &path)) {
		tell(ino, "a record");
	} else {
		if (memcmp(sfs_path_record(&path, &nbytes), "later", 6) || nbytes != 6)
			tell(ino, "what a record says");
		sfs_path_release(&path);
	}
	must(sfs_buf_get(&fs, sfs_ino_blk(ino), &sfs_inodes_ops,
			 sfs_ino_blk(ino) / SFS_GROUP_BLOCKS, &buf), "inode block");
	for (i = 0; i < COUNT(inode_bytes); i++)
		if (record_of(buf, ino)[inode_bytes[i]] != MARK)
			tell(ino, "a byte");
	sfs_buf_put(buf);
}

static void look(void)
{
	unsigned int i;

	if (!sfs_fs_has_unknown(&fs))
		tell(0, "the feature's bit");
	for (i = 0; i < COUNT(super_bytes); i++)
		if (super[super_bytes[i]] != MARK)
			tell(0, "a byte of block 0");
	for (i = 0; i < nnames; i++)
		if (names[i] != gone)
			look_inode(names[i]);
}

int main(int argc, char **argv)
{
	struct sfs_dev *dev;
	bool looks;

	sfs_program = "future";
	if (argc != 3 || (strcmp(argv[2], "compat") && strcmp(argv[2], "ro_compat") &&
			  strcmp(argv[2], "left")))
		sfs_die(2, "usage: future IMAGE compat|ro_compat|left");
	looks = !strcmp(argv[2], "left");
	must(sfs_dev_open(argv[1], !looks, &dev), argv[1]);
	must(sfs_dev_read(dev, 0, super), argv[1]);
	sfs_super_decode(&fs, super);
	fs.f_priv = dev;
	must(sfs_fs_init(&fs), argv[1]);
	find_names();
	if (looks)
		look();
	else
		make(argv[2]);
	sfs_fs_exit(&fs);
	sfs_dev_close(dev);
	return lost;
}
