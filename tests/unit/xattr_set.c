// SPDX-License-Identifier: GPL-2.0-only
/*
 * xattr_set.c - attributes against a table of values.
 *
 * They are set, replaced, removed, read and listed at random, small ones and such of up to 64 KiB,
 * beside extents that come and go in the same tree, under a good hash and under such bad ones that
 * most names collide; a part of it with a failure on the way.  What a change touched is held
 * against what it was said to cost at most.
 */
#include "ram.h"

#define NAMES		40
#define STEPS		60000
#define EXTENTS		3000

struct value {
	bool there;
	u32 nbytes;
	u8 fill;
};

static struct value values[NAMES];
static unsigned int nthere;
static struct sfs_inode in;
static unsigned int nfailed, nshutdowns, nfull, nlarge;
static u64 step_no;
static u64 spare_most = ~0ULL;	/* the least that was left of a cost */

#define REQUIRE(cond) TAP_REQUIRE(cond, "seed %" PRIu64 ", step %" PRIu64, ram_seed, step_no)

/* Of many lengths, a few the longest there are; the number comes first. */
static struct sfs_xattr name_of(unsigned int i)
{
	static char buf[SFS_NAME_MAX + 1];
	unsigned int len = snprintf(buf, sizeof(buf), "%u", i);
	unsigned int want = i % 10 == 0 ? SFS_NAME_MAX : len + i * 7919 % 24;

	for (; len < want; len++)
		buf[len] = 'a' + (i + len) % 26;
	return (struct sfs_xattr) {
		.x_space = 1 + i % SFS_XATTR_SYSTEM, .x_len = len, .x_name = buf
	};
}

/* Lengths around whole pieces are as likely as all others. */
static u32 random_nbytes(void)
{
	switch (ram_random(8)) {
	case 0:
		return ram_random(SFS_XATTR_MAX + 1);
	case 1:
		return min_t(u32, SFS_XATTR_MAX, ram_random(65) * SFS_CHUNK + ram_random(9));
	case 2:
		return ram_random(3 * SFS_CHUNK);
	default:
		return ram_random(100);
	}
}

static u8 *filled(u32 nbytes, u8 fill)
{
	u8 *value = malloc(nbytes + 1);	/* none of 0 bytes is NULL */
	u32 i;

	for (i = 0; i < nbytes; i++)
		value[i] = fill + i * 31 + (i >> 8);
	return value;
}

static void check_value(unsigned int i)
{
	struct sfs_xattr x = name_of(i);
	const struct value *v = &values[i];
	u8 *buf = malloc(SFS_XATTR_MAX);
	u8 *want = filled(v->nbytes, v->fill);

	if (v->there) {
		REQUIRE(sfs_xattr_get(&in, &x, NULL, 0) == (int)v->nbytes);
		if (v->nbytes > 1)
			REQUIRE(sfs_xattr_get(&in, &x, buf, v->nbytes - 1) == -ERANGE);
		REQUIRE(sfs_xattr_get(&in, &x, buf, max(v->nbytes, 1u)) == (int)v->nbytes);
		REQUIRE(!memcmp(buf, want, v->nbytes));
	} else {
		REQUIRE(sfs_xattr_get(&in, &x, buf, SFS_XATTR_MAX) == -ENODATA);
	}
	free(want);
	free(buf);
}

struct sight {
	unsigned int n;
	bool seen[NAMES];
};

static bool see(void *arg, const struct sfs_xattr *x)
{
	char buf[SFS_NAME_MAX + 1] = "";
	struct sight *s = arg;
	struct sfs_xattr want;
	unsigned int i;

	memcpy(buf, x->x_name, x->x_len);
	i = strtoul(buf, NULL, 10);
	REQUIRE(i < NAMES && values[i].there && !s->seen[i]);
	want = name_of(i);
	REQUIRE(x->x_space == want.x_space && x->x_len == want.x_len &&
		!memcmp(x->x_name, want.x_name, want.x_len));
	s->seen[i] = true;
	s->n++;
	return true;
}

static bool see_one(void *arg, const struct sfs_xattr *x)
{
	(void)x;
	++*(unsigned int *)arg;
	return false;
}

static u64 count_nodes(const struct sfs_node_disk *node)
{
	const struct sfs_entry_disk *entry = (const void *)(node + 1);
	u64 n = 0;
	unsigned int i;

	for (i = 0; node->n_level && i < le16_to_cpu(node->n_count); i++)
		n += 1 + count_nodes((const void *)(ram_blocks[le64_to_cpu(entry[i].e_blk)].data +
						    sizeof(struct sfs_head)));
	return n;
}

static void check_all(void)
{
	struct sight s = { 0 };
	unsigned int i, once = 0;

	ram_step();
	REQUIRE(!sfs_xattr_each(&in, see, &s));
	REQUIRE(s.n == nthere);
	REQUIRE(!sfs_xattr_each(&in, see_one, &once) && once == !!nthere);
	REQUIRE(!sfs_xattr_check(&in));
	for (i = 0; i < NAMES; i++)
		check_value(i);
	REQUIRE(in.i_blocks == count_nodes((const void *)in.i_root));
	REQUIRE(ram_used - 1 == in.i_blocks);
	REQUIRE(!ram_corruptions);
}

/* New nodes and nodes that went have a map and a summary each, which a memory volume has not. */
static void check_cost(const struct sfs_xattr_cost *cost, u64 nnew)
{
	u64 credits = ram_touched + 2 * (nnew + ram_revoked);

	REQUIRE(credits <= cost->c_credits && ram_revoked <= cost->c_revokes);
	spare_most = min(spare_most, cost->c_credits - credits);
}

static int change(const struct sfs_xattr *x, long fail_in)
{
	struct sfs_xattr_cost cost;
	int err;

	err = sfs_xattr_cost(&in, x, &cost);
	if (err)
		return err;
	ram_fail_in = fail_in;
	err = sfs_xattr_set(NULL, &in, x, &cost);
	ram_fail_in = -1;
	check_cost(&cost, ram_new);
	return err;
}

static void set(unsigned int i, long fail_in)
{
	struct sfs_xattr x = name_of(i);
	u8 fill = ram_random(256);
	u8 *value;
	int err;

	x.x_nbytes = random_nbytes();
	value = filled(x.x_nbytes, fill);
	x.x_value = value;
	err = change(&x, fail_in);
	free(value);
	nfailed += err && ram_failed;
	if (err == -ENOSPC && !ram_failed && ram_hash_mask != ~0ULL)
		nfull++;
	else
		REQUIRE(!err || ram_failed);
	if (err)
		return;
	nthere += !values[i].there;
	nlarge += x.x_nbytes > 30000;
	values[i] = (struct value) { .there = true, .nbytes = x.x_nbytes, .fill = fill };
}

static void take(unsigned int i, long fail_in)
{
	struct sfs_xattr x = name_of(i);
	int err = change(&x, fail_in);

	nfailed += err && ram_failed;
	REQUIRE(!err || ram_failed || (err == -ENODATA && !values[i].there));
	REQUIRE(err || values[i].there);
	if (!err) {
		values[i].there = false;
		nthere--;
	}
}

/* A block of the file, mapped or not; many of them make a tree with inner nodes. */
static void extent(void)
{
	struct sfs_extent_disk ext = {
		.e_start = cpu_to_le64(RAM_FIRST + 8), .e_len = cpu_to_le32(1)
	};
	u64 key = sfs_key(SFS_KIND_EXTENT, ram_random(EXTENTS) * 2);

	if (sfs_tree_delete(NULL, &in, key) == -ENOENT)
		REQUIRE(!sfs_tree_insert(NULL, &in, key, &ext, sizeof(ext), 0));
}

static void fresh(void)
{
	static const u64 masks[] = { ~0ULL, ~0ULL, 0x3ULL << 60, 0 };

	ram_reset();
	memset(values, 0, sizeof(values));
	nthere = 0;
	ram_hash_mask = masks[ram_random(4)];
	ram_fs.f_hash_key[0] = ram_random(~0u);
	ram_inode(&in, RAM_FIRST + 5, SFS_TYPE_REG << SFS_TYPE_SHIFT | 0644);
}

static void one_step(void)
{
	unsigned int i = ram_random(NAMES);
	long fail_in = ram_random(5) ? -1 : (long)ram_random(12);

	ram_step();
	REQUIRE(!sfs_inode_begin(NULL, &in));
	if (!ram_random(3))
		extent();
	else if (ram_random(3))
		set(i, fail_in);
	else
		take(i, fail_in);
	sfs_inode_end(NULL, &in);
	if (ram_shutdowns) {
		/* Of what was known to be readable, access or the journal has failed. */
		REQUIRE(ram_failed);
		nshutdowns++;
		fresh();
		return;
	}
	check_value(i);
	check_value(ram_random(NAMES));
}

static void test_random(void)
{
	fresh();
	for (step_no = 0; step_no < STEPS; step_no++) {
		if (step_no % 4000 == 0) {
			ram_step();
			fresh();
		}
		one_step();
		if (step_no % 100 == 0)
			check_all();
	}
	check_all();
	TAP_OK(true, "attributes equal the table after %d steps", STEPS);
	printf("# %u large, %u failures, %u shut down, %u without a free key; a cost spared %" PRIu64
	       " blocks at least\n", nlarge, nfailed, nshutdowns, nfull, spare_most);
	TAP_OK(nlarge > 1000 && nfull > 10, "large ones, and names without a free key");
	TAP_OK(nfailed > 1000, "failures undo themselves");
}

/* What another has changed since the cost was asked for is seen before anything is changed. */
static void test_cost(void)
{
	u8 *value = filled(SFS_XATTR_MAX, 1);
	struct sfs_xattr x = { .x_space = SFS_XATTR_USER, .x_len = 3, .x_name = "abc" };
	struct sfs_xattr_cost cost;
	u64 used;

	ram_step();
	fresh();
	TAP_EQ(sfs_xattr_cost(&in, &x, &cost), -ENODATA, "nothing to remove");
	x.x_value = value;
	x.x_nbytes = 10;
	TAP_REQUIRE(!sfs_xattr_cost(&in, &x, &cost), "a cost");
	x.x_nbytes = SFS_XATTR_MAX;
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	used = ram_used;
	TAP_EQ(sfs_xattr_set(NULL, &in, &x, &cost), 1, "more than was asked for");
	TAP_OK(sfs_tree_is_empty(&in) && ram_used == used, "is not begun");
	TAP_REQUIRE(!sfs_xattr_cost(&in, &x, &cost) && !sfs_xattr_set(NULL, &in, &x, &cost), "64 K");
	TAP_OK(cost.c_credits < 200, "64 KiB are %u blocks at most", cost.c_credits);
	sfs_inode_end(NULL, &in);
	free(value);
}

/* What an inode is born with takes no more nodes than was told before there was one. */
static void test_born(void)
{
	unsigned int nnodes, i, n, round, worst = ~0u;

	for (round = 0; round < 3000; round++) {
		ram_step();
		fresh();
		TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
		nnodes = 0;
		for (n = ram_random(6), i = 0; i < n; i++) {
			struct sfs_xattr x = name_of(i);
			u8 *value;

			x.x_nbytes = random_nbytes();
			value = filled(x.x_nbytes, i);
			x.x_value = value;
			nnodes += sfs_xattr_first_nodes(&x);
			TAP_REQUIRE(!sfs_xattr_set(NULL, &in, &x, NULL), "seed %" PRIu64
				    ", round %u: set", ram_seed, round);
			free(value);
		}
		TAP_REQUIRE(ram_new <= nnodes && ram_touched <= nnodes + 1, "seed %" PRIu64
			    ", round %u: %" PRIu64 " of %u nodes", ram_seed, round, ram_new, nnodes);
		worst = n ? min(worst, nnodes - (unsigned int)ram_new) : worst;
		while (!sfs_inode_strip(NULL, &in))
			;
		TAP_REQUIRE(sfs_tree_is_empty(&in) && ram_revoked <= nnodes, "seed %" PRIu64
			    ", round %u: taken back", ram_seed, round);
		sfs_inode_end(NULL, &in);
	}
	TAP_OK(worst < 4, "an inode is born with no more than was foreseen, %u less at the least",
	       worst);
}

/* A label, an access control list and an extent need no block. */
static void test_small(void)
{
	static const u8 label[] = "unconfined_u:object_r:user_home_t:s0";
	struct sfs_xattr x = {
		.x_space = SFS_XATTR_SECURITY, .x_len = 7, .x_name = "selinux", .x_value = label,
		.x_nbytes = sizeof(label)
	};
	struct sfs_extent ext = { .e_lblk = 0, .e_blk = RAM_FIRST + 8, .e_nblks = 4 };
	struct sfs_xattr_cost cost;
	static const u8 acl[4 + 8 * 6] = {
		[0] = 2, [4] = 1, [12] = 2, [20] = 4, [28] = 8, [36] = 0x10, [44] = 0x20
	};

	ram_step();
	fresh();
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	TAP_REQUIRE(!sfs_xattr_cost(&in, &x, &cost) && !sfs_xattr_set(NULL, &in, &x, &cost), "label");
	x = (struct sfs_xattr) { .x_space = SFS_XATTR_SYSTEM, .x_len = 16,
				 .x_name = "posix_acl_access", .x_value = acl,
				 .x_nbytes = sizeof(acl) };
	TAP_REQUIRE(!sfs_xattr_cost(&in, &x, &cost) && !sfs_xattr_set(NULL, &in, &x, &cost), "ACL");
	TAP_REQUIRE(!sfs_extent_insert(NULL, &in, &ext, 0), "extent");
	sfs_inode_end(NULL, &in);
	TAP_OK(!ram_new, "a label, an access control list and an extent need no block");
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	ram_fs.f_compat = SFS_COMPAT_XATTR;
	test_random();
	test_cost();
	test_born();
	test_small();
	ram_reset();
	return tap_done();
}
