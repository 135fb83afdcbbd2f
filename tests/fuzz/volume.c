// SPDX-License-Identifier: GPL-2.0-only
/*
 * volume.c - the volume that is damaged.  It lies in a memfd, mapped here as well, so that damage
 * is a store and taking it back a copy of the blocks that were touched.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "volume.h"

#define FUZZ_BYTES	((size_t)FUZZ_NBLKS * SFS_BLOCK_SIZE)
#define FUZZ_LOG	1024
#define FUZZ_NAMES	160

u64 fuzz_blks[FUZZ_NBLKS];
unsigned int fuzz_nblks;

static int fuzz_fd = -1;
static u8 *fuzz_map;
static u8 *fuzz_copy;
static u64 fuzz_touched[256];
static unsigned int fuzz_ntouched;

static void fuzz_open_dev(bool writable, struct sfs_dev **ret_dev)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fuzz_fd);
	FUZZ_REQUIRE(!sfs_dev_open(path, writable, ret_dev));
}

/* ---- what is in it ---- */

static void fuzz_inode(struct sfs_fs *fs, u64 dir, u16 mode, struct sfs_inode *ret_in)
{
	struct sfs_trans *t = sfs_dev_trans(fs->f_priv);
	u32 generation;
	u64 ino;

	FUZZ_REQUIRE(!sfs_inode_alloc(t, fs, dir, S_ISDIR(mode), &ino, &generation));
	sfs_inode_init(ret_in, fs, ino, mode, 1);
	ret_in->i_generation = generation;
	ret_in->i_nlink = S_ISDIR(mode) ? 2 : 1;
	ret_in->i_parent = S_ISDIR(mode) ? dir ? dir : ino : 0;
	FUZZ_REQUIRE(!sfs_inode_begin(t, ret_in));
}

static void fuzz_name(struct sfs_inode *dir, const char *name, const struct sfs_inode *in)
{
	FUZZ_REQUIRE(!sfs_dirent_add(sfs_dev_trans(dir->i_fs->f_priv), dir, name, strlen(name),
				     in->i_ino, in->i_mode >> SFS_TYPE_SHIFT));
	dir->i_nlink += S_ISDIR(in->i_mode);
}

/* An attribute of two pieces. */
static void fuzz_attribute(struct sfs_inode *in)
{
	struct sfs_trans *t = sfs_dev_trans(in->i_fs->f_priv);
	u8 whole[SFS_CHUNK + 10] = { 0 };
	struct sfs_xattr_disk *disk = (struct sfs_xattr_disk *)whole;
	u64 key;

	disk->x_nbytes = cpu_to_le32(sizeof(whole) - sizeof(*disk) - 4);
	disk->x_len = 4;
	disk->x_space = SFS_XATTR_USER;
	memcpy(disk + 1, "note", 4);
	key = sfs_key(SFS_KIND_XATTR,
		      sfs_siphash(in->i_fs->f_hash_key, &disk->x_space, 5) >> 16 << 12);
	FUZZ_REQUIRE(!sfs_tree_insert(t, in, key, whole, SFS_CHUNK, 0));
	FUZZ_REQUIRE(!sfs_tree_insert(t, in, key + 1, whole + SFS_CHUNK, 10, 0));
}

static void fuzz_fill(struct sfs_fs *fs)
{
	struct sfs_trans *t = sfs_dev_trans(fs->f_priv);
	struct sfs_inode root, dir, in;
	struct sfs_extent ext;
	char text[2000];
	unsigned int i;

	fuzz_inode(fs, 0, S_IFDIR | 0755, &root);
	fs->f_root = root.i_ino;
	fuzz_inode(fs, root.i_ino, S_IFDIR | 0755, &dir);
	fuzz_name(&root, "dir", &dir);
	for (i = 0; i < FUZZ_NAMES; i++) {	/* a tree of two levels */
		fuzz_inode(fs, dir.i_ino, S_IFREG | 0644, &in);
		if (i < 3)
			FUZZ_REQUIRE(!sfs_extent_alloc(t, &in, i, 2, i & 1, 0, &ext));
		in.i_size = i < 3 ? (i + 2) * SFS_BLOCK_SIZE : i;
		sfs_inode_end(t, &in);
		snprintf(text, sizeof(text), "a name that takes its room %u", i);
		fuzz_name(&dir, text, &in);
	}
	sfs_inode_end(t, &dir);
	fuzz_inode(fs, root.i_ino, S_IFREG | 0644, &in);
	for (i = 0; i < 250; i++)	/* pieces that do not join: nodes */
		FUZZ_REQUIRE(!sfs_extent_alloc(t, &in, 3 * i, 1, i & 1, 0, &ext));
	in.i_size = 750 * SFS_BLOCK_SIZE;
	fuzz_attribute(&in);
	sfs_inode_end(t, &in);
	fuzz_name(&root, "pieces", &in);
	memset(text, 'x', sizeof(text));
	for (i = 10; i <= sizeof(text); i *= 200) {	/* in the inode, in a leaf */
		fuzz_inode(fs, root.i_ino, S_IFLNK | 0777, &in);
		FUZZ_REQUIRE(!sfs_symlink_write(t, &in, text, i));
		sfs_inode_end(t, &in);
		fuzz_name(&root, i == 10 ? "short" : "long", &in);
	}
	fuzz_inode(fs, root.i_ino, S_IFREG | 0644, &in);	/* unlinked, but not gone */
	in.i_nlink = 0;
	FUZZ_REQUIRE(!sfs_orphan_add(t, &in));
	sfs_inode_end(t, &in);
	sfs_inode_end(t, &root);
}

void fuzz_volume_make(bool journal)
{
	struct sfs_geometry geo = {
		.g_blocks = FUZZ_NBLKS, .g_journal_blocks = journal ? FUZZ_LOG : 0,
		.g_uuid = "a fuzzed volume", .g_journal_uuid = "its own journal", .g_time = 1,
	};
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8))) = { 0 };
	struct sfs_fs fs = { 0 };
	struct sfs_dev *dev;
	u64 blk;

	sfs_report = sfs_report_nothing;
	sfs_clock_fix(1, 1);
	fuzz_fd = memfd_create("volume", MFD_CLOEXEC);
	FUZZ_REQUIRE(fuzz_fd >= 0 && !ftruncate(fuzz_fd, FUZZ_BYTES));
	fuzz_open_dev(true, &dev);
	fs.f_priv = dev;
	FUZZ_REQUIRE(!sfs_super_make(&fs, &geo) && !sfs_fs_init(&fs));
	fs.f_compat |= SFS_COMPAT_XATTR;
	sfs_super_encode(&fs, super);
	FUZZ_REQUIRE(!sfs_zone_format(&fs, 0, super));
	if (journal) {
		sfs_log_make(super, fs.f_journal_start, FUZZ_LOG, fs.f_journal_uuid);
		FUZZ_REQUIRE(!sfs_dev_write(dev, fs.f_journal_start, super));
	}
	fuzz_fill(&fs);
	FUZZ_REQUIRE(!sfs_dev_flush(dev));
	fs.f_state = 0;		/* or the orphan were damage */
	memset(super, 0, sizeof(super));
	sfs_super_encode(&fs, super);
	sfs_block_seal(super);
	FUZZ_REQUIRE(!sfs_dev_write(dev, 0, super) && !sfs_check(&fs));
	sfs_fs_exit(&fs);
	sfs_dev_close(dev);

	fuzz_map = mmap(NULL, FUZZ_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fuzz_fd, 0);
	fuzz_copy = malloc(FUZZ_BYTES);
	FUZZ_REQUIRE(fuzz_map != MAP_FAILED && fuzz_copy);
	memcpy(fuzz_copy, fuzz_map, FUZZ_BYTES);
	for (blk = 0; blk < FUZZ_NBLKS; blk++) {
		const struct sfs_head *head = (const struct sfs_head *)fuzz_block(blk);
		unsigned int n = fuzz_nblks;

		if (le64_to_cpu(head->h_blk) != blk || !head->h_magic)
			continue;
		/* Of the maps those of the one group that there is. */
		if (blk <= SFS_STRIP_BLOCKS && (blk ? blk - 1 : 0) % SFS_ZONE_GROUPS)
			continue;
		fuzz_blks[n] = blk;
		fuzz_nblks++;
	}
}

/* ---- damage ---- */

u8 *fuzz_block(u64 blk)
{
	return fuzz_map + blk * SFS_BLOCK_SIZE;
}

void fuzz_volume_reset(void)
{
	unsigned int i;

	for (i = 0; i < fuzz_ntouched; i++)
		memcpy(fuzz_block(fuzz_touched[i]), fuzz_copy + fuzz_touched[i] * SFS_BLOCK_SIZE,
		       SFS_BLOCK_SIZE);
	fuzz_ntouched = 0;
}

/*
 * A patch: selector of the block (2 bytes), flags (1), offset (2), then by flags & 3: bytes set
 * from the input (length in the byte after), one bit flipped, a 64-bit field set to what another
 * block's number would be, or a run of bytes copied from elsewhere in the block.  Flag 0x80 leaves
 * the checksum wrong, 0x40 ends the list.
 */
void fuzz_patch(const u8 **data, size_t *nbytes)
{
	unsigned int flags = 0;

	while (*nbytes >= 8 && !(flags & 0x40) &&
	       fuzz_ntouched < sizeof(fuzz_touched) / sizeof(*fuzz_touched)) {
		const u8 *p = *data;
		u64 blk = fuzz_blks[(p[0] | p[1] << 8) % fuzz_nblks];
		unsigned int off = (p[3] | p[4] << 8) % SFS_BLOCK_SIZE;
		unsigned int len = min_t(unsigned int, p[5] & 31, SFS_BLOCK_SIZE - off);
		u8 *block = fuzz_block(blk);
		u64 other = fuzz_blks[p[6] % fuzz_nblks] << (p[7] & 1 ? SFS_INODE_SLOT_BITS : 0);
		size_t used = 8;

		flags = p[2];
		fuzz_touched[fuzz_ntouched++] = blk;
		switch (flags & 3) {
		case 0:
			len = min_t(size_t, len, *nbytes - 6);
			memcpy(block + off, p + 6, len);
			used = max_t(size_t, 8, 6 + len);
			break;
		case 1:
			block[off] ^= 1 << (p[5] & 7);
			break;
		case 2:
			memcpy(block + off, &other, min_t(unsigned int, 8, SFS_BLOCK_SIZE - off));
			break;
		case 3:
			memmove(block + off,
				block + (p[6] | p[7] << 8) % (SFS_BLOCK_SIZE - 32), len);
			break;
		}
		if (!(flags & 0x80))
			sfs_block_seal(block);
		*data += used;
		*nbytes -= min(used, *nbytes);
	}
}

/* ---- use ---- */

bool fuzz_volume_open(struct sfs_fs *fs)
{
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_dev *dev;
	u64 blk;

	memset(fs, 0, sizeof(*fs));
	fuzz_open_dev(true, &dev);
	FUZZ_REQUIRE(!sfs_dev_read(dev, 0, super));
	if (sfs_super_verify(super, FUZZ_NBLKS)) {
		if (sfs_copies_find(dev, super, &blk)) {
			sfs_dev_close(dev);
			return false;
		}
		FUZZ_REQUIRE(!sfs_dev_put(dev, 0, super));
	}
	sfs_super_decode(fs, super);
	fs->f_priv = dev;
	FUZZ_REQUIRE(!sfs_fs_init(fs));
	if (!(fs->f_state & SFS_STATE_CLEAN))
		(void)sfs_fs_recount(fs, NULL);	/* damage may stop it: goes on, as fsck does */
	return true;
}

void fuzz_volume_close(struct sfs_fs *fs)
{
	FUZZ_REQUIRE(!sfs_dev_held(fs->f_priv));
	sfs_fs_exit(fs);
	sfs_dev_close(fs->f_priv);
}
