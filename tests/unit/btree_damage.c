// SPDX-License-Identifier: GPL-2.0-only
/*
 * btree_damage.c - single faults in a tree, made by hand, and what must come of each.
 */
#include "mock/mock.h"
#include "tap/tap.h"

#define NBYTES	200

static struct sfs_inode inode;
static u8 record[NBYTES];

static const char *record_verify(const struct sfs_fs *fs, u64 pos, const void *rec,
				 unsigned int nbytes)
{
	(void)fs;
	(void)pos;
	(void)rec;
	return nbytes ? NULL : "empty";
}

const struct sfs_record_kind mock_records[SFS_KINDS] = {
	[SFS_KIND_EXTENT] = { .k_name = "extent", .k_verify = record_verify },
};

static u64 key_of(u64 n)
{
	return sfs_key(SFS_KIND_EXTENT, 1000 + n * 10);
}

static int insert(u64 key)
{
	struct sfs_trans *t = mock_begin();
	int err = sfs_tree_insert(t, &inode, key, record, NBYTES, 0);

	mock_end(t);
	return err;
}

static int find(u64 key)
{
	struct sfs_path path;
	int err = sfs_tree_find(&inode, key, &path);

	if (!err)
		sfs_path_release(&path);
	return err;
}

/* A root with two leaves, 18 records in the first and 6 in the second. */
static struct sfs_entry_disk *tree_make(void)
{
	unsigned int n;

	mock_init();
	memset(&inode, 0, sizeof(inode));
	inode.i_fs = &mock_fs;
	inode.i_ino = 20 << SFS_INODE_SLOT_BITS;
	inode.i_buf = (struct sfs_buf *)&inode;
	sfs_tree_init(inode.i_root);
	for (n = 0; n < 24; n++)
		TAP_REQUIRE(!insert(key_of(n)), "insert %u", n);
	TAP_REQUIRE(inode.i_root[6] == 1 && inode.i_root[0] == 2, "two leaves");
	return (struct sfs_entry_disk *)(inode.i_root + sizeof(struct sfs_node_disk));
}

static void test_bounds(void)
{
	struct sfs_entry_disk *entry = tree_make();
	u64 second = le64_to_cpu(entry[1].e_key);

	TAP_EQ(find(key_of(0)), 0, "a sound tree");
	entry[1].e_key = cpu_to_le64(second - 10);
	TAP_EQ(find(key_of(0)), -EFSCORRUPTED, "a leaf that reaches into the next one");
	entry[1].e_key = cpu_to_le64(second + 1);
	TAP_EQ(find(second + 1), -EFSCORRUPTED, "a leaf that begins before its bound");
	TAP_EQ(mock_stat.corrupt, 2, "each was reported");
}

static void test_first_entry(void)
{
	struct sfs_entry_disk *entry = tree_make();
	unsigned int n;

	entry[0].e_key = cpu_to_le64(key_of(8));
	TAP_EQ(find(key_of(0)), 0, "a first entry may stand above its keys");
	for (n = 0; n < 20; n++)
		TAP_REQUIRE(!insert(key_of(0) - 20 + n), "insert %u below all", n);
	TAP_OK(inode.i_root[0] > 2 && !sfs_node_verify(&mock_fs,
						       (struct sfs_node_disk *)inode.i_root,
						       SFS_ROOT_BYTES),
	       "a split beside it leaves the keys in order");
}

static void test_sibling(void)
{
	struct sfs_entry_disk *entry = tree_make();
	u64 second = le64_to_cpu(entry[1].e_key);
	u64 blocks = inode.i_blocks;
	struct sfs_trans *t;

	/* Believed by nobody who does not go there; the join of the second leaf does. */
	entry[1].e_key = cpu_to_le64(second - 10);
	t = mock_begin();
	TAP_EQ(sfs_tree_delete(t, &inode, second), 0, "a delete beside a damaged leaf");
	mock_end(t);
	TAP_OK(mock_stat.corrupt == 1 && inode.i_blocks == blocks && inode.i_root[0] == 2,
	       "does not join it, and reports it");
}

static void test_overlap(void)
{
	static u8 data[SFS_NODE_BYTES] __attribute__((aligned(8)));
	struct sfs_node_disk *node = (struct sfs_node_disk *)data;
	struct sfs_slot_disk *slot = (struct sfs_slot_disk *)(node + 1);
	unsigned int n;

	node->n_count = cpu_to_le16(2);
	node->n_heap = cpu_to_le16(SFS_NODE_BYTES - 20);
	for (n = 0; n < 2; n++) {
		slot[n].s_key = cpu_to_le64(key_of(n));
		slot[n].s_off = cpu_to_le16(SFS_NODE_BYTES - 20 + 10 * n);
		slot[n].s_len = cpu_to_le16(10);
	}
	TAP_OK(!sfs_node_verify(&mock_fs, node, SFS_NODE_BYTES), "two records side by side");
	slot[1].s_off = cpu_to_le16(SFS_NODE_BYTES - 9);
	TAP_OK(sfs_node_verify(&mock_fs, node, SFS_NODE_BYTES), "one past the end");
	slot[1].s_off = cpu_to_le16(SFS_NODE_BYTES - 19);
	TAP_OK(sfs_node_verify(&mock_fs, node, SFS_NODE_BYTES),
	       "two that overlap, though their lengths add up");
}

/* What an earlier inode of the same number has left is not taken for its successor's. */
static void test_left_over(void)
{
	tree_make();
	TAP_EQ(find(key_of(3)), 0, "a record of a leaf is found");
	inode.i_generation++;
	TAP_EQ(find(key_of(3)), -EFSCORRUPTED, "not by the next inode of this number");
	TAP_EQ(insert(key_of(30)), -EFSCORRUPTED, "which does not add to it either");
}

int main(void)
{
	test_bounds();
	test_left_over();
	test_first_entry();
	test_sibling();
	test_overlap();
	mock_exit();
	return tap_done();
}
