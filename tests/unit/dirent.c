// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirent.c - directories against a set of names.
 *
 * Names are added, found, changed, removed and made room for at random, under a good hash and under
 * such bad ones that most names collide, a part of it with a failure on the way.  A readdir goes on
 * all the while, a few names at a time: what was there from its start to its end it must show once,
 * what was never there it must not, whatever came and went meanwhile.
 */
#include "ram.h"

#define NAMES	3000
#define STEPS	1000000

struct name {
	bool there;
	u64 ino;
	u8 type;
	bool stayed;			/* since the readdir began */
	bool absent;
	unsigned int seen;
};

static struct name names[NAMES];
static unsigned int nthere;
static u64 nbytes_there;
static struct sfs_inode dir;
static u64 cookie;			/* where the readdir goes on */
static unsigned int nreaddirs, nfailed, nshutdowns;
static u64 step_no;

#define REQUIRE(cond) TAP_REQUIRE(cond, "seed %" PRIu64 ", step %" PRIu64, ram_seed, step_no)

/* Of many lengths, a few the longest there are; the number comes first. */
static unsigned int make_name(unsigned int i, char *buf)
{
	unsigned int len = snprintf(buf, SFS_NAME_MAX + 1, "%u", i);
	unsigned int want = i % 50 == 0 ? SFS_NAME_MAX : len + i * 7919 % 24;

	for (; len < want; len++)
		buf[len] = 'a' + (i + len) % 26;
	return len;
}

static u8 random_type(void)
{
	static const u8 types[] = { SFS_TYPE_FIFO, SFS_TYPE_CHR, SFS_TYPE_DIR, SFS_TYPE_BLK,
				    SFS_TYPE_REG, SFS_TYPE_LNK, SFS_TYPE_SOCK };

	return types[ram_random(sizeof(types))];
}

static void readdir_begin(void)
{
	unsigned int i;

	cookie = 0;
	for (i = 0; i < NAMES; i++) {
		names[i].stayed = names[i].there;
		names[i].absent = !names[i].there;
		names[i].seen = 0;
	}
}

static void readdir_end(void)
{
	unsigned int i;

	for (i = 0; i < NAMES; i++) {
		REQUIRE(!names[i].stayed || names[i].seen == 1);
		REQUIRE(!names[i].absent || !names[i].seen);
	}
	nreaddirs++;
}

struct sight {
	unsigned int left;
	unsigned int n;
	u64 last;
	u64 nbytes;
	bool whole;			/* a walk of its own: not the readdir that goes on */
};

static bool see(void *arg, const char *name, unsigned int len, u64 ino, u8 type, u64 pos)
{
	char buf[SFS_NAME_MAX + 1] = "";
	struct sight *s = arg;
	unsigned int i;

	memcpy(buf, name, len);
	i = strtoul(buf, NULL, 10);
	REQUIRE(i < NAMES && names[i].there);
	REQUIRE(make_name(i, buf) == len && !memcmp(buf, name, len));
	REQUIRE(names[i].ino == ino && names[i].type == type);
	REQUIRE(!s->n || pos > s->last);
	s->last = pos;
	s->n++;
	s->nbytes += sizeof(struct sfs_dirent_disk) + len;
	if (s->whole)
		return true;
	names[i].seen++;
	cookie = pos + 1;
	return --s->left;
}

static void readdir_some(void)
{
	struct sight s = { .left = 1 + ram_random(60) };

	REQUIRE(!sfs_dirent_iterate(&dir, cookie, see, &s));
	if (s.left) {
		readdir_end();
		readdir_begin();
	}
}

static void check_all(void)
{
	struct sight s = { .whole = true };

	ram_step();
	REQUIRE(!sfs_dirent_iterate(&dir, 0, see, &s));
	REQUIRE(s.n == nthere && s.nbytes == dir.i_size && s.nbytes == nbytes_there);
	REQUIRE(sfs_dirent_dir_is_empty(&dir) == !nthere);
	REQUIRE(ram_used - 1 == dir.i_blocks);
	REQUIRE(!ram_corruptions);
}

static void check_find(unsigned int i)
{
	char buf[SFS_NAME_MAX + 1];
	unsigned int len = make_name(i, buf);
	u64 ino = 77;
	u8 type = 77;
	int err;

	err = sfs_dirent_find(&dir, buf, len, &ino, &type);
	if (names[i].there)
		REQUIRE(!err && ino == names[i].ino && type == names[i].type);
	else
		REQUIRE(err == -ENOENT && ino == 77 && type == 77);
}

static int try_add(unsigned int i, const char *name, unsigned int len)
{
	u64 ino = 8 + ram_random(1000000);
	u8 type = random_type();
	int err;

	err = sfs_dirent_add(NULL, &dir, name, len, ino, type);
	if (names[i].there)
		REQUIRE(err == -EEXIST || (err && ram_failed));
	if (err)
		return err == -EEXIST ? 0 : err;
	names[i].there = true;
	names[i].absent = false;
	names[i].ino = ino;
	names[i].type = type;
	nthere++;
	nbytes_there += sizeof(struct sfs_dirent_disk) + len;
	return 0;
}

static int try_remove(unsigned int i, const char *name, unsigned int len)
{
	int err;

	err = sfs_dirent_remove(NULL, &dir, name, len);
	if (!names[i].there)
		REQUIRE(err == -ENOENT || (err && ram_failed));
	if (err)
		return err == -ENOENT ? 0 : err;
	names[i].there = false;
	names[i].stayed = false;
	nthere--;
	nbytes_there -= sizeof(struct sfs_dirent_disk) + len;
	return 0;
}

static int try_set(unsigned int i, const char *name, unsigned int len)
{
	u64 ino = 8 + ram_random(1000000);
	u8 type = random_type();
	int err;

	err = sfs_dirent_set(NULL, &dir, name, len, ino, type);
	if (!names[i].there)
		REQUIRE(err == -ENOENT || (err && ram_failed));
	if (err)
		return err == -ENOENT ? 0 : err;
	names[i].ino = ino;
	names[i].type = type;
	return 0;
}

/* After room was made, nothing that still could fail may be asked for, but for joining nodes. */
static int try_room(unsigned int i, const char *name, unsigned int len)
{
	u64 before = ram_used;
	int err;

	err = sfs_dirent_room(NULL, &dir, name, len);
	if (err)
		return err;
	before = ram_used;
	ram_fail_in = 0;
	ram_failed = false;
	if (names[i].there && ram_random(2)) {
		err = try_remove(i, name, len);
		REQUIRE(!err && !names[i].there && ram_used <= before);
		return 0;
	}
	err = names[i].there ? try_set(i, name, len) : try_add(i, name, len);
	REQUIRE(!err && !ram_failed && ram_used == before);
	return 0;
}

static void fresh_dir(void)
{
	static const u64 masks[] = {
		~0ULL, ~0ULL, 0xfffULL << 52, 0x1fULL << 40, 0xffULL << 12 | 0xfff,
	};

	ram_reset();
	memset(names, 0, sizeof(names));
	nthere = 0;
	nbytes_there = 0;
	ram_hash_mask = masks[ram_random(5)];
	ram_fs.f_hash_key[0] = ram_random(~0u);
	ram_inode(&dir, RAM_FIRST + 5, SFS_TYPE_DIR << SFS_TYPE_SHIFT);
	readdir_begin();
}

static void one_step(unsigned int phase)
{
	static int (*const op[])(unsigned int, const char *, unsigned int) = {
		try_add, try_remove, try_set, try_room,
	};
	static const unsigned int pick[3][8] = {
		{ 0, 0, 0, 0, 0, 1, 2, 3 }, { 0, 0, 1, 1, 1, 2, 3, 3 }, { 0, 1, 1, 1, 1, 1, 1, 2 },
	};
	unsigned int i = ram_random(NAMES);
	char buf[SFS_NAME_MAX + 1];
	unsigned int len = make_name(i, buf);
	int err;

	ram_step();
	REQUIRE(!sfs_inode_begin(NULL, &dir));
	ram_fail_in = ram_random(6) ? -1 : (long)ram_random(8);
	err = op[pick[phase][ram_random(8)]](i, buf, len);
	ram_fail_in = -1;
	sfs_inode_end(NULL, &dir);
	nfailed += err && ram_failed;
	REQUIRE(!err || ram_failed || (err == -ENOSPC && ram_hash_mask != ~0ULL));
	if (ram_shutdowns) {
		nshutdowns++;
		fresh_dir();
		return;
	}
	check_find(ram_random(NAMES));
	check_find(i);
	if (!ram_random(20))
		readdir_some();
}

static void test_random(void)
{
	unsigned int phase = 0;

	fresh_dir();
	for (step_no = 0; step_no < STEPS; step_no++) {
		if (step_no % 5000 == 0)
			phase = ram_random(3);
		if (step_no % 30000 == 0)
			fresh_dir();
		one_step(phase);
		if (step_no % 500 == 0)
			check_all();
	}
	check_all();
	TAP_OK(true, "directory equals the set after %d steps", STEPS);
	printf("# %u readdirs, %u failures, %u shut down\n", nreaddirs, nfailed, nshutdowns);
	TAP_OK(nreaddirs > 50, "readdirs came to their end while names came and went");
	TAP_OK(nfailed > 500 && !nshutdowns, "failures undo themselves");
}

static void test_collisions(void)
{
	char buf[SFS_NAME_MAX + 1];
	unsigned int len, i;
	int err = 0;

	ram_step();
	fresh_dir();
	ram_hash_mask = 0;
	TAP_REQUIRE(!sfs_inode_begin(NULL, &dir), "begin");
	for (i = 0; i < 300 && !err; i++) {
		len = make_name(i, buf);
		err = sfs_dirent_add(NULL, &dir, buf, len, 8, SFS_TYPE_REG);
	}
	TAP_EQ(err, -ENOSPC, "one name too many of a hash");
	TAP_EQ(i - 1, SFS_DIRENT_COLLISIONS, "is the 257th");
	TAP_EQ(sfs_dirent_room(NULL, &dir, buf, len), -ENOSPC, "nor can room be made for it");
	len = make_name(100, buf);
	TAP_EQ(sfs_dirent_remove(NULL, &dir, buf, len), 0, "one goes");
	len = make_name(299, buf);
	TAP_EQ(sfs_dirent_add(NULL, &dir, buf, len, 8, SFS_TYPE_REG), 0, "another comes");
	sfs_inode_end(NULL, &dir);
}

/* A lookup is one way down; one that finds nothing may have to look into the next leaf. */
static void test_cost(void)
{
	const struct sfs_node_disk *root = (const struct sfs_node_disk *)dir.i_root;
	unsigned int missed = 0;
	char buf[16];
	unsigned int i, len;
	u64 ino;
	u8 type;
	int err;

	ram_step();
	fresh_dir();
	ram_hash_mask = ~0ULL;
	TAP_REQUIRE(!sfs_inode_begin(NULL, &dir), "begin");
	for (i = 0; i < 40000; i++) {
		len = snprintf(buf, sizeof(buf), "%u", i);
		TAP_REQUIRE(!sfs_dirent_add(NULL, &dir, buf, len, 8, SFS_TYPE_REG), "add %u", i);
	}
	sfs_inode_end(NULL, &dir);
	for (i = 0; i < 80000; i++) {
		len = snprintf(buf, sizeof(buf), "%u", i);
		ram_gets = 0;
		err = sfs_dirent_find(&dir, buf, len, &ino, &type);
		TAP_REQUIRE(err == (i < 40000 ? 0 : -ENOENT), "find %u", i);
		missed += ram_gets > root->n_level;
		TAP_REQUIRE(i >= 40000 || ram_gets == root->n_level, "one block a level for %u", i);
	}
	TAP_EQ(root->n_level, 2, "40,000 names, two levels below the root");
	TAP_OK(missed < 1000, "%u of 40,000 names not there cost more than one way down", missed);
}

static void put_raw(u64 pos, u64 ino, const char *name, unsigned int len, unsigned int claim)
{
	u8 rec[sizeof(struct sfs_dirent_disk) + SFS_NAME_MAX] = { 0 };
	struct sfs_dirent_disk *disk = (struct sfs_dirent_disk *)rec;

	disk->d_ino = cpu_to_le64(ino);
	disk->d_type = SFS_TYPE_REG;
	disk->d_len = claim;
	memcpy(disk + 1, name, len);
	TAP_REQUIRE(!sfs_tree_insert(NULL, &dir, sfs_key(SFS_KIND_DIRENT, pos), rec,
				     sizeof(*disk) + len, 0), "a record is put in by hand");
}

static void test_hostile(void)
{
	struct sight s = { .whole = true };
	u64 ino;
	u8 type;

	ram_step();
	fresh_dir();
	ram_hash_mask = ~0ULL;
	TAP_REQUIRE(!sfs_inode_begin(NULL, &dir), "begin");
	put_raw(sfs_siphash(ram_fs.f_hash_key, "seven", 5) >> 12 << 8, 8, "eight", 5, 5);
	TAP_EQ(sfs_dirent_find(&dir, "seven", 5, &ino, &type), -EFSCORRUPTED,
	       "a name under another's hash is damage to a lookup");
	TAP_EQ(sfs_dirent_iterate(&dir, 0, see, &s), -EFSCORRUPTED, "and to a readdir");
	TAP_EQ(s.n, 0, "which does not show it");
	TAP_EQ(sfs_dirent_add(NULL, &dir, "seven", 5, 8, SFS_TYPE_REG), -EFSCORRUPTED,
	       "nothing is added beside it");
	TAP_EQ(sfs_dirent_find(&dir, "eight", 5, &ino, &type), -ENOENT, "it is not found");
	put_raw(sfs_siphash(ram_fs.f_hash_key, "nine", 4) >> 12 << 8, 8, "nine", 4, 4);
	TAP_EQ(sfs_dirent_remove(NULL, &dir, "nine", 4), -EFSCORRUPTED,
	       "a size too small for its names is damage");
	TAP_EQ(sfs_dirent_find(&dir, "nine", 4, &ino, &type), 0, "and changes nothing");
	dir.i_size = SFS_FILE_SIZE_MAX - 3;
	TAP_EQ(sfs_dirent_room(NULL, &dir, "ten", 3), -EFSCORRUPTED, "so is one too large for more");
	TAP_EQ(sfs_dirent_add(NULL, &dir, "ten", 3, 8, SFS_TYPE_REG), -EFSCORRUPTED, "which stays");
	TAP_EQ(sfs_dirent_room(NULL, &dir, "nine", 4), 0, "a name in it may go");
	sfs_inode_end(NULL, &dir);
}

static void test_names(void)
{
	static const struct {
		const char *name;
		unsigned int len;
		bool good;
	} row[] = {
		{ "a", 1, true }, { "..a", 3, true }, { "...", 3, true }, { ".a", 2, true },
		{ "", 0, false }, { ".", 1, false }, { "..", 2, false }, { "a/b", 3, false },
		{ "/", 1, false }, { "a\0b", 3, false }, { "\xff\xfe", 2, true },
	};
	char longest[SFS_NAME_MAX + 1];
	unsigned int i;
	u64 ino;
	u8 type;

	memset(longest, 'x', sizeof(longest));
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		TAP_EQ(sfs_name_is_valid(row[i].name, row[i].len), row[i].good, "name %u", i);
	TAP_OK(sfs_name_is_valid(longest, SFS_NAME_MAX), "255 bytes");
	TAP_OK(!sfs_name_is_valid(longest, SFS_NAME_MAX + 1), "256 bytes");
	ram_step();
	fresh_dir();
	TAP_REQUIRE(!sfs_inode_begin(NULL, &dir), "begin");
	TAP_EQ(sfs_dirent_add(NULL, &dir, longest, 256, 8, SFS_TYPE_REG), -ENAMETOOLONG, "add");
	TAP_EQ(sfs_dirent_find(&dir, longest, 256, &ino, &type), -ENAMETOOLONG, "find");
	TAP_EQ(sfs_dirent_remove(NULL, &dir, longest, 256), -ENOENT, "remove");
	TAP_EQ(sfs_dirent_add(NULL, &dir, "..", 2, 8, SFS_TYPE_DIR), -EINVAL, "add of ..");
	sfs_inode_end(NULL, &dir);
}

/* ---- the last name of a leaf ---- */

#define ROW		400
#define ROW_LEN		200

struct row_name {
	u64 hash;
	char name[ROW_LEN + 1];
};

static int row_order(const void *a, const void *b)
{
	const struct row_name *x = a, *y = b;

	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

/* Names come in the order of their keys: leaves are full, and no two are joined as they empty. */
static void test_last_of_leaf(void)
{
	static struct row_name row[ROW];
	unsigned int i, leaves = 0;
	u64 before;

	ram_step();
	fresh_dir();
	ram_hash_mask = ~0ULL;
	TAP_REQUIRE(!sfs_inode_begin(NULL, &dir), "begin");
	for (i = 0; i < ROW; i++) {
		snprintf(row[i].name, sizeof(row[i].name), "%0*u", ROW_LEN, i);
		row[i].hash = sfs_siphash(ram_fs.f_hash_key, row[i].name, ROW_LEN);
	}
	qsort(row, ROW, sizeof(row[0]), row_order);
	for (i = 0; i < ROW; i++)
		TAP_REQUIRE(!sfs_dirent_add(NULL, &dir, row[i].name, ROW_LEN, 5, SFS_TYPE_REG), "added");
	sfs_inode_end(NULL, &dir);
	for (i = 100; i < 300; i++) {
		ram_step();
		TAP_REQUIRE(!sfs_inode_begin(NULL, &dir), "begin");
		TAP_REQUIRE(!sfs_dirent_room(NULL, &dir, row[i].name, ROW_LEN), "room");
		before = ram_used;
		ram_fail_in = 0;
		TAP_REQUIRE(!sfs_dirent_remove(NULL, &dir, row[i].name, ROW_LEN),
			    "name %u goes whatever fails then", i);
		ram_fail_in = -1;
		leaves += before - ram_used;
		sfs_inode_end(NULL, &dir);
	}
	TAP_OK(leaves > 5, "the last name of a leaf goes, after room, without asking (%u leaves)", leaves);
}

static void test_verify(void)
{
	u8 rec[] = { 8, 0, 0, 0, 0, 0, 0, 0, SFS_TYPE_REG, 3, 'a', 'b', 'c' };
	static const struct {
		unsigned int at;
		u8 value;
	} bad[] = {
		{ 0, 0 }, { 8, 0 }, { 8, 3 }, { 8, 16 }, { 8, 32 + SFS_TYPE_REG }, { 9, 0 },
		{ 9, 2 }, { 9, 4 }, { 9, 255 }, { 10, '/' }, { 11, 0 },
	};
	unsigned int i;
	u8 was;

	TAP_OK(!sfs_dirent_verify(&ram_fs, 5, rec, sizeof(rec)), "a sound record");
	TAP_OK(sfs_dirent_verify(&ram_fs, 5, rec, sizeof(rec) - 1), "a byte short");
	TAP_OK(sfs_dirent_verify(&ram_fs, 5, rec, sizeof(struct sfs_dirent_disk)), "no name");
	TAP_OK(sfs_dirent_verify(&ram_fs, 5, rec, 1), "one byte");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		was = rec[bad[i].at];
		rec[bad[i].at] = bad[i].value;
		TAP_OK(sfs_dirent_verify(&ram_fs, 5, rec, sizeof(rec)), "byte %u is %u", bad[i].at,
		       bad[i].value);
		rec[bad[i].at] = was;
	}
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	test_verify();
	test_names();
	test_hostile();
	test_collisions();
	test_cost();
	test_last_of_leaf();
	test_random();
	ram_reset();
	return tap_done();
}
