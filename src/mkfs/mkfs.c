// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkfs.c - mkfs.simplefs: plan, check, write.
 *
 * The plan is a struct sfs_geometry; nothing is written before it is complete and the target has
 * been found free to take.  Then old signatures go, the metadata and the journal are written and
 * synced, and the superblock comes last: a run that is cut short leaves no volume.
 */
#include <blkid/blkid.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uuid/uuid.h>
#include <linux/fs.h>

#include "lib.h"
#include "populate.h"

enum {
	SFS_EXIT_OK = 0,
	SFS_EXIT_FAILED = 1,		/* the device, or what is on it, said no */
	SFS_EXIT_USAGE = 2,
};

struct sfs_mkfs {
	const char *path;
	const char *label;
	const char *uuid;
	const char *journal_path;
	const char *source;		/* -d: what to fill it with */
	u64 nblks;			/* asked for; 0: all there is */
	u64 journal_nbytes;		/* asked for; 0: by size */
	u64 block_size;
	bool no_journal;
	bool force;
	bool quiet;
	bool dry_run;
	bool keep;			/* no discard */
	struct sfs_geometry geo;
};

#define SFS_FIELD(name)		offsetof(struct sfs_mkfs, name)

static const struct sfs_opt sfs_journal_opts[] = {
	{ .o_long = "size", .o_arg = "SIZE", .o_help = "its length; a bare number is in MiB",
	  .o_kind = SFS_OPT_SIZE, .o_field = SFS_FIELD(journal_nbytes), .o_unit = 1 << 20,
	  .o_min = (u64)SFS_JOURNAL_MIN * SFS_BLOCK_SIZE,
	  .o_max = (u64)SFS_ZONE_BLOCKS * SFS_BLOCK_SIZE, .o_group = 1 },
	{ .o_long = "device", .o_arg = "PATH", .o_help = "on another device, which it fills",
	  .o_kind = SFS_OPT_TEXT, .o_field = SFS_FIELD(journal_path), .o_group = 1 },
	{ .o_long = "none", .o_help = "no journal: nothing is safe in a crash",
	  .o_field = SFS_FIELD(no_journal), .o_group = 1 },
	{ .o_long = NULL }
};

static const struct sfs_opt sfs_mkfs_opts[] = {
	{ .o_short = 'L', .o_long = "label", .o_arg = "TEXT", .o_help = "name of the volume",
	  .o_kind = SFS_OPT_TEXT, .o_field = SFS_FIELD(label), .o_max = SFS_LABEL_MAX },
	{ .o_short = 'U', .o_long = "uuid", .o_arg = "UUID", .o_help = "its UUID",
	  .o_kind = SFS_OPT_TEXT, .o_field = SFS_FIELD(uuid) },
	{ .o_short = 'J', .o_long = "journal", .o_arg = "LIST", .o_help = "the journal:",
	  .o_kind = SFS_OPT_LIST, .o_sub = sfs_journal_opts },
	{ .o_short = 'd', .o_long = "fill", .o_arg = "FROM",
	  .o_help = "copy a directory or tar archive into it",
	  .o_kind = SFS_OPT_TEXT, .o_field = SFS_FIELD(source) },
	{ .o_short = 'b', .o_long = "block-size", .o_arg = "BYTES", .o_help = "size of a block",
	  .o_kind = SFS_OPT_NUMBER, .o_field = SFS_FIELD(block_size),
	  .o_min = SFS_BLOCK_SIZE, .o_max = SFS_BLOCK_SIZE },
	{ .o_short = 'f', .o_long = "force", .o_help = "overwrite what is there",
	  .o_field = SFS_FIELD(force) },
	{ .o_short = 'K', .o_long = "keep", .o_help = "do not discard the device first",
	  .o_field = SFS_FIELD(keep) },
	{ .o_short = 'n', .o_long = "dry-run", .o_help = "show the plan, write nothing",
	  .o_field = SFS_FIELD(dry_run) },
	{ .o_short = 'q', .o_long = "quiet", .o_help = "say nothing but errors",
	  .o_field = SFS_FIELD(quiet) },
	{ .o_long = NULL }
};

static const struct sfs_cli sfs_mkfs_cli = {
	.c_program = "mkfs.simplefs",
	.c_usage = "[options] DEVICE|IMAGE [SIZE]",
	.c_about = "Makes a simplefs volume on a device or in an image file.",
	.c_notes = "SIZE is in blocks of 4096 bytes or has a suffix (K, M, G, T, P).\n"
		   "An IMAGE that does not exist is made when SIZE is given.",
	.c_opts = sfs_mkfs_opts,
	.c_operands_min = 1,
	.c_operands_max = 2,
	.c_exit_usage = SFS_EXIT_USAGE,
	.c_exits = {
		{ SFS_EXIT_OK, "the volume is made" },
		{ SFS_EXIT_FAILED, "the device, or what is on it, said no" },
		{ SFS_EXIT_USAGE, "the command line is wrong" },
	},
};

static void sfs_parse_args(struct sfs_mkfs *m, int argc, char **argv)
{
	int first = sfs_cli_parse(&sfs_mkfs_cli, argc, argv, m, NULL);
	u64 nbytes;

	m->path = argv[first];
	if (m->uuid && uuid_parse(m->uuid, m->geo.g_uuid))
		sfs_die(SFS_EXIT_USAGE, "not a UUID: %s", m->uuid);
	if (argc - first == 2) {
		if (sfs_parse_size(argv[first + 1], SFS_BLOCK_SIZE, &nbytes) ||
		    nbytes < SFS_BLOCK_SIZE)
			sfs_die(SFS_EXIT_USAGE, "not a size: %s", argv[first + 1]);
		m->nblks = nbytes >> SFS_BLOCK_BITS;
	}
}

/* An image that is not there is made; one that is too short for SIZE grows. */
static void sfs_prepare_image(const struct sfs_mkfs *m)
{
	struct stat st;
	int fd;

	if (stat(m->path, &st)) {
		if (errno != ENOENT || !m->nblks)
			sfs_die(SFS_EXIT_FAILED, "%s: %s", m->path, strerror(errno));
		if (m->dry_run)
			sfs_die(SFS_EXIT_FAILED, "%s: does not exist, and -n makes nothing",
				m->path);
		memset(&st, 0, sizeof(st));
		st.st_mode = S_IFREG;
	}
	if (!S_ISREG(st.st_mode) || m->dry_run ||
	    (u64)st.st_size >= m->nblks << SFS_BLOCK_BITS)
		return;
	fd = open(m->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || ftruncate(fd, m->nblks << SFS_BLOCK_BITS))
		sfs_die(SFS_EXIT_FAILED, "%s: cannot make the image: %s", m->path,
			strerror(errno));
	close(fd);
}

/* Anything libblkid or we can name is somebody's: only -f overwrites it. */
static void sfs_refuse_foreign(const struct sfs_mkfs *m, struct sfs_dev *dev, const char *path)
{
	u8 block[SFS_BLOCK_SIZE];
	const char *type = NULL;
	blkid_probe pr;

	if (m->force)
		return;
	if (!sfs_dev_read(dev, 0, block) && sfs_super_probe(block))
		sfs_die(SFS_EXIT_FAILED, "%s: holds a simplefs already; -f overwrites it", path);
	pr = blkid_new_probe();
	if (!pr || blkid_probe_set_device(pr, sfs_dev_fd(dev), 0, 0))
		sfs_die(SFS_EXIT_FAILED, "%s: cannot be probed", path);
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(pr, 1);
	while (blkid_do_probe(pr) == 0) {
		if (!blkid_probe_lookup_value(pr, "TYPE", &type, NULL) ||
		    !blkid_probe_lookup_value(pr, "PTTYPE", &type, NULL))
			sfs_die(SFS_EXIT_FAILED, "%s: holds something (%s); -f overwrites it",
				path, type);
	}
	blkid_free_probe(pr);
}

/* Signatures anywhere, and ext's first backup superblocks, which libblkid does not look at. */
static void sfs_wipe(struct sfs_dev *dev, const char *path)
{
	static const u64 backups[] = { 2048, 8192, 32768, 1048576 };
	const u8 zero[SFS_BLOCK_SIZE] = { 0 };
	blkid_probe pr;
	unsigned int i;
	int fd = sfs_dev_fd(dev);

	pr = blkid_new_probe();
	if (!pr || blkid_probe_set_device(pr, fd, 0, 0))
		sfs_die(SFS_EXIT_FAILED, "%s: cannot be probed for old signatures", path);
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(pr, 1);
	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_MAGIC);
	while (blkid_do_probe(pr) == 0) {
		if (blkid_do_wipe(pr, 0))
			sfs_die(SFS_EXIT_FAILED, "%s: an old signature cannot be wiped", path);
	}
	blkid_free_probe(pr);
	for (i = 0; i < sizeof(backups) / sizeof(*backups); i++) {
		if (backups[i] < sfs_dev_nblks(dev) && sfs_dev_write(dev, backups[i], zero))
			sfs_die(SFS_EXIT_FAILED, "%s: cannot write block %llu", path,
				(unsigned long long)backups[i]);
	}
	for (i = 0; i < SFS_HEAD_SMALL && i < sfs_dev_nblks(dev); i++) {
		if (sfs_dev_write(dev, i, zero))
			sfs_die(SFS_EXIT_FAILED, "%s: cannot clear its first blocks", path);
	}
}

static void sfs_discard(const struct sfs_mkfs *m, struct sfs_dev *dev)
{
	u64 range[2] = { 0, sfs_dev_nblks(dev) << SFS_BLOCK_BITS };
	struct stat st;

	/* A favour to the device; many cannot, and nothing depends on it. */
	if (!m->keep && !fstat(sfs_dev_fd(dev), &st) && S_ISBLK(st.st_mode))
		(void)!ioctl(sfs_dev_fd(dev), BLKDISCARD, range);
}

/* A sixty-fourth of the volume, between 4 MiB and 128 MiB, like others do. */
static u32 sfs_default_journal(u64 nblks)
{
	u64 want = nblks / 64;

	return want < SFS_JOURNAL_MIN ? SFS_JOURNAL_MIN : want > 32768 ? 32768 : want;
}

static u64 sfs_hash_key_word(const struct sfs_mkfs *m, unsigned int n)
{
	u64 key[2] = { 0x73696d706c656673ULL, n };

	/* Secret on a fresh volume; from the UUID when the image is to be reproducible. */
	if (getenv("SOURCE_DATE_EPOCH"))
		return sfs_siphash(key, m->geo.g_uuid, sizeof(m->geo.g_uuid));
	return (u64)sfs_random32() << 32 | sfs_random32();
}

static void sfs_plan(struct sfs_mkfs *m, struct sfs_dev *dev, struct sfs_dev *log_dev)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	struct sfs_geometry *geo = &m->geo;

	if (!m->uuid) {
		if (epoch)
			sfs_die(SFS_EXIT_USAGE, "SOURCE_DATE_EPOCH is set: say -U too");
		uuid_generate(geo->g_uuid);
	}
	geo->g_hash_key[0] = sfs_hash_key_word(m, 0);
	geo->g_hash_key[1] = sfs_hash_key_word(m, 1);
	if (epoch)
		sfs_clock_fix(strtoll(epoch, NULL, 10) * 1000000000LL,
			      sfs_crc32c(0, geo->g_uuid, sizeof(geo->g_uuid)));
	geo->g_time = sfs_time_now();
	geo->g_blocks = m->nblks ? m->nblks : sfs_dev_nblks(dev);
	if (geo->g_blocks > sfs_dev_nblks(dev))
		sfs_die(SFS_EXIT_FAILED, "%s: has %llu blocks, not %llu", m->path,
			(unsigned long long)sfs_dev_nblks(dev),
			(unsigned long long)geo->g_blocks);
	memcpy(geo->g_journal_uuid, geo->g_uuid, sizeof(geo->g_uuid));
	geo->g_journal_uuid[15] ^= 0x4a;	/* another UUID, but one that can be made again */
	geo->g_journal_dev = log_dev;
	if (log_dev || m->no_journal)
		return;
	geo->g_journal_blocks = m->journal_nbytes ? m->journal_nbytes >> SFS_BLOCK_BITS :
						    sfs_default_journal(geo->g_blocks);
}

static void sfs_show(const struct sfs_mkfs *m, const struct sfs_fs *fs)
{
	char uuid[UUID_STR_LEN];

	uuid_unparse_lower(fs->f_uuid, uuid);
	printf("%s%s: simplefs, %llu blocks of 4096 bytes, UUID %s%s%s\n",
	       m->dry_run ? "(dry run) " : "", m->path, (unsigned long long)fs->f_blocks, uuid,
	       m->label ? ", label " : "", m->label ? m->label : "");
	if (m->journal_path)
		printf("  journal on %s\n", m->journal_path);
	else if (fs->f_journal_blocks)
		printf("  journal: %u blocks from block %llu\n", fs->f_journal_blocks,
		       (unsigned long long)fs->f_journal_start);
	else
		printf("  no journal\n");
}

/* The root directory, through the code that makes every other one. */
static int sfs_make_root(struct sfs_fs *fs, struct sfs_trans *t)
{
	struct sfs_inode root;
	u32 generation;
	u64 ino;
	int err;

	err = sfs_inode_alloc(t, fs, 0, true, &ino, &generation);
	if (err)
		return err;
	sfs_inode_init(&root, fs, ino, S_IFDIR | 0755, fs->f_mkfs_time);
	root.i_generation = generation;
	root.i_nlink = 2;
	root.i_parent = ino;
	err = sfs_inode_begin(t, &root);
	if (err)
		return err;
	sfs_inode_end(t, &root);
	fs->f_root = ino;
	return 0;
}

static int sfs_write_log(const struct sfs_fs *fs, struct sfs_dev *dev, struct sfs_dev *log_dev)
{
	u8 block[SFS_BLOCK_SIZE] __attribute__((aligned(8))) = { 0 };
	struct sfs_journal_dev_disk *jd = (struct sfs_journal_dev_disk *)block;
	u64 nblks;
	int err;

	if (!log_dev) {
		if (!fs->f_journal_blocks)
			return 0;
		sfs_log_make(block, fs->f_journal_start, fs->f_journal_blocks, fs->f_journal_uuid);
		return sfs_dev_write(dev, fs->f_journal_start, block);
	}
	nblks = min_t(u64, sfs_dev_nblks(log_dev), 1u << 20);
	sfs_log_make(block, SFS_JOURNAL_DEV_LOG, nblks - SFS_JOURNAL_DEV_LOG,
		     fs->f_journal_uuid);
	err = sfs_dev_write(log_dev, SFS_JOURNAL_DEV_LOG, block);
	if (err)
		return err;
	memset(block, 0, sizeof(block));
	sfs_block_init(block, fs->f_fsid, SFS_MAGIC_JOURNAL_DEV, 0, 0);
	memcpy(jd->j_ident, SFS_JOURNAL_IDENT, sizeof(jd->j_ident));
	memcpy(jd->j_uuid, fs->f_journal_uuid, sizeof(jd->j_uuid));
	memcpy(jd->j_fs_uuid, fs->f_uuid, sizeof(jd->j_fs_uuid));
	jd->j_blocks = cpu_to_le64(nblks);
	sfs_block_seal(block);
	err = sfs_dev_write(log_dev, 0, block);
	return err ? err : sfs_dev_sync(log_dev);
}

static int sfs_write_volume(const struct sfs_mkfs *m, struct sfs_fs *fs, struct sfs_dev *dev,
			    struct sfs_dev *log_dev)
{
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8))) = { 0 };
	struct sfs_trans *t = sfs_dev_trans(dev);
	int err;

	err = sfs_buf_format(fs, sfs_map_blk(0, SFS_MAP_USED), SFS_STRIP_BLOCKS, sfs_map_fill);
	if (!err)
		err = sfs_make_root(fs, t);
	if (!err)
		err = sfs_write_log(fs, dev, log_dev);
	if (!err && m->source)
		err = sfs_populate(fs, dev, m->source);
	if (!err)
		err = sfs_dev_flush(dev);
	if (err)
		return err;
	fs->f_state = SFS_STATE_CLEAN;
	sfs_super_encode(fs, super);
	sfs_block_seal(super);
	err = sfs_dev_write(dev, 0, super);
	return err ? err : sfs_dev_sync(dev);
}

static struct sfs_dev *sfs_open_target(const struct sfs_mkfs *m, const char *path)
{
	struct sfs_dev *dev;
	int err;

	err = sfs_dev_open(path, !m->dry_run, &dev);
	if (err == -EBUSY)
		sfs_die(SFS_EXIT_FAILED, "%s: in use (mounted?)", path);
	if (err)
		sfs_die(SFS_EXIT_FAILED, "%s: %s", path, strerror(-err));
	if (flock(sfs_dev_fd(dev), LOCK_EX | LOCK_NB))
		sfs_die(SFS_EXIT_FAILED, "%s: locked by another program", path);
	sfs_refuse_foreign(m, dev, path);
	return dev;
}

int main(int argc, char **argv)
{
	struct sfs_mkfs m = { 0 };
	struct sfs_dev *log_dev = NULL;
	struct sfs_fs fs = { 0 };
	struct sfs_dev *dev;
	const char *why;
	int err;

	sfs_parse_args(&m, argc, argv);
	sfs_prepare_image(&m);
	dev = sfs_open_target(&m, m.path);
	if (m.journal_path) {
		log_dev = sfs_open_target(&m, m.journal_path);
		if (sfs_dev_nblks(log_dev) < SFS_JOURNAL_MIN + SFS_JOURNAL_DEV_LOG)
			sfs_die(SFS_EXIT_FAILED, "%s: a journal needs %u blocks", m.journal_path,
				SFS_JOURNAL_MIN + SFS_JOURNAL_DEV_LOG);
	}
	sfs_plan(&m, dev, log_dev);
	fs.f_priv = dev;
	why = sfs_super_make(&fs, &m.geo);
	if (why)
		sfs_die(SFS_EXIT_FAILED, "%s: %s", m.path, why);
	if (m.label)
		memcpy(fs.f_label, m.label, strlen(m.label));
	if (m.dry_run) {
		sfs_show(&m, &fs);
		return SFS_EXIT_OK;
	}
	sfs_discard(&m, dev);
	sfs_wipe(dev, m.path);
	if (log_dev)
		sfs_wipe(log_dev, m.journal_path);
	err = sfs_fs_init(&fs);
	if (!err)
		err = sfs_write_volume(&m, &fs, dev, log_dev);
	if (err)
		sfs_die(SFS_EXIT_FAILED, "%s: %s; nothing usable is on it now", m.path,
			strerror(-err));
	if (!m.quiet)
		sfs_show(&m, &fs);
	sfs_fs_exit(&fs);
	sfs_dev_close(log_dev);
	sfs_dev_close(dev);
	return SFS_EXIT_OK;
}
