// SPDX-License-Identifier: GPL-2.0-only
/*
 * tune.c - tune.simplefs: changes what a volume is called and how it takes damage.
 *
 * All of it stands in the superblock, one block, which is written once, or not at all.  Its copies
 * follow; until the last of them is written some say what was before, which matters to nobody
 * while the superblock is there.  A volume that is mounted is asked to change its label itself.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/fs.h>
#include <uuid/uuid.h>

#include "lib.h"
#include "log.h"
#include "quotas.h"
#include "usage.h"

enum {
	SFS_TUNE_OK = 0,
	SFS_TUNE_FAILED = 1,
	SFS_TUNE_USAGE = 2,
	SFS_TUNE_HALF = 3,
};

struct sfs_tune {
	const char *path;
	const char *label;
	const char *uuid_text;
	const char *journal;
	const char *quota_text;
	int quotas;			/* types to be counted; -1: as it is */
	int errors;			/* as in sfs_errors_words; -1: as it is */
	u8 uuid[16];
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
};

#define SFS_FIELD(name)		offsetof(struct sfs_tune, name)

static const char *const sfs_errors_words[] = { "continue", "remount-ro", "panic", NULL };
static const u32 sfs_errors_values[] = { SFS_ERRORS_CONTINUE, SFS_ERRORS_RO, SFS_ERRORS_PANIC };

static const struct sfs_opt sfs_tune_opts[] = {
	{ .o_short = 'L', .o_long = "label", .o_arg = "TEXT", .o_help = "name of the volume",
	  .o_kind = SFS_OPT_TEXT, .o_field = SFS_FIELD(label), .o_max = SFS_LABEL_MAX },
	{ .o_short = 'U', .o_long = "uuid", .o_arg = "UUID",
	  .o_help = "its UUID, or random, time or clear",
	  .o_kind = SFS_OPT_TEXT, .o_field = SFS_FIELD(uuid_text) },
	{ .o_short = 'j', .o_long = "journal", .o_arg = "DEVICE",
	  .o_help = "the device of an external journal, for -U",
	  .o_kind = SFS_OPT_TEXT, .o_field = SFS_FIELD(journal) },
	{ .o_short = 'e', .o_long = "errors", .o_arg = "continue|remount-ro|panic",
	  .o_help = "what a mount does on damage",
	  .o_kind = SFS_OPT_CHOICE, .o_field = SFS_FIELD(errors), .o_words = sfs_errors_words },
	{ .o_short = 'Q', .o_long = "quota", .o_arg = "usr,grp,prj|none",
	  .o_help = "whose usage is counted",
	  .o_kind = SFS_OPT_TEXT, .o_field = SFS_FIELD(quota_text) },
	{ .o_long = NULL }
};

static const struct sfs_cli sfs_tune_cli = {
	.c_program = "tune.simplefs",
	.c_usage = "[options] DEVICE|IMAGE",
	.c_about = "Changes label, UUID, quotas or the answer to damage of a simplefs volume.",
	.c_notes = "At least one of -L, -U, -e and -Q is needed.  -L alone also changes a mounted volume.\n"
		   "dump.simplefs shows what is set.",
	.c_opts = sfs_tune_opts,
	.c_operands_min = 1,
	.c_operands_max = 1,
	.c_exit_usage = SFS_TUNE_USAGE,
	.c_exits = {
		{ SFS_TUNE_OK, "the volume is as asked" },
		{ SFS_TUNE_FAILED, "nothing was changed" },
		{ SFS_TUNE_USAGE, "the command line is wrong" },
		{ SFS_TUNE_HALF, "it may be changed or half changed: the same again finishes it" },
	},
};

static void sfs_parse_args(struct sfs_tune *t, int argc, char **argv)
{
	const char *why;

	t->errors = -1;
	t->path = argv[sfs_cli_parse(&sfs_tune_cli, argc, argv, t, NULL)];
	if (!t->label && !t->uuid_text && t->errors < 0 && !t->quota_text)
		sfs_die(SFS_TUNE_USAGE, "nothing to change: give -L, -U, -e or -Q");
	t->quotas = -1;
	if (t->quota_text)
		t->quotas = strcmp(t->quota_text, "none") ? sfs_usage_parse(t->quota_text) : 0;
	if (t->quota_text && t->quotas < 0)
		sfs_die(SFS_TUNE_USAGE, "-Q: neither none nor some of usr,grp,prj: '%s'",
			t->quota_text);
	if (t->quota_text && (t->label || t->uuid_text || t->errors >= 0))
		sfs_die(SFS_TUNE_USAGE, "-Q goes alone");
	why = t->label ? sfs_label_verify(t->label, strlen(t->label)) : NULL;
	if (why)
		sfs_die(SFS_TUNE_USAGE, "-L: %s", why);
	if (t->uuid_text && sfs_parse_uuid(t->uuid_text, t->uuid))
		sfs_die(SFS_TUNE_USAGE, "-U: not a UUID: '%s'", t->uuid_text);
}

/* ---- the journal on another device knows the UUID, too ---- */

/*
 * Ends the program unless the device at @path is the journal of @fs, by its UUID or by the one it
 * shall have, as an interruption leaves it, and empty.  Its block 0 goes to @jd.
 */
static struct sfs_dev *sfs_open_journal(const struct sfs_tune *t, struct sfs_fs *fs,
					struct sfs_journal_dev_disk *jd)
{
	struct sfs_fs as = *fs;
	struct sfs_dev *dev;
	struct sfs_log log;
	const char *why;
	int err;

	err = sfs_dev_open(t->journal, true, &dev);
	if (!err)
		err = sfs_lock(sfs_dev_fd(dev), t->journal);
	if (!err)
		err = sfs_dev_read(dev, 0, jd);
	if (err)
		sfs_die(SFS_TUNE_FAILED, "%s: %s", t->journal, strerror(-err));
	if (!memcmp(jd->j_fs_uuid, t->uuid, sizeof(t->uuid)))
		memcpy(as.f_uuid, t->uuid, sizeof(t->uuid));
	why = sfs_log_dev_verify(&as, jd, sfs_dev_nblks(dev));
	if (!why && sfs_log_open(&as, dev, &log))
		why = "its log is damaged";
	if (!why && log.l_start)
		why = "it is not empty: fsck.simplefs -j or a mount mends that";
	if (why)
		sfs_die(SFS_TUNE_FAILED, "%s: no empty journal of %s: %s", t->journal, t->path, why);
	return dev;
}

/* Before the volume has it: interrupted, this can be repeated. */
static void sfs_change_journal(const struct sfs_tune *t, struct sfs_fs *fs)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_journal_dev_disk *jd = (struct sfs_journal_dev_disk *)data;
	struct sfs_dev *dev;
	char text[UUID_STR_LEN];
	int err;

	if (!t->uuid_text || !(fs->f_incompat & SFS_INCOMPAT_JOURNAL_DEV))
		return;
	if (!t->journal)
		sfs_die(SFS_TUNE_FAILED, "%s: its journal is on another device, which knows the UUID:"
			" name it with -j", t->path);
	dev = sfs_open_journal(t, fs, jd);
	memcpy(jd->j_fs_uuid, t->uuid, sizeof(jd->j_fs_uuid));
	sfs_block_seal(data);
	err = sfs_dev_write(dev, 0, data);
	if (!err)
		err = sfs_dev_sync(dev);
	uuid_unparse(t->uuid, text);
	if (err)
		sfs_die(SFS_TUNE_HALF, "%s: cannot be written: %s; try again with -U %s",
			t->journal, strerror(-err), text);
	sfs_dev_close(dev);
}

/* In place: what is not asked for stays to the bit, but for time, sequence and checksum. */
static void sfs_change(struct sfs_tune *t)
{
	struct sfs_super_disk *sup = (struct sfs_super_disk *)t->super;

	if (t->label) {
		memset(sup->s_label, 0, sizeof(sup->s_label));
		memcpy(sup->s_label, t->label, strlen(t->label));
	}
	if (t->uuid_text)
		memcpy(sup->s_uuid, t->uuid, sizeof(sup->s_uuid));
	if (t->errors >= 0)
		sup->s_errors = cpu_to_le32(sfs_errors_values[t->errors]);
	sup->s_write_time = cpu_to_le64(sfs_time_now());
	sup->s_head.h_seq = sup->s_sequence;
	if (le64_to_cpu(sup->s_sequence) < SFS_SEQUENCE_MAX)
		sup->s_sequence = cpu_to_le64(le64_to_cpu(sup->s_sequence) + 1);
	sfs_block_seal(t->super);
}

/* False: nothing is mounted there, or more is to be changed than the label. */
static bool sfs_label_mounted(const struct sfs_tune *t)
{
	char label[FSLABEL_MAX] = { 0 };
	int fd;

	if (!t->label || t->uuid_text || t->errors >= 0)
		return false;
	fd = sfs_mounted_open(t->path);
	if (fd < 0)
		return false;
	snprintf(label, sizeof(label), "%s", t->label);
	if (ioctl(fd, FS_IOC_SETFSLABEL, label))
		sfs_die(SFS_TUNE_FAILED, "%s: mounted, and its label cannot be changed: %s",
			t->path, strerror(errno));
	close(fd);
	return true;
}

int main(int argc, char **argv)
{
	static struct sfs_tune t;
	struct sfs_fs fs = { 0 };
	struct sfs_dev *dev;
	int err;

	sfs_parse_args(&t, argc, argv);
	if (sfs_label_mounted(&t))
		return SFS_TUNE_OK;
	sfs_volume_open(t.path, SFS_TUNE_FAILED, t.super, &fs);
	sfs_change_journal(&t, &fs);
	dev = fs.f_priv;
	if (t.quotas >= 0) {
		err = sfs_tune_quotas(t.path, &fs, t.super, t.quotas);
	} else {
		sfs_change(&t);
		err = sfs_dev_write(dev, 0, t.super);
	}
	if (!err)
		err = sfs_dev_sync(dev);
	if (err)
		sfs_die(SFS_TUNE_HALF, "%s: cannot be written: %s; dump.simplefs shows what it says"
			" now", t.path, strerror(-err));
	err = sfs_copies_write(&fs);
	if (err)
		sfs_warn("%s: changed, but not in all copies of its superblock: %s; fsck.simplefs -fy"
			 " does that", t.path, strerror(-err));
	sfs_dev_close(dev);
	return SFS_TUNE_OK;
}
