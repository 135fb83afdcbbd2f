// SPDX-License-Identifier: GPL-2.0-only
/*
 * edit.c - makes one thing on a volume untrue, under right checksums unless that is the lie.
 *
 * usage: edit IMAGE VERB ARGUMENT...
 * Everything is written at once and the superblock's counters are left alone, as if by somebody who
 * knows the format and means harm.
 */
#include "edit.h"

#include "../../src/lib/log.h"

struct sfs_fs fs;
struct sfs_trans *t;
static u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));

void must(int err, const char *what)
{
	if (err)
		sfs_die(1, "%s: %s", what, strerror(-err));
}

u64 number(const char *arg)
{
	return strtoull(arg, NULL, 0);
}

void get_inode(const char *path, struct sfs_inode *in)
{
	u64 ino;

	memset(in, 0, sizeof(*in));
	must(sfs_path_resolve(&fs, path, &ino), path);
	must(sfs_inode_read(&fs, ino, in), path);
	must(sfs_inode_begin(t, in), path);
}

/* A record's field, past all rules. */
static void edit_field(char **arg)
{
	struct sfs_inode in;
	u64 value = number(arg[2]);

	get_inode(arg[0], &in);
	if (!strcmp(arg[1], "nlink"))
		in.i_nlink = value;
	else if (!strcmp(arg[1], "blocks"))
		in.i_blocks = value;
	else if (!strcmp(arg[1], "size"))
		in.i_size = value;
	else if (!strcmp(arg[1], "parent"))
		in.i_parent = value;
	else if (!strcmp(arg[1], "flags"))
		in.i_flags = value;
	else if (!strcmp(arg[1], "projid"))
		in.i_projid = value;
	else
		sfs_die(1, "no such field: %s", arg[1]);
	sfs_inode_end(t, &in);
}

/* A name goes, what it named stays as it was. */
static void edit_unname(char **arg)
{
	struct sfs_inode dir;

	get_inode(arg[0], &dir);
	must(sfs_dirent_remove(t, &dir, arg[1], strlen(arg[1])), arg[1]);
	sfs_inode_end(t, &dir);
}

static bool strip_name(void *arg, const char *name, unsigned int len, u64 ino, u8 type, u64 pos)
{
	char *found = arg;

	(void)ino;
	(void)type;
	(void)pos;
	memcpy(found, name, len);
	found[len] = '\0';
	return false;
}

/* All names of a directory go. */
static void edit_strip(char **arg)
{
	char name[SFS_NAME_MAX + 1] = "";
	struct sfs_inode dir;

	get_inode(arg[0], &dir);
	while (must(sfs_dirent_iterate(&dir, 0, strip_name, name), arg[0]), *name) {
		must(sfs_dirent_remove(t, &dir, name, strlen(name)), name);
		*name = '\0';
	}
	sfs_inode_end(t, &dir);
}

static bool mark_name(void *arg, const char *name, unsigned int len, u64 ino, u8 type, u64 pos)
{
	struct sfs_inode in = { 0 };

	(void)arg;
	(void)len;
	(void)type;
	(void)pos;
	must(sfs_inode_read(&fs, ino, &in), name);
	must(sfs_inode_begin(t, &in), name);
	must(sfs_orphan_add(t, &in), name);
	sfs_inode_end(t, &in);
	return true;
}

/* All files of a directory are still to be cut. */
static void edit_mark(char **arg)
{
	struct sfs_inode dir = { 0 };
	u64 ino;

	must(sfs_path_resolve(&fs, arg[0], &ino), arg[0]);
	must(sfs_inode_read(&fs, ino, &dir), arg[0]);
	must(sfs_dirent_iterate(&dir, 0, mark_name, NULL), arg[0]);
}

/* A name for an inode number, of a type. */
static void edit_name(char **arg)
{
	struct sfs_inode dir;
	u64 ino;

	if (sfs_path_resolve(&fs, arg[2], &ino))
		ino = number(arg[2]);
	get_inode(arg[0], &dir);
	must(sfs_dirent_add(t, &dir, arg[1], strlen(arg[1]), ino, number(arg[3])), arg[1]);
	sfs_inode_end(t, &dir);
}

static void edit_type(char **arg)
{
	struct sfs_inode dir;
	u64 ino;
	u8 type;

	get_inode(arg[0], &dir);
	must(sfs_dirent_find(&dir, arg[1], strlen(arg[1]), &ino, &type), arg[1]);
	must(sfs_dirent_set(t, &dir, arg[1], strlen(arg[1]), ino, number(arg[2])), arg[1]);
	sfs_inode_end(t, &dir);
}

static const char *const map_names[SFS_MAPS] = { "used", "inode", "room", "orphan" };

static unsigned int map_of(const char *name)
{
	unsigned int m = 0;

	while (m < SFS_MAPS && strcmp(map_names[m], name))
		m++;
	if (m == SFS_MAPS)
		sfs_die(1, "no such map: %s", name);
	return m;
}

/* What the summary says of a map is as untrue as that; while all of them are sound. */
static void map_put(unsigned int m, struct sfs_bitmap_disk *map)
{
	struct sfs_summary_disk sum;

	sfs_block_seal(map);
	must(sfs_dev_put(fs.f_priv, sfs_map_blk(0, m), map), map_names[m]);
	sfs_report = sfs_report_nothing;
	if (!sfs_summary_make(&fs, 0, &sum)) {
		sfs_block_seal(&sum);
		must(sfs_dev_put(fs.f_priv, sfs_summary_blk(0), &sum), "summary");
	}
}

/* A count of a group of zone 0. */
static void edit_summary(char **arg)
{
	struct sfs_summary_disk sum;
	struct sfs_count_disk *count = &sum.z_count[number(arg[1])];
	__le32 value = cpu_to_le32(number(arg[2]));

	must(sfs_dev_read(fs.f_priv, sfs_summary_blk(0), &sum), "summary");
	if (!strcmp(arg[0], "free"))
		count->c_free = value;
	else if (!strcmp(arg[0], "inode_blks"))
		count->c_inode_blks = value;
	else if (!strcmp(arg[0], "room"))
		count->c_room = value;
	else if (!strcmp(arg[0], "slots"))
		count->c_slots = value;
	else if (!strcmp(arg[0], "orphan_blks"))
		count->c_orphan_blks = value;
	else if (!strcmp(arg[0], "run"))
		count->c_run = value;
	else
		sfs_die(1, "no such count: %s", arg[0]);
	sfs_block_seal(&sum);
	must(sfs_dev_write(fs.f_priv, sfs_summary_blk(0), &sum), "summary");
}

/* A bit of a map of group 0, and the count that goes with it. */
static void edit_bit(char **arg)
{
	unsigned int m = map_of(arg[0]);
	struct sfs_bitmap_disk map;
	u64 bit = number(arg[1]);
	bool set = number(arg[2]);
	int by = (set ? 1 : -1) * (m == SFS_MAP_USED ? -1 : 1);

	must(sfs_dev_read(fs.f_priv, sfs_map_blk(0, m), &map), arg[0]);
	if (set)
		sfs_bits_set(map.b_bits, bit, 1);
	else
		sfs_bits_clear(map.b_bits, bit, 1);
	map.b_count = cpu_to_le32(le32_to_cpu(map.b_count) + by);
	map_put(m, &map);
}

static void edit_map_count(char **arg)
{
	unsigned int m = map_of(arg[0]);
	struct sfs_bitmap_disk map;

	must(sfs_dev_read(fs.f_priv, sfs_map_blk(0, m), &map), arg[0]);
	map.b_count = cpu_to_le32(le32_to_cpu(map.b_count) + strtol(arg[1], NULL, 0));
	map_put(m, &map);
}

/* One bit of a block flips, and the checksum tells. */
static void edit_rot(char **arg)
{
	u8 data[SFS_BLOCK_SIZE];

	must(sfs_dev_read(fs.f_priv, number(arg[0]), data), "read");
	data[SFS_BLOCK_SIZE - 7] ^= 4;
	must(sfs_dev_write(fs.f_priv, number(arg[0]), data), "write");
}

/* A block says that it was written when the volume's sequence was another. */
static void edit_seq(char **arg)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));

	must(sfs_dev_read(fs.f_priv, number(arg[0]), data), "read");
	((struct sfs_head *)data)->h_seq = cpu_to_le64(number(arg[1]));
	sfs_block_seal(data);
	must(sfs_dev_write(fs.f_priv, number(arg[0]), data), "write");
}

static void edit_super(char **arg)
{
	struct sfs_super_disk *sup = (struct sfs_super_disk *)super;
	u64 value = number(arg[1]);

	if (!strcmp(arg[0], "free"))
		sup->s_free = cpu_to_le64(value);
	else if (!strcmp(arg[0], "inodes"))
		sup->s_inodes = cpu_to_le64(value);
	else if (!strcmp(arg[0], "state"))
		sup->s_state = cpu_to_le32(value);
	else if (!strcmp(arg[0], "compat"))
		sup->s_compat = cpu_to_le64(value);
	else if (!strcmp(arg[0], "hidden"))
		sup->s_hidden[0] = cpu_to_le64(value);
	else if (!strcmp(arg[0], "version"))
		sup->s_version = cpu_to_le32(value);
	else if (!strcmp(arg[0], "incompat"))
		sup->s_incompat = cpu_to_le64(value);
	else if (!strcmp(arg[0], "ro_compat"))
		sup->s_ro_compat = cpu_to_le64(value);
	else
		sfs_die(1, "no such field: %s", arg[0]);
}

/* A byte of block 0 by its offset. */
static void edit_super_byte(char **arg)
{
	super[number(arg[0])] = number(arg[1]);
}

/* A byte of an inode's record by its offset: one that no field has. */
static void edit_inode_byte(char **arg)
{
	struct sfs_inodes_disk *inodes;
	struct sfs_inode in;

	get_inode(arg[0], &in);
	inodes = sfs_buf_data(in.i_buf);
	((u8 *)&inodes->n_slot[sfs_ino_slot(in.i_ino)])[number(arg[1])] = number(arg[2]);
	sfs_inode_end(t, &in);
}

/* What copies say of a superblock is as untrue as that. */
static void edit_copies(void)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	u64 zone;

	for (zone = 0; zone < fs.f_zones; zone++) {
		sfs_copy_make(super, sfs_copy_blk(zone), data);
		sfs_block_seal(data);
		must(sfs_dev_write(fs.f_priv, sfs_copy_blk(zone), data), "copy");
	}
}

/* A byte of the first copy. */
static void edit_copy_byte(char **arg)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));

	must(sfs_dev_read(fs.f_priv, sfs_copy_blk(0), data), "copy");
	data[number(arg[0])] = number(arg[1]);
	sfs_block_seal(data);
	must(sfs_dev_write(fs.f_priv, sfs_copy_blk(0), data), "copy");
}

/* The superblock's counters say what the maps say. */
static void edit_recount(char **arg)
{
	struct sfs_super_disk *sup = (struct sfs_super_disk *)super;

	(void)arg;
	must(sfs_fs_recount(&fs, NULL), "recount");
	sup->s_free = cpu_to_le64(sfs_counter_read(&fs.f_free));
	sup->s_inodes = cpu_to_le64(sfs_counter_read(&fs.f_inodes));
}

/* Zones are begun until there are so many, and a file gets a block in the last one. */
static void edit_zones(char **arg)
{
	u64 goal = (number(arg[0]) - 1) * SFS_ZONE_BLOCKS + 5000;
	struct sfs_extent ext = { .e_lblk = 100000, .e_nblks = 1, .e_unwritten = true };
	struct sfs_reach reach = { };
	struct sfs_inode in;
	u32 n;

	while (fs.f_zones < number(arg[0]))
		must(sfs_zone_grow(t, &fs, sfs_groups_ready(&fs), &reach), "zone");
	must(sfs_dev_read(fs.f_priv, 0, super), "superblock");
	get_inode(arg[1], &in);
	must(sfs_alloc_blks(t, &fs, goal, 1, 0, &ext.e_blk, &n), "block");
	if (ext.e_blk < goal)
		sfs_die(1, "block %llu is not in the last zone", (unsigned long long)ext.e_blk);
	must(sfs_extent_insert(t, &in, &ext, 0), arg[1]);
	sfs_inode_end(t, &in);
	edit_recount(NULL);
}

/* Of the first extent of one file, some blocks are the other's too. */
static void edit_share(char **arg)
{
	struct sfs_extent ext = { 0 };
	struct sfs_inode from, to;

	get_inode(arg[0], &from);
	must(sfs_extent_next(&from, 0, &ext), arg[0]);
	sfs_inode_end(t, &from);
	get_inode(arg[1], &to);
	ext.e_lblk = 1000;
	ext.e_nblks = number(arg[2]);
	must(sfs_extent_insert(t, &to, &ext, 0), arg[1]);
	sfs_inode_end(t, &to);
}

/* A file holds any blocks there are, as data or without. */
static void edit_extent(char **arg)
{
	struct sfs_extent ext = {
		.e_lblk = number(arg[1]), .e_blk = number(arg[2]), .e_nblks = number(arg[3]),
		.e_unwritten = number(arg[4]),
	};
	struct sfs_inode in;

	get_inode(arg[0], &in);
	must(sfs_extent_insert(t, &in, &ext, 0), arg[0]);
	sfs_inode_end(t, &in);
}

/* The first name of a directory a second time, under the next collision number, for @ino if any. */
static void name_twice(char **arg, u64 ino)
{
	struct sfs_inode dir;
	struct sfs_path path;
	u8 rec[SFS_RECORD_MAX];
	unsigned int nbytes;
	const void *first;
	u64 key;

	get_inode(arg[0], &dir);
	must(sfs_tree_find_ge(&dir, sfs_key(SFS_KIND_DIRENT, 0), &path), arg[0]);
	key = sfs_path_key(&path);
	first = sfs_path_record(&path, &nbytes);
	memcpy(rec, first, nbytes);
	sfs_path_release(&path);
	if (ino) {
		((struct sfs_dirent_disk *)rec)->d_ino = cpu_to_le64(ino);
		((struct sfs_dirent_disk *)rec)->d_type = SFS_TYPE_REG;
	}
	must(sfs_tree_insert(t, &dir, key + 1, rec, nbytes, 0), arg[0]);
	dir.i_size += nbytes;
	sfs_inode_end(t, &dir);
}

static void edit_twice(char **arg)
{
	name_twice(arg, 0);
}

static void edit_twice_for(char **arg)
{
	u64 ino;

	must(sfs_path_resolve(&fs, arg[1], &ino), arg[1]);
	name_twice(arg, ino);
}

/* Blocks [from, to) of a file go. */
static void edit_punch(char **arg)
{
	struct sfs_inode in;
	int done = 0;

	get_inode(arg[0], &in);
	while (!done)
		done = sfs_extent_punch(t, &in, number(arg[1]), number(arg[2]));
	must(min(done, 0), arg[0]);
	sfs_inode_end(t, &in);
}

/* The log's superblock says that the kernel gave up with an error. */
static void edit_aborted(char **arg)
{
	u8 data[SFS_BLOCK_SIZE];

	must(sfs_dev_read(fs.f_priv, fs.f_journal_start, data), "log");
	sfs_log_put(data, SFS_LOG_OFF_ERRNO, -number(arg[0]));
	sfs_log_put(data, SFS_LOG_OFF_CRC,
		    sfs_log_crc(~0u, data, SFS_LOG_OFF_CRC, SFS_LOG_SUPER_BYTES));
	must(sfs_dev_write(fs.f_priv, fs.f_journal_start, data), "log");
}

/* Four bytes of the table of usage of a type. */
static void edit_quota(char **arg)
{
	__le32 value = cpu_to_le32(number(arg[2]));
	struct sfs_inode in;

	must(sfs_inode_read(&fs, fs.f_hidden[number(arg[0])], &in), "table");
	must(sfs_quota_write(t, &in, number(arg[1]), &value, sizeof(value)), "table");
}

static const struct verb {
	const char *name;
	int args;
	void (*edit)(char **arg);
} verbs[] = {
	{ "field", 3, edit_field },
	{ "unname", 2, edit_unname },
	{ "strip", 1, edit_strip },
	{ "mark", 1, edit_mark },
	{ "name", 4, edit_name },
	{ "type", 3, edit_type },
	{ "bit", 3, edit_bit },
	{ "map-count", 2, edit_map_count },
	{ "summary", 3, edit_summary },
	{ "rot", 1, edit_rot },
	{ "seq", 2, edit_seq },
	{ "super", 2, edit_super },
	{ "super-byte", 2, edit_super_byte },
	{ "copy-byte", 2, edit_copy_byte },
	{ "zones", 2, edit_zones },
	{ "inode-byte", 3, edit_inode_byte },
	{ "recount", 0, edit_recount },
	{ "share", 3, edit_share },
	{ "extent", 5, edit_extent },
	{ "aborted", 1, edit_aborted },
	{ "twice", 1, edit_twice },
	{ "twice-for", 2, edit_twice_for },
	{ "attribute", 4, edit_attribute },
	{ "record", 3, edit_record },
	{ "records", 3, edit_records },
	{ "stretch", 3, edit_stretch },
	{ "tower", 1, edit_tower },
	{ "hollow", 1, edit_hollow },
	{ "punch", 3, edit_punch },
	{ "quota", 3, edit_quota },
};

int main(int argc, char **argv)
{
	struct sfs_dev *dev;
	unsigned int v;

	sfs_program = "edit";
	for (v = 0; argc > 2 && v < sizeof(verbs) / sizeof(*verbs); v++)
		if (!strcmp(verbs[v].name, argv[2]) && argc == 3 + verbs[v].args)
			break;
	if (argc < 3 || v == sizeof(verbs) / sizeof(*verbs))
		sfs_die(2, "usage: edit IMAGE VERB ARGUMENT...");
	must(sfs_dev_open(argv[1], true, &dev), argv[1]);
	must(sfs_dev_read(dev, 0, super), argv[1]);
	sfs_super_decode(&fs, super);
	fs.f_priv = dev;
	must(sfs_fs_init(&fs), argv[1]);
	t = sfs_dev_trans(dev);
	verbs[v].edit(argv + 3);
	must(sfs_dev_flush(dev), argv[1]);
	sfs_block_seal(super);
	must(sfs_dev_write(dev, 0, super), argv[1]);
	if (!strcmp(argv[2], "super") || !strcmp(argv[2], "super-byte"))
		edit_copies();
	sfs_fs_exit(&fs);
	sfs_dev_close(dev);
	return 0;
}
