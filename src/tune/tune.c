// SPDX-License-Identifier: GPL-2.0-only
/*
 * tune.c - tune.simplefs: changes what a volume is called and how it takes damage.
 *
 * All of it stands in the superblock, one block, which is written once, or not at all.  Its copies
 * follow; until the last of them is written some say what was before, which matters to nobody
 * while the superblock is there.  A volume that is mounted is asked to change its label itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <linux/fs.h>

#include "lib.h"
#include "quotas.h"
#include "usage.h"

enum {
	SFS_TUNE_OK = 0,
	SFS_TUNE_FAILED = 1,
	SFS_TUNE_USAGE = 2,
};

struct sfs_tune {
	const char *path;
	const char *label;
	const char *uuid_text;
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
	.c_notes = "At least one option is needed.  -L alone also changes a mounted volume.\n"
		   "dump.simplefs shows what is set.",
	.c_opts = sfs_tune_opts,
	.c_operands_min = 1,
	.c_operands_max = 1,
	.c_exit_usage = SFS_TUNE_USAGE,
	.c_exits = {
		{ SFS_TUNE_OK, "the volume is as asked" },
		{ SFS_TUNE_FAILED, "nothing was changed" },
		{ SFS_TUNE_USAGE, "the command line is wrong" },
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

/* The directory @dir, open, if it is on the device @dev; else -1. */
static int sfs_open_on(const char *dir, dev_t dev)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || (!fstat(fd, &st) && st.st_dev == dev))
		return fd;
	close(fd);
	return -1;
}

static bool sfs_is_readonly(int fd)
{
	struct statvfs st;

	return fstatvfs(fd, &st) || (st.f_flag & ST_RDONLY);
}

/*
 * The root of the volume on the device at @path, open, by a mount that is not read-only if there is
 * one; -1: it is not mounted, or no device.
 */
static int sfs_open_mounted(const char *path)
{
	int fd, found = -1;
	struct mntent *m;
	struct stat dev;
	FILE *mounts;

	if (stat(path, &dev) || !S_ISBLK(dev.st_mode))
		return -1;
	mounts = setmntent("/proc/self/mounts", "r");
	while (mounts && (m = getmntent(mounts))) {
		if (strcmp(m->mnt_type, "simplefs"))
			continue;
		fd = sfs_open_on(m->mnt_dir, dev.st_rdev);
		if (fd >= 0 && found >= 0 && sfs_is_readonly(fd)) {
			close(fd);
			continue;
		}
		if (fd >= 0 && found >= 0)
			close(found);
		if (fd >= 0)
			found = fd;
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

/* False: nothing is mounted there, or more is to be changed than the label. */
static bool sfs_label_mounted(const struct sfs_tune *t)
{
	char label[FSLABEL_MAX] = { 0 };
	int fd;

	if (!t->label || t->uuid_text || t->errors >= 0)
		return false;
	fd = sfs_open_mounted(t->path);
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
		sfs_die(SFS_TUNE_FAILED, "%s: cannot be written: %s", t.path, strerror(-err));
	err = sfs_copies_write(&fs);
	if (err)
		sfs_warn("%s: changed, but not in all copies of its superblock: %s; fsck.simplefs -fy"
			 " does that", t.path, strerror(-err));
	sfs_dev_close(dev);
	return SFS_TUNE_OK;
}
