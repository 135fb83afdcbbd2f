// SPDX-License-Identifier: GPL-2.0-only
/*
 * xattr.c - records of attributes: what the verifier lets pass, and what an inode's attributes have
 * to be together.
 */
#include "ram.h"

#define FLIPS		200000
#define VALUE_MAX	SFS_XATTR_MAX

static struct sfs_inode in;
static u8 whole[sizeof(struct sfs_xattr_disk) + SFS_NAME_MAX + VALUE_MAX];

/* An attribute as one string: its length. */
static unsigned int make(unsigned int space, const char *name, unsigned int nbytes)
{
	struct sfs_xattr_disk *disk = (struct sfs_xattr_disk *)whole;
	unsigned int len = strlen(name);

	disk->x_nbytes = cpu_to_le32(nbytes);
	disk->x_len = len;
	disk->x_space = space;
	memcpy(disk + 1, name, len);
	memset((u8 *)(disk + 1) + len, 'v', nbytes);
	return sizeof(*disk) + len + nbytes;
}

static u64 pos_of(unsigned int collision)
{
	const struct sfs_xattr_disk *disk = (const struct sfs_xattr_disk *)whole;
	u64 hash = sfs_siphash(ram_fs.f_hash_key, &disk->x_space, 1 + disk->x_len);

	return hash >> 16 << 12 | collision << 8;
}

static const char *verify(u64 pos, unsigned int at, unsigned int nbytes)
{
	u8 *copy = malloc(nbytes);	/* with a red zone behind it */
	const char *why;

	memcpy(copy, whole + at, nbytes);
	why = sfs_xattr_verify(&ram_fs, pos, copy, nbytes);
	free(copy);
	return why;
}

static void test_sizes(void)
{
	static const unsigned int sizes[] = { 0, 1, 1013, 1014, 1015, 2037, 2038, 2039, VALUE_MAX };
	unsigned int i, at, n, nbytes, bad = 0;
	char name[SFS_NAME_MAX + 1];

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		nbytes = make(SFS_XATTR_USER, "name", sizes[i]);
		for (at = n = 0; at < nbytes; at += SFS_CHUNK, n++)
			bad += verify(pos_of(0) + n, at, min(nbytes - at, 1024u)) != NULL;
	}
	TAP_EQ(bad, 0, "values of any length, piece by piece");
	memset(name, 'n', SFS_NAME_MAX);
	name[SFS_NAME_MAX] = 0;
	nbytes = make(SFS_XATTR_SYSTEM, name, VALUE_MAX);
	TAP_OK(!verify(pos_of(15) + 64, 64 * SFS_CHUNK, nbytes - 64 * SFS_CHUNK), "the longest of all");
	TAP_OK(verify(pos_of(15) + 65, 0, 1), "has no more pieces");
}

static void test_refused(void)
{
	struct sfs_xattr_disk *disk = (struct sfs_xattr_disk *)whole;
	unsigned int nbytes = make(SFS_XATTR_USER, "name", 100);

	TAP_OK(!verify(pos_of(0), 0, nbytes), "a sound one");
	ram_fs.f_compat = 0;
	TAP_OK(verify(pos_of(0), 0, nbytes), "refused: where no feature speaks of it");
	ram_fs.f_compat = SFS_COMPAT_XATTR;
	TAP_OK(verify(pos_of(0), 0, nbytes - 1), "refused: too short");
	TAP_OK(verify(pos_of(0), 0, nbytes + 1), "refused: too long");
	TAP_OK(verify(pos_of(0), 0, 6), "refused: without a name");
	TAP_OK(verify(pos_of(0), 0, 9), "refused: half a name");
	TAP_OK(verify(pos_of(0) + 1, 0, SFS_CHUNK + 1), "refused: a piece that is too long");
	disk->x_space = 0;
	TAP_OK(verify(pos_of(0), 0, nbytes), "refused: no namespace");
	disk->x_space = SFS_XATTR_SYSTEM + 1;
	TAP_OK(verify(pos_of(0), 0, nbytes), "refused: a namespace unknown");
	make(SFS_XATTR_USER, "name", 100);
	((u8 *)(disk + 1))[2] = 0;
	TAP_OK(verify(pos_of(0), 0, nbytes), "refused: a name with a NUL");
	nbytes = make(SFS_XATTR_USER, "", 100);
	TAP_OK(verify(pos_of(0), 0, nbytes), "refused: an empty name");
	make(SFS_XATTR_USER, "name", VALUE_MAX);
	disk->x_nbytes = cpu_to_le32(VALUE_MAX + 1);
	TAP_OK(verify(pos_of(0), 0, SFS_CHUNK), "refused: a value that is too long");
	disk->x_nbytes = cpu_to_le32(~0u);
	TAP_OK(verify(pos_of(0), 0, SFS_CHUNK), "refused: one past all numbers");
}

static struct sfs_acl_entry entry_of(u16 tag, u16 perm, u32 id)
{
	return (struct sfs_acl_entry) {
		.a_tag = cpu_to_le16(tag), .a_perm = cpu_to_le16(perm), .a_id = cpu_to_le32(id)
	};
}

#define NLISTED		7
#define LISTED_BYTES	(sizeof(struct sfs_acl) + NLISTED * sizeof(struct sfs_acl_entry))

/* An access control list of all kinds of entries as the attribute @name: they may be spoiled. */
static struct sfs_acl_entry *make_acl(const char *name, unsigned int nbytes)
{
	unsigned int head = make(SFS_XATTR_SYSTEM, name, nbytes) - nbytes;
	struct sfs_acl *acl = (struct sfs_acl *)(whole + head);
	struct sfs_acl_entry *e = acl->a_entries;

	acl->a_version = cpu_to_le32(SFS_ACL_VERSION);
	e[0] = entry_of(SFS_ACL_USER_OBJ, 7, SFS_ACL_NOBODY);
	e[1] = entry_of(SFS_ACL_USER, 5, 1);
	e[2] = entry_of(SFS_ACL_USER, 0, 100000);
	e[3] = entry_of(SFS_ACL_GROUP_OBJ, 4, SFS_ACL_NOBODY);
	e[4] = entry_of(SFS_ACL_GROUP, 6, 0);
	e[5] = entry_of(SFS_ACL_MASK, 5, SFS_ACL_NOBODY);
	e[6] = entry_of(SFS_ACL_OTHER, 1, SFS_ACL_NOBODY);
	return e;
}

/* The first @nbytes of the value that has been made. */
static const char *verify_value(unsigned int nbytes)
{
	struct sfs_xattr_disk *disk = (struct sfs_xattr_disk *)whole;

	disk->x_nbytes = cpu_to_le32(nbytes);
	return verify(pos_of(0), 0, sizeof(*disk) + disk->x_len + nbytes);
}

#define NO_ACL(what)	do {							\
	const char *why = verify_value(LISTED_BYTES);					\
										\
	TAP_OK(why && strstr(why, "access control list"), "no list: " what);	\
	printf("# %s\n", why ? why : "none");					\
	e = make_acl("posix_acl_access", LISTED_BYTES);						\
} while (0)

/* One field of an entry after the other, as Linux would not set it. */
static void test_acl_entries(void)
{
	struct sfs_acl_entry *e = make_acl("posix_acl_access", LISTED_BYTES);

	e[1].a_tag = 0;
	NO_ACL("an entry without a tag");
	e[6].a_tag = cpu_to_le16(0x40);
	NO_ACL("a tag unknown");
	e[1].a_tag = cpu_to_le16(SFS_ACL_USER | SFS_ACL_USER_OBJ);
	NO_ACL("two tags in one");
	e[1].a_tag = cpu_to_le16(SFS_ACL_GROUP);
	NO_ACL("a group before its place");
	e[2].a_tag = cpu_to_le16(SFS_ACL_GROUP_OBJ);
	NO_ACL("the owning group twice");
	e[2].a_perm = cpu_to_le16(8);
	NO_ACL("a permission unknown");
	e[4].a_id = cpu_to_le32(SFS_ACL_NOBODY);
	NO_ACL("a group that is nobody");
	e[0].a_tag = cpu_to_le16(SFS_ACL_USER);
	e[0].a_id = 0;
	NO_ACL("no owner");
	e[5] = e[4];
	NO_ACL("no mask");
	((struct sfs_acl *)((u8 *)e - sizeof(struct sfs_acl)))->a_version = cpu_to_le32(1);
	NO_ACL("another version");
}

static void test_acl(void)
{
	static const char *const names[] = {
		"posix_acl_access", "posix_acl_default", "posix_acl_acces", "posix_acl_defaulty"
	};
	unsigned int i, n, passed;

	for (i = 0; i < 4; i++) {
		for (n = passed = 0; n < LISTED_BYTES; n++) {
			make_acl(names[i], LISTED_BYTES);
			passed += !verify_value(n);
		}
		TAP_EQ(passed, i < 2 ? 0 : LISTED_BYTES, "parts of a list in %s", names[i]);
		make_acl(names[i], LISTED_BYTES);
		TAP_OK(!verify_value(LISTED_BYTES), "the whole of it");
		make(SFS_XATTR_SYSTEM, names[i], LISTED_BYTES);
		TAP_EQ(verify_value(LISTED_BYTES) != NULL, i < 2, "and what is none");
		make(SFS_XATTR_USER, names[i], LISTED_BYTES);
		TAP_OK(!verify_value(LISTED_BYTES), "which user.%s may be", names[i]);
	}
	test_acl_entries();
}

/* One in several pieces: of the first what is there, and the whole one's length. */
static void test_acl_long(void)
{
	struct sfs_acl_entry *e;
	unsigned int i;

	e = make_acl("posix_acl_access", sizeof(struct sfs_acl) + 8 * 1000);
	for (i = 1; i < 999; i++)
		e[i] = entry_of(SFS_ACL_USER, 7, i);
	TAP_OK(!verify(pos_of(0), 0, SFS_CHUNK), "a list in several pieces");
	e[100].a_perm = cpu_to_le16(9);
	TAP_OK(verify(pos_of(0), 0, SFS_CHUNK), "refused: spoiled in the first");
	e[100].a_perm = 0;
	e[999].a_tag = 0;
	TAP_OK(!verify(pos_of(0), 0, SFS_CHUNK), "not seen: what is in the last");
	((struct sfs_xattr_disk *)whole)->x_nbytes = cpu_to_le32(sizeof(struct sfs_acl) + 7999);
	TAP_OK(verify(pos_of(0), 0, SFS_CHUNK), "refused: of a wrong length");
}

/* Whatever the bits: nothing beside the record is read (the sanitizers watch). */
static void test_flips(void)
{
	unsigned int i, k, nbytes, passed = 0;

	for (i = 0; i < FLIPS; i++) {
		nbytes = make(SFS_XATTR_USER, "name", ram_random(40));
		for (k = ram_random(4); k--;)
			whole[ram_random(12)] ^= 1u << ram_random(8);
		if (!ram_random(4))
			nbytes = 1 + ram_random(nbytes + 2);
		passed += !verify(pos_of(0) + (ram_random(8) ? 0 : ram_random(100)), 0, nbytes);
	}
	TAP_OK(passed > FLIPS / 10 && passed < FLIPS * 9 / 10, "%d records with flipped bits", FLIPS);
}

static void insert(u64 pos, unsigned int at, unsigned int nbytes)
{
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	pos = sfs_key(SFS_KIND_XATTR, pos);
	TAP_REQUIRE(!sfs_tree_insert(NULL, &in, pos, whole + at, nbytes, 0), "insert");
	sfs_inode_end(NULL, &in);
}

/* All pieces of an attribute but number @leave_out. */
static void insert_all(unsigned int collision, unsigned int nbytes, unsigned int leave_out)
{
	unsigned int n;

	for (n = 0; n * SFS_CHUNK < nbytes; n++)
		if (n != leave_out)
			insert(pos_of(collision) + n, n * SFS_CHUNK,
			       min(nbytes - n * SFS_CHUNK, 1024u));
}

static void fresh(void)
{
	ram_reset();
	ram_step();
	ram_inode(&in, 1000, SFS_TYPE_REG << SFS_TYPE_SHIFT | 0644);
}

#define NONE	1000
#define DAMAGED(what) do {						\
	TAP_EQ(sfs_xattr_check(&in), -EFSCORRUPTED, "damage: " what);	\
	printf("# %s\n", ram_why);					\
} while (0)

static void test_check(void)
{
	struct sfs_extent ext = { .e_lblk = 3, .e_blk = 2000, .e_nblks = 4 };
	unsigned int nbytes;

	fresh();
	TAP_EQ(sfs_xattr_check(&in), 0, "an inode without any");
	TAP_REQUIRE(!sfs_inode_begin(NULL, &in), "begin");
	TAP_REQUIRE(!sfs_extent_insert(NULL, &in, &ext, 0), "extent");
	sfs_inode_end(NULL, &in);
	insert_all(0, make(SFS_XATTR_USER, "small", 7), NONE);
	insert_all(0, make(SFS_XATTR_USER, "large", VALUE_MAX), NONE);
	insert_all(3, make(SFS_XATTR_SECURITY, "large", 5000), NONE);
	TAP_EQ(sfs_xattr_check(&in), 0, "small and large ones, and an extent");

	fresh();
	nbytes = make(SFS_XATTR_USER, "large", 5000);
	insert_all(0, nbytes, 0);
	DAMAGED("the first piece is missing");
	fresh();
	insert_all(0, nbytes, 2);
	DAMAGED("one in the middle is");
	fresh();
	insert_all(0, nbytes, 4);
	DAMAGED("the last is");
	fresh();
	insert_all(0, nbytes, 4);
	insert(pos_of(0) + 4, 0, 3);
	DAMAGED("the last is too short");
	fresh();
	insert_all(0, nbytes, NONE);
	insert(pos_of(0) + 5, 0, 3);
	DAMAGED("there is one too many");
	fresh();
	nbytes = make(SFS_XATTR_USER, "small", 5);
	insert(pos_of(0) ^ 1 << 20, 0, nbytes);
	DAMAGED("under another name's key");
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	ram_fs.f_compat = SFS_COMPAT_XATTR;
	ram_fs.f_hash_key[0] = 77;
	test_sizes();
	test_refused();
	test_acl();
	test_acl_long();
	test_flips();
	test_check();
	ram_reset();
	return tap_done();
}
