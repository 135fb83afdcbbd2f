// SPDX-License-Identifier: GPL-2.0-only
/*
 * tune.c - tune.simplefs: changes what a volume is called and how it takes damage.
 *
 * All of it stands in the superblock, one block, which is written once, or not at all.  A volume
 * that was not unmounted cleanly has a journal, which may hold an older superblock that would come
 * back: it is refused.
 */
#include <sys/file.h>

#include "lib.h"

enum {
	SFS_TUNE_OK = 0,
	SFS_TUNE_FAILED = 1,
	SFS_TUNE_USAGE = 2,
};

struct sfs_tune {
	const char *path;
	const char *label;
	const char *uuid_text;
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
	{ .o_long = NULL }
};

static const struct sfs_cli sfs_tune_cli = {
	.c_program = "tune.simplefs",
	.c_usage = "[options] DEVICE|IMAGE",
	.c_about = "Changes label, UUID or the answer to damage of an unmounted simplefs volume.",
	.c_notes = "At least one option is needed.  dump.simplefs shows what is set.",
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
	t->errors = -1;
	t->path = argv[sfs_cli_parse(&sfs_tune_cli, argc, argv, t, NULL)];
	if (!t->label && !t->uuid_text && t->errors < 0)
		sfs_die(SFS_TUNE_USAGE, "nothing to change: give -L, -U or -e");
	if (t->label && !sfs_text_is_utf8(t->label))
		sfs_die(SFS_TUNE_USAGE, "-L: a label is UTF-8, this is not");
	if (t->uuid_text && sfs_parse_uuid(t->uuid_text, t->uuid))
		sfs_die(SFS_TUNE_USAGE, "-U: not a UUID: '%s'", t->uuid_text);
}

static struct sfs_dev *sfs_open(const char *path)
{
	struct sfs_dev *dev;
	int err;

	err = sfs_dev_open(path, true, &dev);
	if (err == -EBUSY)
		sfs_die(SFS_TUNE_FAILED, "%s: in use, and only an unmounted volume can be changed", path);
	if (err)
		sfs_die(SFS_TUNE_FAILED, "%s: cannot be opened for writing: %s", path, strerror(-err));
	if (flock(sfs_dev_fd(dev), LOCK_EX | LOCK_NB))
		sfs_die(SFS_TUNE_FAILED, "%s: left alone, another program has locked it", path);
	return dev;
}

static void sfs_read(struct sfs_tune *t, struct sfs_dev *dev)
{
	struct sfs_fs fs = { 0 };
	const char *why;
	int err;

	err = sfs_dev_read(dev, 0, t->super);
	if (err)
		sfs_die(SFS_TUNE_FAILED, "%s: its superblock cannot be read: %s", t->path,
			strerror(-err));
	if (!sfs_super_probe(t->super))
		sfs_die(SFS_TUNE_FAILED, "%s: no simplefs is there", t->path);
	why = sfs_super_verify(t->super, sfs_dev_nblks(dev));
	if (why)
		sfs_die(SFS_TUNE_FAILED, "%s: its superblock is damaged: %s", t->path, why);
	sfs_super_decode(&fs, t->super);
	if (fs.f_ro_compat & ~(u64)SFS_RO_COMPAT_KNOWN)
		sfs_die(SFS_TUNE_FAILED, "%s: has features of a newer version", t->path);
	if (!(fs.f_state & SFS_STATE_CLEAN))
		sfs_die(SFS_TUNE_FAILED, "%s: not unmounted cleanly: fsck.simplefs or a mount"
			" mends that", t->path);
}

/* In place: what is not asked for stays to the bit, but for the time and the checksum. */
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
	sfs_block_seal(t->super);
}

int main(int argc, char **argv)
{
	static struct sfs_tune t;
	struct sfs_dev *dev;
	int err;

	sfs_parse_args(&t, argc, argv);
	dev = sfs_open(t.path);
	sfs_read(&t, dev);
	sfs_change(&t);
	err = sfs_dev_write(dev, 0, t.super);
	if (!err)
		err = sfs_dev_sync(dev);
	if (err)
		sfs_die(SFS_TUNE_FAILED, "%s: cannot be written: %s", t.path, strerror(-err));
	sfs_dev_close(dev);
	return SFS_TUNE_OK;
}
