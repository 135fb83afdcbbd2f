// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage.c - tables of usage against a model: made, read, changed and damaged.
 *
 * A table that was made says what it was made of, in the same bytes for the same usage.  One with a
 * byte changed at random is either found to be none, or holds as many accounts as it did: it never
 * leads whoever reads it astray.
 */
#include "ram.h"
#include "usage.h"

#define ROUNDS		60
#define DAMAGES		3000
#define MOST		400

static struct sfs_inode in;

#define REQUIRE(cond) TAP_REQUIRE(cond, "seed %" PRIu64 ", round %u", ram_seed, round_no)
static unsigned int round_no;

/* Ids that share parts of the tree, and such that share none. */
static u32 random_id(void)
{
	static const u32 masks[] = { 0xff, 0xffff, 0xff00ff00, 0xffffffff };

	return (ram_random(0x10000) << 16 | ram_random(0x10000)) & masks[ram_random(4)];
}

static void fill(struct sfs_usages *t, unsigned int n)
{
	struct sfs_usage *u;

	t->t_bgrace = 10;
	t->t_igrace = 20;
	while (n--) {
		u = sfs_usage_of(t, random_id());
		TAP_REQUIRE(u, "memory");
		u->u_held_space = ram_random(1 << 30);
		u->u_held_inodes = ram_random(3);
		u->u_bhard = ram_random(2) * ram_random(1000);
		u->u_isoft = ram_random(3) / 2;
		u->u_btime = ram_random(5);
	}
}

static void store(const u8 *chunks, u64 n)
{
	u64 i;

	ram_reset();
	ram_step();
	ram_inode(&in, 1000, SFS_TYPE_REG << SFS_TYPE_SHIFT | 0600);
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	for (i = 0; i < n; i++)
		TAP_REQUIRE(!sfs_quota_extend(NULL, &in, 0), "chunk %" PRIu64, i);
	sfs_inode_end(NULL, &in);
	ram_step();
	TAP_REQUIRE(!sfs_quota_write(NULL, &in, 0, chunks, n * SFS_CHUNK), "write");
}

static u64 total(const struct sfs_usages *t, bool held)
{
	u64 n = 0;
	size_t i;

	for (i = 0; i < t->t_n; i++)
		n += held ? t->t_usage[i].u_held_space : t->t_usage[i].u_space;
	return n;
}

static void compare(struct sfs_usages *made, struct sfs_usages *got)
{
	const struct sfs_usage *want;
	struct sfs_usage *have;
	size_t i;

	REQUIRE(total(made, true) == total(got, false));
	for (i = 0; i < made->t_n; i++) {
		want = &made->t_usage[i];
		have = sfs_usage_of(got, want->u_id);
		REQUIRE(have && have->u_space == want->u_held_space &&
			have->u_inodes == want->u_held_inodes && have->u_bhard == want->u_bhard &&
			have->u_isoft == want->u_isoft);
	}
	REQUIRE(got->t_bgrace == 10 && got->t_igrace == 20);
}

static void test_made(void)
{
	struct sfs_usages made, got;
	const char *why;
	u8 *chunks, *again;
	u64 n, m, spare;

	for (round_no = 0; round_no < ROUNDS; round_no++) {
		struct sfs_usage *u;

		memset(&made, 0, sizeof(made));
		memset(&got, 0, sizeof(got));
		fill(&made, round_no ? ram_random(MOST) : 0);
		REQUIRE(!sfs_usages_build(&made, round_no % SFS_QUOTAS, &chunks, &n));
		store(chunks, n);
		REQUIRE(!sfs_quota_spare(&in, &spare) && !spare);
		REQUIRE(!sfs_usages_load(&in, round_no % SFS_QUOTAS, &got, &why));
		compare(&made, &got);
		REQUIRE(sfs_usages_load(&in, (round_no + 1) % SFS_QUOTAS, &got, &why));
		REQUIRE(!sfs_usages_build(&made, round_no % SFS_QUOTAS, &again, &m));
		REQUIRE(n == m && !memcmp(chunks, again, n * SFS_CHUNK));
		if (made.t_n && made.t_usage[0].u_held_space) {
			u = &made.t_usage[0];
			ram_step();
			REQUIRE(!sfs_usage_subtract(NULL, &in, u->u_id, 1, 0) && ram_touched == 1);
			u->u_held_space--;
			sfs_usages_free(&got);
			REQUIRE(!sfs_usages_load(&in, round_no % SFS_QUOTAS, &got, &why));
			compare(&made, &got);
		}
		sfs_usages_free(&made);
		sfs_usages_free(&got);
		free(chunks);
		free(again);
	}
	TAP_OK(true, "tables say what they were made of, and what was taken from them");
}

static void test_damaged(void)
{
	struct sfs_usages made = { 0 }, got;
	unsigned int found = 0;
	const char *why;
	u64 n, pos;
	u8 *chunks;
	u8 byte;
	int err;

	fill(&made, 100);
	TAP_REQUIRE(!sfs_usages_build(&made, 0, &chunks, &n), "build");
	store(chunks, n);
	for (round_no = 0; round_no < DAMAGES; round_no++) {
		pos = ram_random(n * SFS_CHUNK);
		byte = chunks[pos] ^ (1 + ram_random(255));
		memset(&got, 0, sizeof(got));
		ram_step();
		REQUIRE(!sfs_quota_write(NULL, &in, pos, &byte, 1));
		err = sfs_usages_load(&in, 0, &got, &why);
		REQUIRE(!err || err == -EFSCORRUPTED);
		REQUIRE(err || got.t_n <= made.t_n + 1);
		found += !!err;
		REQUIRE(!sfs_quota_write(NULL, &in, pos, chunks + pos, 1));
		sfs_usages_free(&got);
	}
	TAP_OK(found > DAMAGES / 3 && found < DAMAGES, "damage is found: %u of %u", found, DAMAGES);
	sfs_usages_free(&made);
	free(chunks);
}

/* Bytes of a table, where chunks meet and where there are none. */
static void test_bytes(void)
{
	u8 chunks[3 * SFS_CHUNK], buf[3 * SFS_CHUNK];
	u64 spare;
	unsigned int i;

	for (i = 0; i < sizeof(chunks); i++)
		chunks[i] = i * 7;
	memset(chunks, 0, sizeof(struct sfs_quota_head_disk));
	((struct sfs_quota_head_disk *)chunks)->q_blocks = cpu_to_le32(2);
	store(chunks, 3);
	TAP_OK(!sfs_quota_read(&in, 1000, buf, 1100) && !memcmp(buf, chunks + 1000, 1100),
	       "across three chunks");
	TAP_OK(!sfs_quota_spare(&in, &spare) && spare == 1, "one is spare");
	TAP_EQ(sfs_quota_read(&in, 3 * SFS_CHUNK - 1, buf, 2), -EFSCORRUPTED, "past the end");
	TAP_EQ(sfs_quota_write(NULL, &in, 3 * SFS_CHUNK, buf, 1), -EFSCORRUPTED, "nor written");
	TAP_OK(sfs_quota_verify(&ram_fs, 0, buf, SFS_CHUNK - 1), "a chunk that is not full");
	TAP_OK(sfs_quota_verify(&ram_fs, SFS_QUOTA_CHUNKS, buf, SFS_CHUNK), "one too far");
	TAP_OK(!sfs_quota_verify(&ram_fs, 7, buf, SFS_CHUNK), "a sound one");
	TAP_OK(sfs_kind_fits(&ram_fs, SFS_KIND_QUOTA, SFS_TYPE_REG) &&
	       !sfs_kind_fits(&ram_fs, SFS_KIND_QUOTA, SFS_TYPE_DIR), "in a file, nowhere else");
	ram_fs.f_ro_compat = 0;
	TAP_OK(!sfs_kind_fits(&ram_fs, SFS_KIND_QUOTA, SFS_TYPE_REG), "and not without its feature");
	ram_fs.f_ro_compat = SFS_RO_COMPAT_QUOTA;
	TAP_EQ(sfs_usage_parse("usr,prj"), 5, "names of types");
	TAP_OK(sfs_usage_parse("") < 0 && sfs_usage_parse("usr,") < 0 && sfs_usage_parse("us") < 0,
	       "and what is none");
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	ram_fs.f_ro_compat = SFS_RO_COMPAT_QUOTA;
	test_made();
	test_damaged();
	test_bytes();
	ram_reset();
	return tap_done();
}
