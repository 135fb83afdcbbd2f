// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkfs.c - mkfs.simplefs: plan, check, write.
 *
 * The plan is a struct sfs_geometry; nothing is written before it is complete and the target has
 * been found free to take.  Then old signatures go, the metadata and the journal are written and
 * synced, and the superblock comes last: a run that is cut short leaves no volume.
 */
#include <locale.h>
#include <sys/stat.h>
#include <uuid/uuid.h>

#include "../lib/progress.h"
#include "populate.h"
#include "target.h"
#include "usage.h"

struct sfs_mkfs {
	const char *path;
	const char *label;
	const char *uuid;
	const char *journal_path;
	const char *journal_uuid;
	const char *source;		/* -d: what to fill it with */
	const char *quota_text;		/* -Q: whose usage is counted */
	int quotas;			/* the same as bits */
	u64 nblks;			/* asked for; 0: all there is */
	u64 journal_nbytes;		/* asked for; 0: by size */
	u64 block_size;
	u64 stripe_unit;		/* bytes asked for; 0: as the device says */
	u64 stripe_width;
	bool no_stripe;
	bool no_journal;
	bool force;
	bool quiet;
	bool dry_run;
	bool keep;			/* no discard */
	bool reproducible;		/* SOURCE_DATE_EPOCH is set */
	s64 epoch;			/* to this, in seconds */
	struct sfs_geometry geo;
	struct sfs_target target;
	struct sfs_target log;		/* of an external journal */
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
	{ .o_long = "uuid", .o_arg = "UUID", .o_help = "its own UUID",
	  .o_kind = SFS_OPT_TEXT, .o_field = SFS_FIELD(journal_uuid) },
	{ .o_long = NULL }
};

#define SFS_STRIPE_MAX		((u64)SFS_GROUP_BLOCKS * SFS_BLOCK_SIZE)

static const struct sfs_opt sfs_stripe_opts[] = {
	{ .o_long = "unit", .o_arg = "SIZE", .o_help = "what lies on one disk before the next",
	  .o_kind = SFS_OPT_SIZE, .o_field = SFS_FIELD(stripe_unit), .o_unit = 1,
	  .o_min = SFS_BLOCK_SIZE, .o_max = SFS_STRIPE_MAX },
	{ .o_long = "width", .o_arg = "SIZE", .o_help = "the same on all disks with data",
	  .o_kind = SFS_OPT_SIZE, .o_field = SFS_FIELD(stripe_width), .o_unit = 1,
	  .o_min = SFS_BLOCK_SIZE, .o_max = SFS_STRIPE_MAX },
	{ .o_long = "none", .o_help = "whatever the device says", .o_field = SFS_FIELD(no_stripe) },
	{ .o_long = NULL }
};

static const struct sfs_opt sfs_mkfs_opts[] = {
	{ .o_short = 'L', .o_long = "label", .o_arg = "TEXT", .o_help = "name of the volume",
	  .o_kind = SFS_OPT_TEXT, .o_field = SFS_FIELD(label), .o_max = SFS_LABEL_MAX },
	{ .o_short = 'U', .o_long = "uuid", .o_arg = "UUID", .o_help = "its UUID, or random, time or clear",
	  .o_kind = SFS_OPT_TEXT, .o_field = SFS_FIELD(uuid) },
	{ .o_short = 'J', .o_long = "journal", .o_arg = "LIST", .o_help = "the journal:",
	  .o_kind = SFS_OPT_LIST, .o_sub = sfs_journal_opts },
	{ .o_short = 's', .o_long = "stripe", .o_arg = "LIST",
	  .o_help = "how the device spreads data over disks:",
	  .o_kind = SFS_OPT_LIST, .o_sub = sfs_stripe_opts },
	{ .o_short = 'd', .o_long = "fill", .o_arg = "FROM",
	  .o_help = "copy a directory, tar archive or old volume",
	  .o_kind = SFS_OPT_TEXT, .o_field = SFS_FIELD(source) },
	{ .o_short = 'Q', .o_long = "quota", .o_arg = "usr,grp,prj",
	  .o_help = "count what users, groups, projects hold",
	  .o_kind = SFS_OPT_TEXT, .o_field = SFS_FIELD(quota_text) },
	{ .o_short = 'b', .o_long = "block-size", .o_arg = "BYTES", .o_help = "size of a block",
	  .o_kind = SFS_OPT_NUMBER, .o_field = SFS_FIELD(block_size),
	  .o_min = SFS_BLOCK_SIZE, .o_max = SFS_BLOCK_SIZE },
	{ .o_short = 'f', .o_long = "force", .o_help = "overwrite what is there",
	  .o_field = SFS_FIELD(force) },
	{ .o_short = 'K', .o_long = "keep", .o_help = "do not discard the device first",
	  .o_field = SFS_FIELD(keep) },
	{ .o_short = 'n', .o_long = "dry-run", .o_help = "show the plan, write nothing",
	  .o_field = SFS_FIELD(dry_run) },
	{ .o_short = 'q', .o_long = "quiet", .o_help = "say nothing but errors and warnings",
	  .o_field = SFS_FIELD(quiet) },
	{ .o_long = NULL }
};

static const struct sfs_cli sfs_mkfs_cli = {
	.c_program = "mkfs.simplefs",
	.c_usage = "[options] DEVICE|IMAGE [SIZE]",
	.c_about = "Makes a simplefs volume on a device or in an image file.",
	.c_notes = "SIZE is in blocks of 4096 bytes or has a suffix (K, M, G, T, P).\n"
		   "An IMAGE that does not exist is made when SIZE is given; it goes again if\n"
		   "making the volume fails.  With SOURCE_DATE_EPOCH in the environment the same\n"
		   "options, size and source give the same bytes: times are that one, and what\n"
		   "is otherwise drawn by lot follows from size, label, journal and -U.",
	.c_opts = sfs_mkfs_opts,
	.c_operands_min = 1,
	.c_operands_max = 2,
	.c_exit_usage = SFS_MKFS_USAGE,
	.c_exits = {
		{ SFS_MKFS_OK, "the volume is made" },
		{ SFS_MKFS_FAILED, "the device, or what is on it, said no" },
		{ SFS_MKFS_USAGE, "the command line is wrong" },
	},
};

static void sfs_take_uuid(const char *option, const char *text, u8 *uuid)
{
	if (sfs_parse_uuid(text, uuid))
		sfs_die(SFS_MKFS_USAGE, "%s: not a UUID: '%s'", option, text);
}

static void sfs_parse_epoch(struct sfs_mkfs *m)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	char *end;

	if (!text)
		return;
	errno = 0;
	m->epoch = strtoll(text, &end, 10);
	if (errno || end == text || *end || m->epoch < 0 || m->epoch > INT64_MAX / 1000000000)
		sfs_die(SFS_MKFS_USAGE, "SOURCE_DATE_EPOCH: not seconds since 1970: '%s'", text);
	m->reproducible = true;
}

static void sfs_parse_args(struct sfs_mkfs *m, int argc, char **argv)
{
	int first = sfs_cli_parse(&sfs_mkfs_cli, argc, argv, m, NULL);
	const char *why = m->label ? sfs_label_verify(m->label, strlen(m->label)) : NULL;

	m->path = argv[first];
	if (why)
		sfs_die(SFS_MKFS_USAGE, "-L: %s", why);
	if (m->uuid)
		sfs_take_uuid("-U", m->uuid, m->geo.g_uuid);
	if (m->journal_uuid && m->no_journal)
		sfs_die(SFS_MKFS_USAGE, "-J uuid= names a journal, -J none wants none");
	if (m->journal_uuid)
		sfs_take_uuid("-J uuid=", m->journal_uuid, m->geo.g_journal_uuid);
	if (!m->stripe_unit != !m->stripe_width || (m->no_stripe && m->stripe_unit))
		sfs_die(SFS_MKFS_USAGE, "-s: give unit= and width=, or none");
	m->quotas = m->quota_text ? sfs_usage_parse(m->quota_text) : 0;
	if (m->quotas < 0)
		sfs_die(SFS_MKFS_USAGE, "-Q: not some of usr,grp,prj: '%s'", m->quota_text);
	sfs_parse_epoch(m);
	m->nblks = argc - first == 2 ? sfs_take_size(argv[first + 1], SFS_MKFS_USAGE) : 0;
}

/* ---- the plan ---- */

/* A sixty-fourth of the volume, between 4 MiB and 128 MiB, like others do. */
static u32 sfs_default_journal(u64 nblks)
{
	u64 want = nblks / 64;

	return want < SFS_JOURNAL_MIN ? SFS_JOURNAL_MIN : want > 32768 ? 32768 : want;
}

/*
 * A number drawn by lot, the @n-th; a reproducible one follows from all that distinguishes this
 * volume and that the user chose.
 */
static u64 sfs_lot(const struct sfs_mkfs *m, unsigned int n)
{
	u64 key[2] = { 0x73696d706c656673ULL, n };
	struct {
		u64 numbers[4];
		u8 uuid[16];
		u8 label[SFS_LABEL_MAX];
	} chosen = {
		.numbers = { cpu_to_le64(m->epoch), cpu_to_le64(m->geo.g_blocks),
			     cpu_to_le64(m->geo.g_journal_blocks), m->journal_path != NULL },
	};

	if (!m->reproducible)
		return (u64)sfs_random32() << 32 | sfs_random32();
	if (m->uuid)
		memcpy(chosen.uuid, m->geo.g_uuid, sizeof(chosen.uuid));
	if (m->label)
		memcpy(chosen.label, m->label, strlen(m->label));
	return sfs_siphash(key, &chosen, sizeof(chosen));
}

/* A UUID of two lots, marked as one of custom make (version 8) or, if truly by lot, random (4). */
static void sfs_lot_uuid(const struct sfs_mkfs *m, unsigned int n, u8 *uuid)
{
	__le64 lots[2] = { cpu_to_le64(sfs_lot(m, n)), cpu_to_le64(sfs_lot(m, n + 1)) };

	memcpy(uuid, lots, sizeof(lots));
	uuid[6] = (uuid[6] & 0x0f) | (m->reproducible ? 0x80 : 0x40);
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

/* A reproducible volume does not depend on the device it is made on. */
static void sfs_plan_stripe(struct sfs_mkfs *m)
{
	u64 unit = m->stripe_unit;
	u64 width = m->stripe_width;

	if (unit % SFS_BLOCK_SIZE || width % SFS_BLOCK_SIZE)
		sfs_die(SFS_MKFS_USAGE, "-s: sizes are multiples of %u bytes", SFS_BLOCK_SIZE);
	if (!unit && !m->no_stripe && !m->reproducible && m->target.dev)
		sfs_target_stripe(&m->target, &unit, &width);
	m->geo.g_stripe_unit = unit >> SFS_BLOCK_BITS;
	m->geo.g_stripe_width = width >> SFS_BLOCK_BITS;
}

static void sfs_plan(struct sfs_mkfs *m)
{
	u64 have = m->target.dev ? sfs_dev_nblks(m->target.dev) : 0;
	struct sfs_geometry *geo = &m->geo;
	struct stat st;

	geo->g_blocks = m->nblks ? m->nblks : have;
	if (geo->g_blocks > have && m->target.dev &&
	    (fstat(sfs_dev_fd(m->target.dev), &st) || !S_ISREG(st.st_mode)))
		sfs_die(SFS_MKFS_FAILED, "%s: has %llu blocks, not %llu", m->path,
			(unsigned long long)have, (unsigned long long)geo->g_blocks);
	sfs_plan_stripe(m);
	geo->g_journal_dev = m->journal_path != NULL;
	if (!m->journal_path && !m->no_journal)
		geo->g_journal_blocks = m->journal_nbytes ? m->journal_nbytes >> SFS_BLOCK_BITS :
							    sfs_default_journal(geo->g_blocks);
	if (!m->uuid)
		sfs_lot_uuid(m, 0, geo->g_uuid);
	if (!m->journal_uuid)
		sfs_lot_uuid(m, 2, geo->g_journal_uuid);
	geo->g_hash_key[0] = sfs_lot(m, 4);
	geo->g_hash_key[1] = sfs_lot(m, 5);
	if (m->reproducible)
		sfs_clock_fix(m->epoch * 1000000000, sfs_lot(m, 6));
	geo->g_time = sfs_time_now();
}

static void sfs_show(const struct sfs_mkfs *m, const struct sfs_fs *fs)
{
	char uuid[UUID_STR_LEN];

	uuid_unparse_lower(fs->f_uuid, uuid);
	printf("%s%s: simplefs, %llu blocks of 4096 bytes, UUID %s%s",
	       m->dry_run ? "(dry run) " : "", m->path, (unsigned long long)fs->f_blocks, uuid,
	       m->label ? ", label " : "");
	sfs_put_plain(stdout, m->label ? m->label : "");
	putchar('\n');
	if (fs->f_stripe_unit)
		printf("  stripes of %u blocks, %u on a disk\n", fs->f_stripe_width,
		       fs->f_stripe_unit);
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

/* Blocks of an external journal's device: what follows 4 GiB is not used. */
static u64 sfs_log_dev_nblks(const struct sfs_mkfs *m)
{
	return min_t(u64, sfs_dev_nblks(m->log.dev), 1u << 20);
}

/*
 * An empty log.  Zeros behind it: a log that was there before may have had the same UUID, and its
 * transactions would fit.
 */
static int sfs_write_log(const struct sfs_fs *fs, const struct sfs_mkfs *m)
{
	u8 block[SFS_BLOCK_SIZE] __attribute__((aligned(8))) = { 0 };
	const struct sfs_target *t = m->log.dev ? &m->log : &m->target;
	u64 start = m->log.dev ? SFS_JOURNAL_DEV_LOG : fs->f_journal_start;
	u64 nblks = m->log.dev ? sfs_log_dev_nblks(m) - start : fs->f_journal_blocks;

	if (!nblks)
		return 0;
	sfs_target_zero(t, start, nblks);
	sfs_log_make(block, start, nblks, fs->f_journal_uuid);
	return sfs_dev_write(t->dev, start, block);
}

/* When all else is there: with this the device is the volume's. */
static int sfs_write_log_head(const struct sfs_fs *fs, const struct sfs_mkfs *m)
{
	u8 block[SFS_BLOCK_SIZE] __attribute__((aligned(8))) = { 0 };
	struct sfs_journal_dev_disk *jd = (struct sfs_journal_dev_disk *)block;
	int err;

	if (!m->log.dev)
		return 0;
	sfs_block_init(block, fs->f_fsid, SFS_MAGIC_JOURNAL_DEV, 0, 0);
	memcpy(jd->j_ident, SFS_JOURNAL_IDENT, sizeof(jd->j_ident));
	memcpy(jd->j_uuid, fs->f_journal_uuid, sizeof(jd->j_uuid));
	memcpy(jd->j_fs_uuid, fs->f_uuid, sizeof(jd->j_fs_uuid));
	jd->j_blocks = cpu_to_le64(sfs_log_dev_nblks(m));
	sfs_block_seal(block);
	err = sfs_dev_write(m->log.dev, 0, block);
	return err ? err : sfs_dev_sync(m->log.dev);
}

/* Usage of all that is there by now; block 0 in memory names the tables, and so do its copies. */
static int sfs_make_quotas(const struct sfs_mkfs *m, struct sfs_fs *fs, void *super)
{
	int err;

	if (!m->quotas)
		return 0;
	err = sfs_usage_turn(fs, m->quotas);
	sfs_super_encode(fs, super);
	sfs_block_seal(super);
	return err ? err : sfs_dev_put(m->target.dev, 0, super);
}

static int sfs_write_volume(const struct sfs_mkfs *m, struct sfs_fs *fs)
{
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8))) = { 0 };
	struct sfs_dev *dev = m->target.dev;
	int err;

	/* In memory alone, for whoever begins another zone: on the device block 0 is the last. */
	sfs_super_encode(fs, super);
	sfs_block_seal(super);
	fs->f_unmade = true;
	err = sfs_dev_put(dev, 0, super);
	if (!err)
		err = sfs_zone_format(fs, 0, super);
	if (!err)
		err = sfs_make_root(fs, sfs_dev_trans(dev));
	if (!err)
		err = sfs_write_log(fs, m);
	if (!err && m->source && sfs_populate(fs, dev, m->source))
		exit(SFS_MKFS_FAILED);		/* it has said why */
	if (!err)
		err = sfs_make_quotas(m, fs, super);
	if (!err)
		err = sfs_dev_flush(dev);
	if (!err)
		err = sfs_write_log_head(fs, m);
	/* From here on it is a volume, for who looks for copies. */
	fs->f_unmade = false;
	if (!err)
		err = sfs_copies_write(fs);
	if (err)
		return err;
	fs->f_state = SFS_STATE_CLEAN;
	return sfs_volume_write_super(fs, super);
}

static void sfs_open_targets(struct sfs_mkfs *m)
{
	sfs_target_open(&m->target, m->path, !m->dry_run, m->force, m->nblks != 0);
	if (m->source && sfs_target_is_same(&m->target, &(struct sfs_target){ .path = m->source }))
		sfs_die(SFS_MKFS_FAILED, "%s: cannot be made from itself", m->path);
	if (!m->journal_path)
		return;
	if (sfs_target_is_same(&m->target, &(struct sfs_target){ .path = m->journal_path }))
		sfs_die(SFS_MKFS_FAILED, "%s: cannot be volume and journal device at once",
			m->path);
	sfs_target_open(&m->log, m->journal_path, !m->dry_run, m->force, false);
	if (sfs_dev_nblks(m->log.dev) < SFS_JOURNAL_MIN + SFS_JOURNAL_DEV_LOG)
		sfs_die(SFS_MKFS_FAILED, "%s: a journal needs %u blocks", m->journal_path,
			SFS_JOURNAL_MIN + SFS_JOURNAL_DEV_LOG);
}

/* Everything up to here has only read: now what was there goes. */
static void sfs_take_targets(struct sfs_mkfs *m, struct sfs_fs *fs)
{
	sfs_target_make(&m->target, m->geo.g_blocks);
	sfs_target_wipe(&m->target);
	if (!m->keep)
		sfs_target_discard(&m->target, m->geo.g_blocks);
	sfs_target_clear(&m->target, m->geo.g_blocks);
	if (m->reproducible)
		sfs_target_zero_copies(&m->target, m->geo.g_blocks);
	if (m->log.dev) {
		sfs_target_wipe(&m->log);
		sfs_target_clear(&m->log, sfs_dev_nblks(m->log.dev));
	}
	fs->f_priv = m->target.dev;
	sfs_dev_bound(m->target.dev, 0, true);
}

int main(int argc, char **argv)
{
	struct sfs_mkfs m = { 0 };
	struct sfs_fs fs = { 0 };
	const char *why;
	int err;

	/* Names in archives that say what they are encoded in come out as UTF-8. */
	setlocale(LC_CTYPE, "C.UTF-8");
	sfs_parse_args(&m, argc, argv);
	sfs_open_targets(&m);
	sfs_plan(&m);
	why = sfs_super_make(&fs, &m.geo);
	if (why)
		sfs_die(SFS_MKFS_FAILED, "%s: %s%s", m.path, why,
			m.geo.g_journal_blocks && m.geo.g_blocks >= SFS_VOLUME_MIN &&
			m.geo.g_blocks < 2 * SFS_JOURNAL_MIN ? "; -J none makes it without one" : "");
	if (m.label)
		memcpy(fs.f_label, m.label, strlen(m.label));
	if (m.dry_run) {
		sfs_show(&m, &fs);
		sfs_told(SFS_MKFS_FAILED);
		return SFS_MKFS_OK;
	}
	if (m.quiet)
		sfs_progress_off();
	sfs_take_targets(&m, &fs);
	err = sfs_fs_init(&fs);
	if (!err)
		err = sfs_write_volume(&m, &fs);
	if (err)
		sfs_die(SFS_MKFS_FAILED, "%s: %s; no volume is on it now", m.path, strerror(-err));
	sfs_target_keep();
	if (!m.quiet)
		sfs_show(&m, &fs);
	if (fflush(stdout) || ferror(stdout))
		sfs_warn("%s: the volume is made, and that cannot be told", m.path);
	sfs_fs_exit(&fs);
	sfs_target_close(&m.log);
	sfs_target_close(&m.target);
	return SFS_MKFS_OK;
}
