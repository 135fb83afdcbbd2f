// SPDX-License-Identifier: GPL-2.0-only
/*
 * inode.c - the inode's record: there and back, what the verifier lets pass, and symlinks' targets.
 */
#include "ram.h"

#define ROUNDS	20000
#define FLIPS	300000

static struct sfs_inode in;
static u64 round_no;

#define REQUIRE(cond) TAP_REQUIRE(cond, "seed %" PRIu64 ", round %" PRIu64, ram_seed, round_no)

/* Any bytes are a record as far as decoding goes; what no field says is left alone. */
static void test_round_trip(void)
{
	struct sfs_inode_disk disk, again;
	struct sfs_inode copy;
	unsigned int i;

	for (round_no = 0; round_no < ROUNDS; round_no++) {
		for (i = 0; i < sizeof(disk); i++)
			((u8 *)&disk)[i] = ram_random(256);
		memset(&copy, 0, sizeof(copy));
		memset(&again, 0xee, sizeof(again));
		sfs_inode_decode(&copy, &disk);
		sfs_inode_encode(&copy, &again);
		disk.i_zero16 = again.i_zero16;
		memset(disk.i_zero, 0xee, sizeof(disk.i_zero));
		REQUIRE(again.i_zero16 == cpu_to_le16(0xeeee));
		REQUIRE(!memcmp(&disk, &again, sizeof(disk)));
	}
	TAP_OK(true, "%d records survive decoding and encoding", ROUNDS);
}

static void test_read_write(void)
{
	struct sfs_inode other;

	ram_reset();
	ram_inode(&in, 1000, SFS_TYPE_REG << SFS_TYPE_SHIFT | 0644);
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	in.i_uid = 1234;
	in.i_mtime = -5;
	in.i_change = 1ULL << 60;
	sfs_inode_end(NULL, &in);
	TAP_OK(!in.i_buf, "end lets go of the block");
	memset(&other, 0xee, sizeof(other));
	TAP_EQ(sfs_inode_read(&ram_fs, in.i_ino, &other), 0, "read");
	TAP_OK(other.i_ino == in.i_ino && other.i_fs == &ram_fs && !other.i_buf && !other.i_goal,
	       "fields in memory are set");
	TAP_OK(other.i_uid == 1234 && other.i_mtime == -5 && other.i_change == 1ULL << 60,
	       "fields on disk are those written");
	TAP_EQ(sfs_inode_read(&ram_fs, in.i_ino + 1, &other), 0, "read of the next slot");
	TAP_EQ(other.i_uid, 0, "which was left alone");

	((struct sfs_head *)ram_blocks[1000].data)->h_live = 0xfe;
	memset(&other, 0xee, sizeof(other));
	TAP_EQ(sfs_inode_read(&ram_fs, in.i_ino, &other), -ESTALE, "read of a dead slot");
	TAP_EQ(other.i_uid, 0xeeeeeeee, "which leaves the result alone");
	TAP_EQ(sfs_inode_begin(NULL, &in), -ESTALE, "begin of one");
	ram_corruptions = 0;
	TAP_EQ(sfs_inode_read(&ram_fs, (u64)RAM_BLOCKS << 3, &other), -EFSCORRUPTED, "beyond the end");
	TAP_EQ(sfs_inode_read(&ram_fs, ~0ULL, &other), -EFSCORRUPTED, "the largest number");
	TAP_EQ(ram_corruptions, 2, "both reported");
	ram_blocks[1000].seen = 0;
	ram_fail_in = 0;
	TAP_EQ(sfs_inode_begin(NULL, &in), -EIO, "begin without its block");
	ram_step();
	ram_fail_in = 1;
	((struct sfs_head *)ram_blocks[1000].data)->h_live = 0xff;
	TAP_EQ(sfs_inode_begin(NULL, &in), -ENOMEM, "begin without write access");
	TAP_OK(!in.i_buf, "holds nothing");
	ram_step();
}

/* A sound record of @type with something in its root where it must have something. */
static void sound(struct sfs_inode_disk *disk, unsigned int type)
{
	unsigned int mode = type << SFS_TYPE_SHIFT | 0755;
	struct sfs_extent ext = { .e_lblk = 3, .e_blk = 2000, .e_nblks = 4 };

	ram_reset();
	ram_step();
	ram_inode(&in, 1000, mode);
	REQUIRE(!sfs_inode_begin(NULL, &in));
	if (type == SFS_TYPE_LNK)
		REQUIRE(!sfs_symlink_write(NULL, &in, "target", 6));
	if (type == SFS_TYPE_DIR)
		REQUIRE(!sfs_dirent_add(NULL, &in, "name", 4, 8, SFS_TYPE_REG));
	if (type == SFS_TYPE_REG)
		REQUIRE(!sfs_extent_insert(NULL, &in, &ext, 0));
	if (type == SFS_TYPE_CHR || type == SFS_TYPE_BLK)
		in.i_rdev = 0x801;
	sfs_inode_end(NULL, &in);
	memset(disk, 0, sizeof(*disk));
	sfs_inode_encode(&in, disk);
}

#define BAD(type, change, what) do {						\
	sound(&disk, type);							\
	change;									\
	TAP_OK(sfs_inode_verify(&ram_fs, &disk, in.i_ino), "refused: " what);	\
} while (0)

static void test_refused(void)
{
	static const unsigned int types[] = { SFS_TYPE_FIFO, SFS_TYPE_CHR, SFS_TYPE_DIR,
					      SFS_TYPE_BLK, SFS_TYPE_REG, SFS_TYPE_LNK,
					      SFS_TYPE_SOCK };
	struct sfs_inode_disk disk, other;
	const char *why;
	unsigned int i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		sound(&disk, types[i]);
		why = sfs_inode_verify(&ram_fs, &disk, in.i_ino);
		TAP_OK(!why, "sound: type %u%s%s", types[i], why ? ": " : "", why ? why : "");
	}
	BAD(SFS_TYPE_REG, disk.i_mode = cpu_to_le16(0644), "no type");
	BAD(SFS_TYPE_FIFO, disk.i_mode = cpu_to_le16(3 << 12), "a type unknown");
	BAD(SFS_TYPE_FIFO, disk.i_mode = cpu_to_le16(15 << 12), "the highest type");
	BAD(SFS_TYPE_REG, disk.i_zero16 = cpu_to_le16(1), "reserved field");
	BAD(SFS_TYPE_REG, disk.i_zero[0] = 1, "first reserved byte");
	BAD(SFS_TYPE_REG, disk.i_zero[43] = 128, "last reserved byte");
	BAD(SFS_TYPE_REG, disk.i_flags = cpu_to_le32(1u << 31), "flag unknown");
	BAD(SFS_TYPE_REG, disk.i_blocks = cpu_to_le64(RAM_BLOCKS + 1), "too many blocks");
	BAD(SFS_TYPE_REG, disk.i_size = cpu_to_le64(1ULL << 63), "file too large");
	BAD(SFS_TYPE_REG, disk.i_rdev = cpu_to_le32(1), "device number of a file");
	BAD(SFS_TYPE_REG, disk.i_parent = cpu_to_le64(8000), "parent of a file");
	BAD(SFS_TYPE_DIR, disk.i_parent = 0, "directory without parent");
	BAD(SFS_TYPE_DIR, disk.i_parent = cpu_to_le64(~0ULL), "parent outside");
	BAD(SFS_TYPE_DIR, disk.i_size = 0, "directory that says it is empty");
	BAD(SFS_TYPE_LNK, disk.i_size = 0, "symlink without length");
	BAD(SFS_TYPE_LNK, disk.i_size = cpu_to_le64(5), "symlink of a wrong length");
	BAD(SFS_TYPE_LNK, disk.i_size = cpu_to_le64(SFS_SYMLINK_MAX + 1), "symlink too long");
	BAD(SFS_TYPE_CHR, disk.i_size = cpu_to_le64(1), "size of a device");
	BAD(SFS_TYPE_SOCK, disk.i_size = cpu_to_le64(1), "size of a socket");
	BAD(SFS_TYPE_SOCK, disk.i_rdev = cpu_to_le32(1), "device number of a socket");
	BAD(SFS_TYPE_REG, disk.i_root[7] = 1, "broken root");
	sound(&other, SFS_TYPE_REG);
	BAD(SFS_TYPE_DIR, memcpy(disk.i_root, other.i_root, SFS_ROOT_BYTES); disk.i_size = 0,
	    "directory with extents");
	BAD(SFS_TYPE_FIFO, memcpy(disk.i_root, other.i_root, SFS_ROOT_BYTES), "fifo with extents");
	BAD(SFS_TYPE_LNK, memcpy(disk.i_root, other.i_root, SFS_ROOT_BYTES),
	    "symlink with extents");
	sound(&other, SFS_TYPE_DIR);
	BAD(SFS_TYPE_REG, memcpy(disk.i_root, other.i_root, SFS_ROOT_BYTES), "file with names");
	sound(&disk, SFS_TYPE_REG);
	TAP_OK(sfs_inode_verify(&ram_fs, &disk, 8), "refused: inode outside the data area");
}

#define KIND_LATER	9	/* a kind of record that nobody knows */

/* Inserts a record of @kind into @in, and shows its inode as it then is. */
static void insert_kind(unsigned int kind, u64 pos, struct sfs_inode_disk *disk)
{
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	TAP_REQUIRE(!sfs_tree_insert(NULL, &in, sfs_key(kind, pos), "later", 5, 0), "insert");
	sfs_inode_end(NULL, &in);
	sfs_inode_encode(&in, disk);
}

/* What may be there because of a feature that is not known, of each class. */
static void test_unknown(u64 compat, u64 ro_compat)
{
	struct sfs_inode_disk disk;

	sound(&disk, SFS_TYPE_REG);
	disk.i_flags = cpu_to_le32(1u << 31);
	disk.i_zero16 = cpu_to_le16(1);
	disk.i_zero[43] = 1;
	insert_kind(KIND_LATER, 7, &disk);
	disk.i_flags = cpu_to_le32(1u << 31);
	TAP_OK(sfs_inode_verify(&ram_fs, &disk, in.i_ino), "a flag, bytes and a record of nobody's");
	ram_fs.f_compat = compat;
	ram_fs.f_ro_compat = ro_compat;
	TAP_OK(!sfs_inode_verify(&ram_fs, &disk, in.i_ino), "and of a feature that is not known");
	TAP_OK(sfs_kind_fits(&ram_fs, 15, SFS_TYPE_FIFO), "in an inode of any type");
	insert_kind(0, 3, &disk);
	TAP_OK(sfs_inode_verify(&ram_fs, &disk, in.i_ino), "but of no kind at all");
	sound(&disk, SFS_TYPE_DIR);
	insert_kind(SFS_KIND_EXTENT, 3, &disk);
	TAP_OK(sfs_inode_verify(&ram_fs, &disk, in.i_ino), "nor of one that belongs elsewhere");
	ram_fs.f_compat = ram_fs.f_ro_compat = 0;
}

/* Small files in their inode, of a feature to come: what is decided of them now. */
static void test_inline(void)
{
	struct sfs_inode_disk disk;
	struct sfs_extent ext = { .e_lblk = 3, .e_blk = 2000, .e_nblks = 4 };

	ram_reset();
	ram_step();
	ram_inode(&in, 1000, SFS_TYPE_REG << SFS_TYPE_SHIFT | 0644);
	in.i_size = 5;
	memset(&disk, 0, sizeof(disk));
	insert_kind(SFS_KIND_INLINE, 0, &disk);
	TAP_OK(sfs_inode_verify(&ram_fs, &disk, in.i_ino), "a file in its inode, without a feature");
	ram_fs.f_incompat = SFS_INCOMPAT_INLINE;
	TAP_OK(!sfs_inode_verify(&ram_fs, &disk, in.i_ino), "and with it");
	disk.i_size = cpu_to_le64(6);
	TAP_OK(sfs_inode_verify(&ram_fs, &disk, in.i_ino), "of another length");
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	TAP_REQUIRE(!sfs_extent_insert(NULL, &in, &ext, 0), "extent");
	sfs_inode_end(NULL, &in);
	sfs_inode_encode(&in, &disk);
	TAP_OK(sfs_inode_verify(&ram_fs, &disk, in.i_ino), "with an extent beside it");
	TAP_OK(!sfs_kind_fits(&ram_fs, SFS_KIND_INLINE, SFS_TYPE_DIR), "files only");
	ram_fs.f_incompat = 0;
}

/* Flags that are known, and what they may be on. */
static void test_flags(void)
{
	static const unsigned int others[] = { SFS_TYPE_REG, SFS_TYPE_LNK, SFS_TYPE_FIFO,
					       SFS_TYPE_CHR, SFS_TYPE_SOCK };
	struct sfs_inode_disk disk;
	unsigned int i, bit, bad = 0;

	sound(&disk, SFS_TYPE_DIR);
	disk.i_flags = cpu_to_le32(SFS_INODE_FLAGS_KNOWN & ~SFS_INODE_ORPHAN);
	TAP_OK(!sfs_inode_verify(&ram_fs, &disk, in.i_ino), "a directory with all flags");
	sound(&disk, SFS_TYPE_REG);
	disk.i_flags = cpu_to_le32(SFS_INODE_APPEND | SFS_INODE_IMMUTABLE | SFS_INODE_NODUMP |
				   SFS_INODE_NOATIME | SFS_INODE_SYNC);
	TAP_OK(!sfs_inode_verify(&ram_fs, &disk, in.i_ino), "a file with those that files have");
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		sound(&disk, others[i]);
		disk.i_flags = cpu_to_le32(SFS_INODE_FLAGS_KNOWN & ~SFS_INODE_ORPHAN &
					   ~SFS_INODE_FLAGS_DIR);
		TAP_OK(!sfs_inode_verify(&ram_fs, &disk, in.i_ino), "and type %u, too", others[i]);
		for (bit = 6; bit < 32; bit++) {
			sound(&disk, others[i]);
			disk.i_flags = cpu_to_le32(1u << bit);
			if (!sfs_inode_verify(&ram_fs, &disk, in.i_ino))
				bad++;
		}
		TAP_EQ(bad, 0, "but no other flag");
	}
	disk.i_projid = cpu_to_le32(~0u);
	sfs_inode_decode(&in, &disk);
	TAP_EQ(in.i_projid, 0, "a project that there cannot be is none");
	BAD(SFS_TYPE_REG, disk.i_flags = cpu_to_le32(SFS_INODE_DIRSYNC), "dirsync of a file");
	BAD(SFS_TYPE_FIFO, disk.i_flags = cpu_to_le32(SFS_INODE_PROJINHERIT), "project of a fifo");
	BAD(SFS_TYPE_DIR, disk.i_flags = cpu_to_le32(SFS_INODE_CASEFOLD), "casefold, of a feature");
	BAD(SFS_TYPE_REG, disk.i_flags = cpu_to_le32(SFS_INODE_NODATACOW), "nodatacow, as well");
}

/* When an inode goes, what is not its own goes first, and nothing else. */
static void test_strip(unsigned int type)
{
	struct sfs_inode_disk disk;
	unsigned int i, n = 0;
	int done;

	sound(&disk, type);
	for (i = 0; i < 5; i++)
		insert_kind(KIND_LATER + i, i, &disk);
	insert_kind(SFS_KIND_XATTR, 5 << 12, &disk);
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	while (!(done = sfs_inode_strip(NULL, &in)))
		n++;
	TAP_OK(n == 6 && done == 1, "type %u: others are gone, one by one", type);
	sfs_inode_end(NULL, &in);
	sfs_inode_encode(&in, &disk);
	TAP_OK(!sfs_inode_verify(&ram_fs, &disk, in.i_ino) &&
	       sfs_tree_is_empty(&in) == (type == SFS_TYPE_FIFO), "its own are there");
}

static void test_block(void)
{
	struct sfs_inodes_disk *inodes;

	ram_reset();
	ram_inode(&in, 35000, SFS_TYPE_REG << SFS_TYPE_SHIFT);
	inodes = (struct sfs_inodes_disk *)ram_blocks[35000].data;
	TAP_OK(!sfs_inodes_ops.b_verify(&ram_fs, inodes, 35000), "a sound block");
	memset(&inodes->n_slot[7], 0xff, SFS_INODE_BYTES);
	TAP_OK(sfs_inodes_ops.b_verify(&ram_fs, inodes, 35000), "one bad record spoils it");
	inodes->n_head.h_live = 0x7f;
	TAP_OK(!sfs_inodes_ops.b_verify(&ram_fs, inodes, 35000), "a dead one does not");
	inodes->n_head.h_owner = 0;
	TAP_OK(sfs_inodes_ops.b_verify(&ram_fs, inodes, 35000), "a block of another group");
}

/* Whatever the bits: no crash in verifying, nor in using what passed (the sanitizers watch). */
static void test_flips(void)
{
	struct sfs_inode_disk disk, *copy;
	struct sfs_extent ext;
	unsigned int passed = 0;
	unsigned int n;
	char buf[SFS_SYMLINK_MAX + 1];
	u64 ino;
	u8 type;

	copy = malloc(sizeof(*copy));	/* with a red zone behind it */
	for (round_no = 0; round_no < FLIPS; round_no++) {
		if (round_no % 1000 == 0)
			sound(&disk, round_no % 3000 == 0 ? SFS_TYPE_REG :
			      round_no % 3000 == 1000 ? SFS_TYPE_DIR : SFS_TYPE_LNK);
		*copy = disk;
		for (n = ram_random(3) + 1; n--;)
			((u8 *)copy)[ram_random(4) ? 144 + ram_random(40) :
				     ram_random(SFS_INODE_BYTES)] ^= 1u << ram_random(8);
		if (sfs_inode_verify(&ram_fs, copy, in.i_ino))
			continue;
		passed++;
		sfs_inode_decode(&in, copy);
		if (((struct sfs_node_disk *)in.i_root)->n_level)
			continue;	/* its child was never there */
		sfs_extent_find(&in, 5, &ext);
		sfs_dirent_find(&in, "name", 4, &ino, &type);
		sfs_symlink_read(&in, buf, sizeof(buf));
	}
	free(copy);
	TAP_OK(passed > FLIPS / 100 && passed < FLIPS * 9 / 10, "%d records with flipped bits", FLIPS);
}

static void test_symlink_round(unsigned int nbytes)
{
	char target[SFS_SYMLINK_MAX + 2], back[SFS_SYMLINK_MAX + 2];
	bool fail = ram_random(2);
	unsigned int i;
	int err;

	for (i = 0; i < nbytes; i++)
		target[i] = 1 + ram_random(255);
	ram_step();
	REQUIRE(!sfs_inode_begin(NULL, &in));
	ram_fail_in = fail ? (long)ram_random(12) : -1;
	err = sfs_symlink_write(NULL, &in, target, nbytes);
	ram_fail_in = -1;
	REQUIRE(!err == !ram_failed);
	if (!err) {
		REQUIRE(in.i_size == nbytes);
		memset(back, 0xee, sizeof(back));
		REQUIRE(!sfs_symlink_read(&in, back, nbytes + 1));
		REQUIRE(!memcmp(back, target, nbytes) && !back[nbytes]);
		REQUIRE((u8)back[nbytes + 1] == 0xee);
		REQUIRE(sfs_symlink_read(&in, back, nbytes) == -ERANGE);
		REQUIRE(!sfs_symlink_clear(NULL, &in));
	}
	REQUIRE(sfs_tree_is_empty(&in) && ram_used == 1 && !in.i_blocks);
	REQUIRE(!ram_shutdowns && !ram_corruptions);
	in.i_size = 0;
	sfs_inode_end(NULL, &in);
}

static void test_symlinks(void)
{
	char buf[SFS_SYMLINK_MAX + 2];

	ram_reset();
	ram_inode(&in, 1000, SFS_TYPE_LNK << SFS_TYPE_SHIFT | 0777);
	for (round_no = 1; round_no <= SFS_SYMLINK_MAX; round_no++)
		test_symlink_round(round_no);
	TAP_OK(true, "targets of each length, written, read back and cleared");

	ram_step();
	memset(buf, 'x', sizeof(buf));
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	TAP_EQ(sfs_symlink_write(NULL, &in, buf, 0), -EINVAL, "no target");
	TAP_EQ(sfs_symlink_write(NULL, &in, buf, SFS_SYMLINK_MAX + 1), -ENAMETOOLONG, "too long");
	TAP_EQ(sfs_symlink_write(NULL, &in, "a\0b", 3), -EINVAL, "a NUL inside");
	TAP_EQ(sfs_symlink_write(NULL, &in, buf, 2000), 0, "a long one");
	TAP_EQ(sfs_tree_delete(NULL, &in, sfs_key(SFS_KIND_INLINE, 1)), 0, "loses its second part");
	TAP_EQ(sfs_symlink_read(&in, buf, sizeof(buf)), -EFSCORRUPTED, "which is damage");
	TAP_EQ(sfs_tree_insert(NULL, &in, sfs_key(SFS_KIND_INLINE, 1), buf, 977, 0), 0, "a longer");
	TAP_EQ(sfs_symlink_read(&in, buf, sizeof(buf)), -EFSCORRUPTED, "is damage too");
	TAP_EQ(sfs_symlink_clear(NULL, &in), 0, "and can be cleared");
	TAP_EQ(sfs_symlink_clear(NULL, &in), 0, "and again");
	sfs_inode_end(NULL, &in);
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	test_round_trip();
	test_read_write();
	test_refused();
	test_unknown(1ULL << 40, 0);
	test_unknown(0, 1ULL << 40);
	test_inline();
	test_flags();
	test_strip(SFS_TYPE_REG);
	test_strip(SFS_TYPE_DIR);
	test_strip(SFS_TYPE_LNK);
	test_strip(SFS_TYPE_FIFO);
	test_block();
	test_flips();
	test_symlinks();
	ram_reset();
	return tap_done();
}
