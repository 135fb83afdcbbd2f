// SPDX-License-Identifier: GPL-2.0-only
/*
 * damage.c - damages a volume as a device or a bug does: blocks, and fields of what is in them.
 *
 * usage: damage IMAGE zero BLOCK COUNT          zeros in place of blocks
 *        damage IMAGE flip BLOCK BIT            one bit, and the checksum tells
 *        damage IMAGE field BLOCK FIELD VALUE   a field, under a right checksum
 *        damage IMAGE inode PATH FIELD VALUE    the same of an inode's record
 *        damage IMAGE name DIRECTORY NAME HOW   slash, nul or hash: of one record
 *        damage IMAGE stretch PATH NBLKS        last extent of its second leaf, or of its only one
 *        damage IMAGE steal PATH OTHER          its first extent lies where the other's does
 *        damage IMAGE stale BLOCK GROUP         inode map: as it was with half of its blocks
 *        damage IMAGE forge PATH OTHER          data of a file is the inode block of another
 *        damage IMAGE where WHAT PATH           says its block: inodes, inner, leaf, data
 *        damage IMAGE fields                    says what fields there are
 *
 * A file may be damaged only as a volume that is sound so far: it is found by its path.
 */
#include "../../src/lib/lib.h"

#define FIELD(type, field) {							\
	#field, offsetof(struct type, field), sizeof(((struct type *)NULL)->field) }

/* As in format.h, those that are arrays of something else left out. */
static const struct field {
	const char *name;
	size_t at;
	size_t nbytes;
} fields[] = {
	FIELD(sfs_head, h_magic), FIELD(sfs_head, h_crc), FIELD(sfs_head, h_blk),
	FIELD(sfs_head, h_owner), FIELD(sfs_head, h_seq), FIELD(sfs_head, h_fsid),
	FIELD(sfs_head, h_generation), FIELD(sfs_head, h_live),
	FIELD(sfs_super_disk, s_compat), FIELD(sfs_super_disk, s_ro_compat),
	FIELD(sfs_super_disk, s_incompat), FIELD(sfs_super_disk, s_block_bits),
	FIELD(sfs_super_disk, s_version), FIELD(sfs_super_disk, s_blocks),
	FIELD(sfs_super_disk, s_zones), FIELD(sfs_super_disk, s_journal_start),
	FIELD(sfs_super_disk, s_journal_blocks), FIELD(sfs_super_disk, s_tail),
	FIELD(sfs_super_disk, s_state), FIELD(sfs_super_disk, s_root),
	FIELD(sfs_super_disk, s_free), FIELD(sfs_super_disk, s_inodes),
	FIELD(sfs_super_disk, s_sequence), FIELD(sfs_bitmap_disk, b_count),
}, inode_fields[] = {
	FIELD(sfs_inode_disk, i_mode), FIELD(sfs_inode_disk, i_zero16),
	FIELD(sfs_inode_disk, i_uid), FIELD(sfs_inode_disk, i_gid),
	FIELD(sfs_inode_disk, i_nlink), FIELD(sfs_inode_disk, i_projid),
	FIELD(sfs_inode_disk, i_flags), FIELD(sfs_inode_disk, i_generation),
	FIELD(sfs_inode_disk, i_rdev), FIELD(sfs_inode_disk, i_size),
	FIELD(sfs_inode_disk, i_blocks), FIELD(sfs_inode_disk, i_atime),
	FIELD(sfs_inode_disk, i_mtime), FIELD(sfs_inode_disk, i_ctime),
	FIELD(sfs_inode_disk, i_btime), FIELD(sfs_inode_disk, i_change),
	FIELD(sfs_inode_disk, i_parent), FIELD(sfs_inode_disk, i_zero),
	FIELD(sfs_inode_disk, i_root),
};

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

static struct sfs_fs fs;
static u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));

static void must(int err, const char *what)
{
	if (err)
		sfs_die(1, "%s: %s", what, strerror(-err));
}

static u64 number(const char *arg)
{
	return strtoull(arg, NULL, 0);
}

static void take(u64 blk)
{
	must(sfs_dev_read(fs.f_priv, blk, data), "read");
}

static void give(u64 blk, bool seal)
{
	if (seal)
		sfs_block_seal(data);
	must(sfs_dev_write(fs.f_priv, blk, data), "write");
}

static void put_field(const struct field *table, size_t n, u8 *base, char **arg)
{
	__le64 value = cpu_to_le64(number(arg[1]));
	size_t i;

	for (i = 0; i < n && strcmp(table[i].name, arg[0]); i++)
		;
	if (i == n)
		sfs_die(1, "no such field: %s", arg[0]);
	memcpy(base + table[i].at, &value, min(table[i].nbytes, sizeof(value)));
}

static void do_zero(char **arg)
{
	u64 blk, n = number(arg[1]);

	for (blk = number(arg[0]); n; blk++, n--)
		give(blk, false);
}

static void do_flip(char **arg)
{
	u64 bit = number(arg[1]);

	take(number(arg[0]));
	data[bit / 8] ^= 1 << (bit % 8);
	give(number(arg[0]), false);
}

static void do_field(char **arg)
{
	take(number(arg[0]));
	put_field(fields, COUNT(fields), data, arg + 1);
	give(number(arg[0]), true);
}

static u64 ino_of(const char *path)
{
	u64 ino;

	must(sfs_path_resolve(&fs, path, &ino), path);
	return ino;
}

static void do_inode(char **arg)
{
	u64 ino = ino_of(arg[0]);

	take(sfs_ino_blk(ino));
	put_field(inode_fields, COUNT(inode_fields),
		  (u8 *)&((struct sfs_inodes_disk *)data)->n_slot[sfs_ino_slot(ino)], arg + 1);
	give(sfs_ino_blk(ino), true);
}

/* ---- nodes ---- */

struct search {
	const char *name;
	unsigned int level;
	u64 blk;
	unsigned int n;
	unsigned int slot;
};

/* The second of a level (or the only one), or the leaf that has a name. */
static void look(void *arg, const struct sfs_node_disk *node, u64 blk)
{
	const struct sfs_slot_disk *slot = (const struct sfs_slot_disk *)(node + 1);
	struct search *s = arg;
	unsigned int i;

	if (!blk || node->n_level != s->level)
		return;
	if (!s->name && s->n++ < 2)
		s->blk = blk;
	for (i = 0; s->name && i < le16_to_cpu(node->n_count); i++) {
		const struct sfs_dirent_disk *d =
			(const void *)((const u8 *)node + le16_to_cpu(slot[i].s_off));

		if (sfs_key_kind(le64_to_cpu(slot[i].s_key)) != SFS_KIND_DIRENT ||
		    d->d_len != strlen(s->name) || memcmp(d + 1, s->name, d->d_len))
			continue;
		s->blk = blk;
		s->slot = i;
	}
}

static void search(const char *path, struct search *s)
{
	struct sfs_inode in = { 0 };

	must(sfs_inode_read(&fs, ino_of(path), &in), path);
	must(sfs_tree_walk(&in, look, s), path);
	if (!s->blk)
		sfs_die(1, "%s: no such node", path);
}

static u64 data_of(const char *path)
{
	struct sfs_inode in = { 0 };
	struct sfs_extent ext;

	must(sfs_inode_read(&fs, ino_of(path), &in), path);
	must(sfs_extent_find(&in, 0, &ext), path);
	return ext.e_blk;
}

static void do_where(char **arg)
{
	struct search s = { .level = !strcmp(arg[0], "inner") };

	if (!strcmp(arg[0], "inodes"))
		s.blk = sfs_ino_blk(ino_of(arg[1]));
	else if (!strcmp(arg[0], "data"))
		s.blk = data_of(arg[1]);
	else
		search(arg[1], &s);
	printf("%llu\n", (unsigned long long)s.blk);
}

static void do_name(char **arg)
{
	struct search s = { .name = arg[1] };
	struct sfs_node_disk *node = (struct sfs_node_disk *)(data + sizeof(struct sfs_head));
	struct sfs_slot_disk *slot;
	char *name;

	search(arg[0], &s);
	take(s.blk);
	slot = (struct sfs_slot_disk *)(node + 1) + s.slot;
	name = (char *)node + le16_to_cpu(slot->s_off) + sizeof(struct sfs_dirent_disk);
	if (!strcmp(arg[2], "slash"))
		name[1] = '/';
	else if (!strcmp(arg[2], "nul"))
		name[1] = '\0';
	else
		name[1] ^= 1;
	give(s.blk, true);
}

static struct sfs_extent_disk *extent_at(struct sfs_node_disk *node, unsigned int i)
{
	struct sfs_slot_disk *slot = (struct sfs_slot_disk *)(node + 1) + i;

	if (sfs_key_kind(le64_to_cpu(slot->s_key)) != SFS_KIND_EXTENT)
		sfs_die(1, "no extent");
	return (struct sfs_extent_disk *)((u8 *)node + le16_to_cpu(slot->s_off));
}

static void do_stretch(char **arg)
{
	struct sfs_node_disk *node = (struct sfs_node_disk *)(data + sizeof(struct sfs_head));
	struct search s = { .level = 0 };

	search(arg[0], &s);
	take(s.blk);
	extent_at(node, le16_to_cpu(node->n_count) - 1)->e_len = cpu_to_le32(number(arg[1]));
	give(s.blk, true);
}

/* Of a file whose tree is in its inode. */
static void do_steal(char **arg)
{
	u64 ino = ino_of(arg[0]), blk = data_of(arg[1]);
	struct sfs_inode_disk *disk;

	take(sfs_ino_blk(ino));
	disk = &((struct sfs_inodes_disk *)data)->n_slot[sfs_ino_slot(ino)];
	extent_at((struct sfs_node_disk *)disk->i_root, 0)->e_start = cpu_to_le64(blk);
	give(sfs_ino_blk(ino), true);
}

static void do_stale(char **arg)
{
	struct sfs_bitmap_disk *map = (struct sfs_bitmap_disk *)data;
	u32 n, bit, nblks = sfs_group_nblks(&fs, number(arg[1]));

	take(number(arg[0]));
	n = le32_to_cpu(map->b_count);
	for (bit = nblks; bit-- && n > le32_to_cpu(map->b_count) / 2;)
		if (sfs_bits_test(map->b_bits, bit)) {
			sfs_bits_clear(map->b_bits, bit, 1);
			n--;
		}
	map->b_count = cpu_to_le32(n);
	give(number(arg[0]), true);
}

static void do_forge(char **arg)
{
	struct sfs_head *head = (struct sfs_head *)data;
	u64 blk = data_of(arg[0]);

	take(sfs_ino_blk(ino_of(arg[1])));
	head->h_blk = cpu_to_le64(blk);
	give(blk, true);
}

static void do_fields(char **arg)
{
	size_t i;

	(void)arg;
	for (i = 0; i < COUNT(fields); i++)
		printf("field %s\n", fields[i].name);
	for (i = 0; i < COUNT(inode_fields); i++)
		printf("inode %s\n", inode_fields[i].name);
}

static const struct verb {
	const char *name;
	int args;
	void (*run)(char **arg);
} verbs[] = {
	{ "zero", 2, do_zero },
	{ "flip", 2, do_flip },
	{ "field", 3, do_field },
	{ "inode", 3, do_inode },
	{ "name", 3, do_name },
	{ "where", 2, do_where },
	{ "stretch", 2, do_stretch },
	{ "steal", 2, do_steal },
	{ "stale", 2, do_stale },
	{ "forge", 2, do_forge },
	{ "fields", 0, do_fields },
};

int main(int argc, char **argv)
{
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_dev *dev;
	unsigned int v;

	sfs_program = "damage";
	for (v = 0; argc > 2 && v < COUNT(verbs); v++)
		if (!strcmp(verbs[v].name, argv[2]) && argc == 3 + verbs[v].args)
			break;
	if (argc < 3 || v == COUNT(verbs))
		sfs_die(2, "usage: damage IMAGE VERB ARGUMENT...");
	must(sfs_dev_open(argv[1], true, &dev), argv[1]);
	must(sfs_dev_read(dev, 0, super), argv[1]);
	sfs_super_decode(&fs, super);
	fs.f_priv = dev;
	must(sfs_fs_init(&fs), argv[1]);
	verbs[v].run(argv + 3);
	sfs_fs_exit(&fs);
	sfs_dev_close(dev);
	return 0;
}
