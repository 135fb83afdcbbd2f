// SPDX-License-Identifier: GPL-2.0-only
/*
 * super.c - superblocks of every size make sense, survive the way to disk and back, and no damaged
 * one gets past the verifier; nor does a damaged copy, or one for the other.
 */
#include "drain.h"

static u8 block[SFS_BLOCK_SIZE];

static const char *make(struct sfs_fs *fs, u64 blocks, u32 journal, bool dev)
{
	struct sfs_geometry geo = {
		.g_blocks = blocks,
		.g_journal_blocks = journal,
		.g_journal_dev = dev,
		.g_uuid = "0123456789abcde",
		.g_time = 42,
	};

	memset(fs, 0, sizeof(*fs));
	return sfs_super_make(fs, &geo);
}

static void test_sizes(void)
{
	struct sfs_fs fs;

	TAP_OK(make(&fs, SFS_VOLUME_MIN - 1, 0, false), "too small is refused");
	TAP_OK(!make(&fs, SFS_VOLUME_MIN, 0, false), "1 MiB is not");
	TAP_EQ(sfs_zones_fresh(&fs, 0), 256 - 32 - 131, "free blocks of 1 MiB");
	TAP_OK(make(&fs, 1200, 1024, false), "a journal that leaves no room is refused");
	TAP_OK(make(&fs, 100000, 1000, false), "and one too short for jbd2");
	TAP_OK(make(&fs, 3ULL << 28, SFS_ZONE_BLOCKS, false), "and one longer than a zone");
	TAP_OK(make(&fs, 100000, 1024, true), "and two journals");
	TAP_OK(!make(&fs, SFS_ZONE_BLOCKS + SFS_ZONE_MIN - 1, 0, false), "short last zone");
	TAP_EQ(fs.f_blocks, SFS_ZONE_BLOCKS, "is left out");
	TAP_OK(!make(&fs, SFS_ZONE_BLOCKS + SFS_ZONE_MIN, 0, false), "the shortest");
	TAP_EQ(fs.f_zones_max, 2, "is not");
	TAP_OK(!make(&fs, 65535, 0, false) && fs.f_tail == 32, "tail below 256 MiB");
	TAP_OK(!make(&fs, 65536, 0, false) && fs.f_tail == 256, "tail from there on");
	TAP_EQ(fs.f_root, 528 << 3, "no inode in the first 2 MiB + 64 KiB");
	TAP_OK(!make(&fs, ~0ULL, 262144, false), "1 EiB");
	TAP_OK(fs.f_blocks <= SFS_BLK_MAX, "has 48-bit block numbers");
	TAP_EQ(sfs_fs_init(&fs), 0, "and a place in memory");
	sfs_fs_exit(&fs);
	sfs_fs_exit(&fs);
	TAP_OK(!fs.f_zone, "left twice without harm");
}

/* No bitmap lies where another does, and addresses and validity agree. */
static void test_map(void)
{
	struct sfs_fs fs;
	u64 group, blk, bad = 0;
	unsigned int map;

	make(&fs, 2 * SFS_ZONE_BLOCKS + 1000, 1024, false);
	for (group = 0; group < 3 * SFS_ZONE_GROUPS; group++)
		for (map = 0; map < SFS_MAPS; map++) {
			blk = sfs_map_blk(group, map);
			bad += sfs_blk_is_valid(&fs, blk, 1);
			bad += blk / SFS_ZONE_BLOCKS != group / SFS_ZONE_GROUPS;
		}
	TAP_EQ(bad, 0, "bitmaps lie in the strip of their zone");
	for (blk = 0; blk < 3; blk++) {
		u64 copy = sfs_copy_blk(blk), summary = copy + SFS_ZONE_SUMMARY - SFS_ZONE_COPY;

		bad += copy != blk * SFS_ZONE_BLOCKS + (blk ? 128 : 129);
		bad += sfs_map_at(&fs, copy, &group, &map);
		bad += sfs_map_at(&fs, summary, &group, &map);
		bad += sfs_blk_is_valid(&fs, copy, 1) || sfs_blk_is_valid(&fs, summary, 1);
		bad += blk && !sfs_blk_is_valid(&fs, summary + 1, 1);
	}
	TAP_EQ(bad, 0, "behind it a copy of the superblock, and room for a summary");
	TAP_OK(!sfs_blk_is_valid(&fs, 0, 1) && !sfs_blk_is_valid(&fs, 131, 1) &&
	       !sfs_blk_is_valid(&fs, 131 + 1023, 1), "superblock and journal hold no data");
	TAP_OK(sfs_blk_is_valid(&fs, 131 + 1024, 1), "the block behind does");
	TAP_OK(!sfs_blk_is_valid(&fs, fs.f_blocks - 1, 2), "no run over the end");
	TAP_OK(!sfs_blk_is_valid(&fs, 2000, ~0ULL), "nor round the number line");
	TAP_OK(!sfs_blk_is_valid(&fs, ~0ULL, 2), "from its end either");
	TAP_OK(!sfs_blk_is_valid(&fs, SFS_ZONE_BLOCKS - 1, 2), "nor into a strip");
	TAP_OK(!sfs_blk_is_valid(&fs, 2000, 0), "an empty run is none");
}

/* A new one. */
static void encode(struct sfs_fs *fs)
{
	TAP_REQUIRE(!sfs_fs_init(fs), "core in memory");
	memset(block, 0, sizeof(block));
	sfs_super_encode(fs, block);
	sfs_block_seal(block);
	sfs_fs_exit(fs);
}

static void test_roundtrip(void)
{
	struct sfs_fs fs, back;
	u8 copy[SFS_BLOCK_SIZE];

	make(&fs, 1 << 20, 0, true);
	memset(fs.f_label, 'x', SFS_LABEL_MAX);
	fs.f_error_time = -5;
	fs.f_mounts = 3;
	encode(&fs);
	TAP_OK(sfs_super_probe(block), "it is one of ours");
	TAP_OK(!sfs_super_verify(block, 1 << 20), "and verifies");
	TAP_OK(sfs_super_verify(block, (1 << 20) - 1), "but not on a smaller device");
	memcpy(copy, block, sizeof(copy));
	memset(&back, 0, sizeof(back));
	sfs_super_decode(&back, block);
	TAP_EQ(strlen((char *)back.f_label), SFS_LABEL_MAX, "the longest label");
	TAP_EQ(back.f_error_time, -5, "a time before 1970");
	encode(&back);
	/* The time of writing is the encoder's own. */
	memcpy(block + offsetof(struct sfs_super_disk, s_write_time),
	       copy + offsetof(struct sfs_super_disk, s_write_time), 8);
	sfs_block_seal(block);
	TAP_OK(!memcmp(copy, block, sizeof(copy)), "decode and encode give the same bytes");
	back.f_state = SFS_STATE_CLEAN | SFS_STATE_ERROR;
	encode(&back);
	((struct sfs_super_disk *)block)->s_state |= cpu_to_le32(SFS_STATE_CLEAN);
	sfs_super_decode(&fs, block);
	TAP_OK(back.f_state == SFS_STATE_ERROR && fs.f_state == SFS_STATE_ERROR,
	       "damage is not in order, neither written nor read");
}

/* What a feature that is not known here has put into the block is let in, and kept. */
static void test_unknown(void)
{
	static const size_t places[] = { offsetof(struct sfs_super_disk, s_zero), 507, 508, 4095 };
	struct sfs_fs fs, back;
	unsigned int i, class;
	__le64 *compat = (__le64 *)(block + offsetof(struct sfs_super_disk, s_compat));
	u64 incompat;

	for (class = 0; class < 2; class++) {
		make(&fs, 1 << 20, 4096, false);
		encode(&fs);
		for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
			block[places[i]] = 0x5a;
		sfs_block_seal(block);
		TAP_OK(sfs_super_verify(block, 0), "bytes that no feature speaks of");
		compat[class] |= cpu_to_le64(1ULL << 63);
		sfs_block_seal(block);
		TAP_OK(!sfs_super_verify(block, 0), "and of a feature of class %u", class);
		memset(&back, 0, sizeof(back));
		sfs_super_decode(&back, block);
		TAP_OK(sfs_fs_has_unknown(&back) && !sfs_fs_has_unknown(&fs), "which is noticed");
		back.f_label[0] = 'l';
		TAP_REQUIRE(!sfs_fs_init(&back), "core in memory");
		sfs_super_encode(&back, block);
		sfs_fs_exit(&back);
		sfs_block_seal(block);
		TAP_OK(!sfs_super_verify(block, 0) && compat[class] >> 63 & 1 &&
		       block[offsetof(struct sfs_super_disk, s_label)] == 'l', "written again");
		for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
			TAP_EQ(block[places[i]], 0x5a, "byte %zu is still there", places[i]);
		TAP_OK(!sfs_super_is_newer(block, &incompat), "no reason not to look");
	}
	compat[2] |= cpu_to_le64(1ULL << 62 | SFS_INCOMPAT_JOURNAL_DEV);
	TAP_OK(sfs_super_is_newer(block, &incompat) && incompat == 1ULL << 62, "the third class is");
	compat[2] = 0;
	block[offsetof(struct sfs_super_disk, s_version)]++;
	TAP_OK(sfs_super_is_newer(block, &incompat) && !incompat, "and another version is");
}

/* Hidden inodes and stripes: what they may be. */
static void test_reserved(void)
{
	struct sfs_super_disk *sup = (struct sfs_super_disk *)block;
	const __le64 ino = cpu_to_le64(6000 << 3);
	struct sfs_fs fs;
	unsigned int i;

	make(&fs, 1 << 20, 4096, false);
	fs.f_stripe_unit = 16;
	fs.f_stripe_width = 64;
	encode(&fs);
	TAP_OK(!sfs_super_verify_fields(sup, 0), "stripes of four disks");
	sup->s_stripe_width = cpu_to_le32(65);
	TAP_OK(sfs_super_verify_fields(sup, 0), "a broken one");
	sup->s_stripe_unit = cpu_to_le32(32768);
	sup->s_stripe_width = cpu_to_le32(65536);
	TAP_OK(sfs_super_verify_fields(sup, 0), "one that is too long");
	sup->s_stripe_unit = sup->s_stripe_width = 0;
	for (i = 0; i < SFS_HIDDEN; i++) {
		sup->s_ro_compat = cpu_to_le64(i == SFS_HIDDEN_SHARED ? SFS_RO_COMPAT_QUOTA :
							   SFS_RO_COMPAT_SHARED);
		sup->s_hidden[i] = ino;
		TAP_OK(sfs_super_verify_fields(sup, 0), "hidden inode %u of another feature", i);
		sup->s_ro_compat = cpu_to_le64(SFS_RO_COMPAT_QUOTA | SFS_RO_COMPAT_SHARED);
		TAP_OK(!sfs_super_verify_fields(sup, 0), "of its own");
		sup->s_hidden[i] = sup->s_root;
		TAP_OK(sfs_super_verify_fields(sup, 0), "the root");
		sup->s_hidden[i] = cpu_to_le64(8);
		TAP_OK(sfs_super_verify_fields(sup, 0), "in the strip");
		sup->s_hidden[i] = 0;
	}
	sup->s_hidden[0] = sup->s_hidden[2] = ino;
	TAP_OK(sfs_super_verify_fields(sup, 0), "one for users and for projects");
}

/* Any changed byte is found by the crc. */
static void test_crc(void)
{
	struct sfs_fs fs;
	unsigned int at, bad = 0;

	make(&fs, 1 << 20, 4096, false);
	encode(&fs);
	for (at = 0; at < SFS_BLOCK_SIZE; at++) {
		block[at] ^= 1 << at % 8;
		bad += !sfs_super_verify(block, 0);
		block[at] ^= 1 << at % 8;
	}
	TAP_EQ(bad, 0, "each flipped bit is seen");
	block[100] ^= 1;
	TAP_OK(sfs_super_verify(block, 0) == sfs_why_crc, "and called by its name");
}

static const struct lie {
	const char *what;
	size_t at;
	u64 value;
	unsigned int nbytes;
} lies[] = {
#define LIE(field, value) { #field, offsetof(struct sfs_super_disk, field), value, \
	sizeof(((struct sfs_super_disk *)0)->field) > 8 ? 1 : \
	sizeof(((struct sfs_super_disk *)0)->field) }
	LIE(s_ident, 'x'),
	LIE(s_incompat, 1ULL << 63),
	LIE(s_incompat, SFS_INCOMPAT_JOURNAL_DEV),
	LIE(s_compat, 0),
	LIE(s_block_bits, 10),
	LIE(s_version, 2),
	LIE(s_blocks, 0),
	LIE(s_blocks, 255),
	LIE(s_blocks, SFS_BLK_MAX + 1),
	LIE(s_blocks, ~0ULL),
	LIE(s_blocks, SFS_ZONE_BLOCKS + 1),
	LIE(s_zones, 0),
	LIE(s_zones, 3),
	LIE(s_zones, ~0ULL),
	LIE(s_journal_start, 130),
	LIE(s_journal_start, 1ULL << 60),
	LIE(s_journal_blocks, 0),
	LIE(s_journal_blocks, 1023),
	LIE(s_journal_blocks, SFS_ZONE_BLOCKS),
	LIE(s_journal_blocks, ~0u),
	LIE(s_tail, 0),
	LIE(s_tail, ~0u),
	LIE(s_state, 8),
	LIE(s_errors, 0),
	LIE(s_errors, 4),
	LIE(s_root, 0),
	LIE(s_root, 200 << 3),
	LIE(s_root, (u64)SFS_ZONE_BLOCKS << 3),
	LIE(s_root, ~0ULL),
	LIE(s_free, ~0ULL),
	LIE(s_free, 1200000),
	LIE(s_inodes, ~0ULL),
	LIE(s_fsid, 1),
	LIE(s_zero, 1),
	LIE(s_sequence, 0),
	LIE(s_sequence, SFS_SEQUENCE_MAX + 1),
	LIE(s_stripe_unit, 16),
	LIE(s_stripe_width, 16),
	{ "a hidden inode", offsetof(struct sfs_super_disk, s_hidden), 1300 << 3, 8 },
	{ "s_head.h_owner", offsetof(struct sfs_head, h_owner), 1, 8 },
	{ "s_head.h_blk", offsetof(struct sfs_head, h_blk), 1, 8 },
	{ "s_head.h_live", offsetof(struct sfs_head, h_live), 1, 1 },
	{ "s_head.h_zero", offsetof(struct sfs_head, h_zero), 1, 1 },
	{ "s_head.h_zero, its last byte", offsetof(struct sfs_head, h_zero) + 6, 1, 1 },
	{ "s_head.h_generation", offsetof(struct sfs_head, h_generation), 1, 4 },
	{ "s_head.h_seq", offsetof(struct sfs_head, h_seq), 2, 8 },
	{ "a byte behind the label", offsetof(struct sfs_super_disk, s_label) + 9, 'x', 1 },
	{ "a byte behind the fields", 508, 1, 1 },
	{ "the boot signature", 510, 0xaa55, 2 },
	{ "an ext2 signature", 1080, 0xef53, 2 },
	{ "the last byte", SFS_BLOCK_SIZE - 1, 1, 1 },
};

/* Sealed by an enemy: the crc is right, the content is not. */
static void lie(u8 *data, unsigned int i)
{
	__le64 raw = cpu_to_le64(lies[i].value);

	memcpy(data + lies[i].at, &raw, lies[i].nbytes);
	sfs_block_seal(data);
}

static void test_lies(void)
{
	struct sfs_fs fs;
	const char *why;
	unsigned int i;

	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		make(&fs, SFS_ZONE_BLOCKS + 5000, 4096, false);
		encode(&fs);
		TAP_REQUIRE(!sfs_super_verify(block, 0), "the true one verifies");
		lie(block, i);
		why = sfs_super_verify(block, 0);
		TAP_OK(why && why != sfs_why_crc, "%s: %s", lies[i].what, why ? why : "believed");
	}
}

/* A copy is its superblock, at one place of a zone that it knows. */
static void test_copies(void)
{
	struct sfs_super_disk *sup = (struct sfs_super_disk *)block;
	u64 blk = sfs_copy_blk(1);
	u8 copy[SFS_BLOCK_SIZE];
	struct sfs_fs fs;
	const char *why;
	unsigned int i;

	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		make(&fs, SFS_ZONE_BLOCKS + 5000, 4096, false);
		encode(&fs);
		sfs_copy_make(block, blk, copy);
		sfs_block_seal(copy);
		TAP_REQUIRE(!sfs_copy_verify(copy, blk, fs.f_blocks), "a true copy verifies");
		lie(copy, i);
		why = sfs_copy_verify(copy, blk, 0);
		TAP_OK(why && why != sfs_why_crc, "copy, %s: %s", lies[i].what,
		       why ? why : "believed");
	}
	TAP_OK(sfs_copy_verify(block, 0, 0), "a superblock is no copy");
	sfs_copy_make(block, blk, copy);
	sup = (struct sfs_super_disk *)copy;
	TAP_EQ(le64_to_cpu(sup->s_zones), 2, "a copy says that its zone is begun");
	TAP_OK(!(le32_to_cpu(sup->s_state) & SFS_STATE_CLEAN), "and never that all is clean");
	sfs_block_seal(copy);
	TAP_OK(sfs_super_verify(copy, 0), "it is no superblock");
	TAP_OK(sfs_copy_verify(copy, blk, fs.f_blocks - 1), "nor any for a smaller device");
	TAP_OK(sfs_copy_verify(copy, sfs_copy_blk(0), 0), "nor for another zone");
	copy[700] ^= 1;
	TAP_OK(sfs_copy_verify(copy, blk, 0) == sfs_why_crc, "a flipped bit is seen");
	copy[700] ^= 1;
	sup->s_state = cpu_to_le32(SFS_STATE_CLEAN);
	sfs_block_seal(copy);
	TAP_OK(sfs_copy_verify(copy, blk, 0), "called clean");
	sup->s_state = 0;
	sup->s_zones = cpu_to_le64(1);
	sfs_block_seal(copy);
	TAP_OK(sfs_copy_verify(copy, blk, 0), "in a zone that was not begun");
	sfs_copy_make(block, blk + 1, copy);
	sfs_block_seal(copy);
	TAP_OK(sfs_copy_verify(copy, blk + 1, 0), "beside its place");
}

/* How many zones have a copy that is called @label. */
static unsigned int called(const char *label)
{
	unsigned int zone, n = 0;
	struct sfs_buf *buf;

	for (zone = 0; zone < drain_fs.f_zones; zone++) {
		if (sfs_buf_get(&drain_fs, sfs_copy_blk(zone), &sfs_copy_ops, 0, &buf))
			continue;
		n += !strcmp((char *)((struct sfs_super_disk *)sfs_buf_data(buf))->s_label, label);
		sfs_buf_put(buf);
	}
	return n;
}

/* Each zone that begins has a copy, and a change reaches all of them. */
static void test_growth(void)
{
	struct sfs_reach reach = { };

	drain_make(2 * SFS_ZONE_BLOCKS + 5000, 4096);
	TAP_EQ(called(""), 1, "a new volume has a copy");
	while (drain_fs.f_zones < 3)
		TAP_REQUIRE(!sfs_zone_grow(NULL, &drain_fs, sfs_groups_ready(&drain_fs), &reach),
			    "grown");
	TAP_EQ(called(""), 3, "so has each zone that begins");
	strcpy((char *)drain_fs.f_label, "new");
	TAP_REQUIRE(!sfs_super_write(NULL, &drain_fs), "a change");
	TAP_EQ(called("new"), 0, "which is block 0's alone");
	TAP_REQUIRE(!sfs_copies_write(&drain_fs), "until copies are written");
	TAP_EQ(called("new"), 3, "all of them");
}

/* On a mounted volume, in transactions. */
static void test_label(void)
{
	static const u8 label[SFS_LABEL_MAX] = "in use", other[SFS_LABEL_MAX] = "other";
	struct sfs_reach reach = { };
	u8 got[SFS_LABEL_MAX + 1];
	unsigned int i;
	int err;

	drain_make(2 * SFS_ZONE_BLOCKS + 5000, 4096);
	while (drain_fs.f_zones < 2)
		TAP_REQUIRE(!sfs_zone_grow(NULL, &drain_fs, sfs_groups_ready(&drain_fs), &reach),
			    "grown");
	drain_step(~0u);
	TAP_REQUIRE(!sfs_super_write_label(NULL, &drain_fs, label), "a label");
	drain_step(1);
	sfs_label_get(&drain_fs, got);
	TAP_OK(!memcmp(got, label, sizeof(label)) && !got[SFS_LABEL_MAX], "is there");
	TAP_EQ(called("in use"), 0, "block 0's alone");
	TAP_REQUIRE(!sfs_zone_grow(NULL, &drain_fs, sfs_groups_ready(&drain_fs), &reach), "grown");
	TAP_EQ(called("in use"), 1, "and of a zone that begins then");
	drain_step(~0u);
	TAP_EQ(sfs_copies_update(NULL, &drain_fs, 0, 2), 0, "copies of some zones");
	TAP_EQ(called("in use"), 3, "have it then");
	drain_step(2);
	TAP_REQUIRE(!sfs_super_write(NULL, &drain_fs), "written for another reason");
	sfs_label_get(&drain_fs, got);
	TAP_OK(!memcmp(got, label, sizeof(label)), "it stays");
	drain_step(1);
	for (i = 0; i < 2; i++) {
		drain_fail_in = i;
		err = sfs_super_write_label(NULL, &drain_fs, other);
		drain_fail_in = -1;
		sfs_label_get(&drain_fs, got);
		TAP_OK(err && !memcmp(got, label, sizeof(label)), "one that fails changes nothing");
		drain_step(1);
	}
	drain_bad = sfs_copy_blk(1);
	drain_fs.f_label[0] = 'I';
	TAP_REQUIRE(!sfs_super_write(NULL, &drain_fs), "another one");
	sfs_copies_update(NULL, &drain_fs, 0, 3);
	drain_bad = 0;
	TAP_OK(called("In use") >= 2, "a copy that cannot be had keeps no other back");
	drain_step(4);
}

/* Random fields under a right crc: refused, or a geometry that can be computed with. */
static void test_noise(void)
{
	struct sfs_fs fs, got;
	unsigned int i, k, passed = 0;

	for (i = 0; i < 100000; i++) {
		if (i % 1000 == 0) {
			make(&fs, 5000 + ram_random(~0u), ram_random(2) ? 4096 : 0, false);
			encode(&fs);
		}
		memset(block, 0, sizeof(block));
		sfs_super_encode(&fs, block);
		for (k = 0; k <= ram_random(3); k++)
			block[48 + ram_random(460)] ^= 1 << ram_random(8);
		sfs_block_seal(block);
		if (sfs_super_verify(block, 0))
			continue;
		passed++;
		memset(&got, 0, sizeof(got));
		sfs_super_decode(&got, block);
		DRAIN_REQUIRE(got.f_zones <= got.f_zones_max &&
			      sfs_zones_fresh(&got, 0) < got.f_blocks &&
			      got.f_disk_free <= got.f_blocks &&
			      sfs_blk_is_valid(&got, sfs_ino_blk(got.f_root), 1), "it makes sense");
	}
	TAP_OK(passed && passed < i, "noise: %u of %u pass, all of them sound", passed, i);
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	test_sizes();
	test_map();
	test_roundtrip();
	test_unknown();
	test_reserved();
	test_crc();
	test_lies();
	test_copies();
	test_growth();
	test_label();
	test_noise();
	return tap_done();
}
