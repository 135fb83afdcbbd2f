// SPDX-License-Identifier: GPL-2.0-only
/*
 * fsck.c - fsck.simplefs: replays the journal, finishes what a crash interrupted, checks.
 *
 * Everything happens in the cache first.  A journal is replayed there and the volume checked as it
 * would be; only then is anything written.  First the replay, and the journal is emptied; then the
 * superblock says "damaged", so that an interruption is followed by a check; then all of a repair,
 * the superblock that says "clean" included, as one transaction in the journal.  Without one, or
 * when it has no room for so much, the blocks are written in place and that superblock last: what
 * is interrupted then may be half a repair.  A journal that is not empty is replayed whatever the
 * superblock says.  A superblock taken from a copy (super.c) is written after the check, before any
 * repair: from there on the volume is a damaged one like others.
 */
#include <unistd.h>

#include "../lib/progress.h"
#include "fsck.h"
#include "undo.h"

#define SFS_FLAG(letter, name, text, field, group) {				\
	.o_short = letter, .o_long = name, .o_help = text,			\
	.o_field = offsetof(struct sfs_fsck, field), .o_group = group }

static const struct sfs_opt sfs_fsck_opts[] = {
	SFS_FLAG('a', "auto", "at boot: replay, check only what says it is damaged", automatic, 1),
	{ .o_short = 'p', .o_long = "preen", .o_help = "the same", .o_again = true,
	  .o_field = offsetof(struct sfs_fsck, automatic), .o_group = 1 },
	SFS_FLAG('n', "no", "change nothing: check as if the journal were replayed", never, 1),
	SFS_FLAG('y', "yes", "repair all that can be repaired", always, 1),
	SFS_FLAG('f', "force", "check a clean volume too", force, 0),
	{ .o_short = 'j', .o_long = "journal", .o_arg = "DEVICE", .o_kind = SFS_OPT_TEXT,
	  .o_help = "the device of an external journal",
	  .o_field = offsetof(struct sfs_fsck, journal) },
	SFS_FLAG(0, "journal-only", "replay the journal and stop", journal_only, 2),
	SFS_FLAG(0, "discard-journal", "give up what a journal has that cannot be replayed",
		 discard, 2),
	{ .o_short = 'z', .o_long = "undo-file", .o_arg = "FILE", .o_kind = SFS_OPT_TEXT,
	  .o_help = "keep there, in a new file, what is overwritten", .o_group = 3,
	  .o_field = offsetof(struct sfs_fsck, undo_file) },
	{ .o_long = "undo", .o_arg = "FILE", .o_kind = SFS_OPT_TEXT,
	  .o_help = "take a repair back, by such a file; -n: could it be?", .o_group = 3,
	  .o_field = offsetof(struct sfs_fsck, undo) },
	{ .o_short = 'C', .o_long = "progress", .o_arg = "FD", .o_kind = SFS_OPT_TEXT,
	  .o_help = "tell how far it is, there; 0: on the terminal",
	  .o_field = offsetof(struct sfs_fsck, progress) },
	/* What fsck(8) and others pass to every checker. */
	SFS_FLAG('T', "no-title", NULL, unused, 0),
	SFS_FLAG('M', "not-mounted", NULL, unused, 0),
	SFS_FLAG('l', "lock", NULL, unused, 0),
	SFS_FLAG('v', "verbose", NULL, unused, 0),
	{ .o_long = NULL }
};

static const struct sfs_cli sfs_fsck_cli = {
	.c_program = "fsck.simplefs",
	.c_usage = "[options] DEVICE|IMAGE",
	.c_about = "Checks and repairs a simplefs volume.",
	.c_notes = "The options -T, -M, -l and -v are accepted and mean nothing.",
	.c_opts = sfs_fsck_opts,
	.c_operands_min = 1,
	.c_operands_max = 1,
	.c_exit_usage = SFS_EXIT_USAGE,
	.c_exits = {
		{ SFS_EXIT_OK, "the volume is in order; --undo: it is as it was" },
		{ SFS_EXIT_REPAIRED, "it was damaged, and has been repaired" },
		{ SFS_EXIT_DAMAGED, "it is damaged, and was left so" },
		{ SFS_EXIT_FAILED, "it, or some of it, could not be read or written, or is in use" },
		{ SFS_EXIT_DAMAGED | SFS_EXIT_FAILED, "some of it could not be read, and what could is damaged" },
		{ SFS_EXIT_USAGE, "the command line is wrong" },
	},
};

static void sfs_report_damage(const char *text)
{
	sfs_progress_clear();
	printf("%s\n", text);
}

/* ---- opening ---- */

static struct sfs_dev *sfs_open_dev(const struct sfs_fsck *f, const char *path)
{
	struct sfs_dev *dev;
	int err;

	err = sfs_dev_open(path, !f->never, &dev);
	if (err == -EBUSY)
		sfs_die(SFS_EXIT_FAILED, "%s: in use: unmount it first", path);
	if (err)
		sfs_die(SFS_EXIT_FAILED, "%s: %s", path, sfs_dev_error(err));
	if (!f->never && sfs_lock(sfs_dev_fd(dev), path))
		sfs_die(SFS_EXIT_FAILED, "%s: another program has locked it", path);
	return dev;
}

/* Of a superblock just decoded: what this version does not know keeps it from writing. */
static void sfs_take_features(const struct sfs_fsck *f)
{
	if (!f->never)
		sfs_refuse_writing(f->path, SFS_EXIT_FAILED, &f->fs);
	if (sfs_unknown_ro_compat(&f->fs))
		sfs_warn("%s: what belongs to features that this version does not know, ro_compat"
			 " 0x%llx, may look like damage", f->path,
			 (unsigned long long)sfs_unknown_ro_compat(&f->fs));
}

static void sfs_open_log_dev(struct sfs_fsck *f)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	const char *why;
	int err;

	f->log_dev = sfs_open_dev(f, f->journal);
	if (!(f->fs.f_incompat & SFS_INCOMPAT_JOURNAL_DEV))
		return;
	err = sfs_dev_read(f->log_dev, 0, data);
	why = err ? strerror(-err) :
		    sfs_log_dev_verify(&f->fs, data, sfs_dev_nblks(f->log_dev));
	if (why)
		sfs_die(SFS_EXIT_FAILED, "%s: not the journal of %s: %s", f->journal, f->path, why);
}

static void sfs_open_volume(struct sfs_fsck *f)
{
	struct sfs_dev *dev = sfs_open_dev(f, f->path);

	f->lost = sfs_super_take(dev, f->path, f->force, f->super);
	if (f->lost && f->journal_only)
		sfs_die(SFS_EXIT_DAMAGED, "%s: without --journal-only, -y repairs it", f->path);
	sfs_super_decode(&f->fs, f->super);
	f->fs.f_priv = dev;
	sfs_take_features(f);
	if (f->never && sfs_dev_is_busy(f->path))
		sfs_warn("%s: in use: what is changed meanwhile may look like damage", f->path);
	if (f->journal)
		sfs_open_log_dev(f);
}

/* ---- writing ---- */

/* The superblock last.  In between it says "damaged": nobody believes what an interruption leaves. */
static int sfs_write_in_place(struct sfs_fsck *f)
{
	u32 state = f->fs.f_state;
	int err;

	f->fs.f_state = SFS_STATE_ERROR;
	err = sfs_volume_write_super(&f->fs, f->super);
	f->fs.f_state = state;
	if (!err)
		err = sfs_dev_flush(f->fs.f_priv);
	return err ? err : sfs_volume_write_super(&f->fs, f->super);
}

/*
 * Through the journal.  -E2BIG: it has no room for so much.  Until the change is made the volume is
 * the old one, of which is known by now that a check would find something.
 */
static int sfs_write_log(struct sfs_fsck *f)
{
	int err;

	err = sfs_volume_mark(f->fs.f_priv, f->repaired ? SFS_STATE_ERROR : 0, SFS_STATE_CLEAN);
	if (err)
		return err;
	sfs_super_encode(&f->fs, f->super);
	sfs_block_seal(f->super);
	return sfs_log_write(&f->fs, f->log_dev, f->super);
}

/* Makes what lies in the cache lasting, with the fields of f->fs in the superblock. */
static void sfs_write_back(struct sfs_fsck *f)
{
	int err = -E2BIG;

	if (!sfs_dev_changed(f->fs.f_priv))
		err = sfs_volume_write_super(&f->fs, f->super);
	else if (f->has_log)
		err = sfs_write_log(f);
	if (err == -E2BIG)
		err = sfs_write_in_place(f);
	if (err)
		sfs_give_up(f, err, "it cannot be written");
	f->repaired = false;
}

/* Between two inodes, or two pieces of one: before the journal has no room for what was done. */
static int sfs_pause(void *arg)
{
	struct sfs_fsck *f = arg;

	if (!f->has_log || sfs_dev_changed(f->fs.f_priv) <= f->room / 2)
		return 0;
	sfs_write_back(f);
	f->written = true;
	return 0;
}

/* After a crash: what a mount would do.  False: an inode is in the way of that, and was named. */
static bool sfs_recover(struct sfs_fsck *f)
{
	int err;

	err = sfs_fs_recount(&f->fs, NULL);
	if (err)
		sfs_give_up(f, err, "its free space cannot be counted");
	if (f->never)
		return true;
	sfs_settle_log(f);
	err = f->has_log ? sfs_log_room(&f->fs, f->log_dev, &f->room) : 0;
	if (err)
		sfs_give_up(f, err, "its journal cannot be looked at");
	err = sfs_finish_orphans(&f->fs, &f->finished, sfs_pause, f);
	if (err && !sfs_is_damage(err))
		sfs_give_up(f, err, "an unlinked or half-truncated inode cannot be finished");
	return !err;
}

/*
 * At boot the mount follows, which finishes inodes in its journal; here it would be changes that
 * belong together and can be interrupted.
 */
static bool sfs_leave_orphans(struct sfs_fsck *f)
{
	u64 nbad = 0;
	u64 ino;

	if (sfs_orphan_next(&f->fs, 0, &ino, &nbad))
		return false;
	sfs_settle_log(f);
	printf("%s: unlinked or half-truncated inodes are left to the mount\n", f->path);
	return true;
}

/* ---- the verdict ---- */

static void sfs_say_clean(struct sfs_fsck *f)
{
	printf("%s: clean, %llu inodes, %llu of %llu blocks free\n", f->path,
	       (unsigned long long)sfs_counter_read(&f->fs.f_inodes),
	       (unsigned long long)sfs_counter_read(&f->fs.f_free),
	       (unsigned long long)f->fs.f_blocks);
}

/* Damage stays: say so, and what can be done. */
static int sfs_leave(const struct sfs_fsck *f, const char *why)
{
	fflush(stdout);
	sfs_warn("%s: damaged, and %s: %s", f->path, sfs_changed(f), why);
	return SFS_EXIT_DAMAGED;
}

/* Not all could be read.  What is known of the rest stands in the status as well. */
static int sfs_leave_unread(const struct sfs_fsck *f, const struct sfs_found *found)
{
	bool damaged = found->f_problems[SFS_REMEDY_NONE] || found->f_problems[SFS_REMEDY_COUNT] ||
		       found->f_problems[SFS_REMEDY_NAME];

	fflush(stdout);
	sfs_warn("%s: not all of it can be read, and %s: copy what can be to another device and"
		 " check that", f->path, sfs_changed(f));
	return SFS_EXIT_FAILED | (damaged ? SFS_EXIT_DAMAGED : 0);
}

/* May it be repaired?  @names: names would go or come. */
static bool sfs_agree(const struct sfs_fsck *f, bool names)
{
	char answer[16];

	if (f->never || f->always)
		return f->always;
	if (f->automatic)
		return !names;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return false;
	printf("%s: repair this? [y/N] ", f->path);
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

/*
 * The superblock is there again, and says that there is damage, whatever else there is; unless it
 * is not to be.
 */
static void sfs_restore(struct sfs_fsck *f)
{
	int err;

	err = sfs_super_number(&f->fs, f->super);
	if (err)
		sfs_give_up(f, err, "no memory");
	if (!sfs_agree(f, false))
		return;
	sfs_settle_log(f);
	f->fs.f_state = SFS_STATE_ERROR;
	err = sfs_volume_write_super(&f->fs, f->super);
	if (err)
		sfs_give_up(f, err, "the superblock cannot be written");
	f->restored = true;
	if (!sfs_dev_gives(f->fs.f_priv, 0, f->super))
		sfs_die(SFS_EXIT_FAILED, "%s: its superblock was written, and the device does not"
			" give it back: copy what can be read to another device and check that",
			f->path);
}

/* Repairs in the cache and believes it only after a second check there. */
static int sfs_try_repair(struct sfs_fsck *f, struct sfs_found *found)
{
	struct sfs_moves moves = { 0 };
	int status = SFS_EXIT_REPAIRED;
	long left;
	int err;

	sfs_settle_log(f);
	err = sfs_repair(&f->fs, found, &moves);
	if (err == -ENOSPC) {
		free(moves.s_move);
		return sfs_leave(f, "there is no space for what has lost its name, or for a second"
				 " copy of what two files hold; mount it read-only and save what is"
				 " there");
	}
	if (err && !sfs_is_damage(err))
		sfs_give_up(f, err, "the repair could not be made");
	sfs_dev_doubt(f->fs.f_priv);
	/* Its counts are true now; orphans are still to be finished. */
	f->fs.f_state &= ~SFS_STATE_CLEAN;
	sfs_report = sfs_report_nothing;
	left = err ? err : sfs_check(&f->fs);
	sfs_report = sfs_report_damage;
	if (left < 0 && !sfs_is_damage(left))
		sfs_give_up(f, left, "the repair could not be checked");
	if (left)
		status = sfs_leave(f, "a repair was tried in memory and did not hold; mount it"
				   " read-only and save what is there");
	f->repaired = !left;
	/* From here on it is known to be damaged, whatever interrupts. */
	err = 0;
	if (!left && moves.s_n)
		err = sfs_volume_mark(f->fs.f_priv, SFS_STATE_ERROR, SFS_STATE_CLEAN);
	if (!left && moves.s_n && !err)
		err = sfs_runs_copy(&f->fs, &moves);
	if (err)
		sfs_give_up(f, err, "what two files hold could not be copied");
	free(moves.s_move);
	return status;
}

/*
 * Something is damaged that does not follow from the rest: is there a way to keep the rest?  That
 * is found out in the cache; what a check finds after it takes the place of @found.  The journal is
 * settled before, so that no replay is written with half a repair.
 */
static void sfs_try_salvage(struct sfs_fsck *f, struct sfs_found *found)
{
	bool any = false;
	int err;

	if (!found->f_problems[SFS_REMEDY_NONE] || found->f_problems[SFS_REMEDY_READ] ||
	    sfs_fs_has_unknown(&f->fs) || (f->log_err && !f->log_goes) || f->restored != f->lost)
		return;
	if (!f->never && !sfs_agree(f, true))
		return;
	sfs_settle_log(f);
	err = sfs_salvage(&f->fs, found, &any);
	if (err == -ENOSPC)
		return;
	if (err && !sfs_is_damage(err))
		sfs_give_up(f, err, "what can be kept could not be found out");
	if (err || !any)
		return;
	sfs_found_free(found);
	found->f_gives_up = true;
	/* It is not the volume that was unmounted in order: nothing that it counts is true. */
	f->fs.f_state &= ~SFS_STATE_CLEAN;
	err = sfs_check_find(&f->fs, found);
	if (err)
		sfs_give_up(f, err, "the check could not go on");
	f->salvaged = true;
}

static int sfs_check_all(struct sfs_fsck *f)
{
	struct sfs_found found = { 0 };
	int status = SFS_EXIT_OK;
	bool differs;
	int err;

	err = sfs_check_find(&f->fs, &found);
	if (err)
		sfs_give_up(f, err, "the check could not go on");
	if (f->lost)
		sfs_restore(f);
	sfs_try_salvage(f, &found);
	differs = f->salvaged || found.f_problems[SFS_REMEDY_COUNT] ||
		  found.f_problems[SFS_REMEDY_NAME] || f->log_goes;
	if (found.f_problems[SFS_REMEDY_READ])
		status = sfs_leave_unread(f, &found);
	else if (found.f_problems[SFS_REMEDY_NONE])
		status = sfs_leave(f, "some of it cannot be repaired; mount it read-only (with -o"
				   " norecovery if need be) and save what is there");
	else if (f->log_err && !f->log_goes)
		status = sfs_leave(f, "its journal cannot be replayed; --discard-journal gives up"
				   " what only the journal has");
	else if (!differs && f->restored == f->lost)
		status = f->lost ? SFS_EXIT_REPAIRED : SFS_EXIT_OK;
	else if (differs && sfs_fs_has_unknown(&f->fs))
		status = sfs_leave(f, "only a version that knows all of its features can tell damage"
				   " from what belongs to them");
	else if (f->restored != f->lost ||
		 !(f->salvaged ? !f->never : sfs_agree(f, found.f_problems[SFS_REMEDY_NAME])))
		status = sfs_leave(f, "-y repairs it");
	else
		status = sfs_try_repair(f, &found);
	sfs_found_free(&found);
	if (!(status & (SFS_EXIT_DAMAGED | SFS_EXIT_FAILED))) {
		f->fs.f_check_time = sfs_time_now();
		f->fs.f_state &= ~SFS_STATE_ERROR;
		f->fs.f_error_count = 0;
	}
	return status;
}

/* A name was given, and not to all copies: no damage, but they are as easily the same. */
static void sfs_bring_copies(struct sfs_fsck *f)
{
	u64 n;
	int err = sfs_renew_copies(&f->fs, &n);

	if (err)
		sfs_give_up(f, err, "copies of its superblock cannot be brought up to date");
	if (n)
		printf("%s: copies of the superblock brought up to date: %llu\n", f->path,
		       (unsigned long long)n);
}

static bool sfs_is_doubtful(const struct sfs_fsck *f)
{
	if (f->lost || f->force || f->fs.f_state & SFS_STATE_ERROR || f->replay.r_errno ||
	    f->log_err)
		return true;
	return !(f->fs.f_state & SFS_STATE_CLEAN) &&
	       (!f->automatic || !(f->fs.f_compat & SFS_COMPAT_JOURNAL));
}

static int sfs_run(struct sfs_fsck *f)
{
	int status = SFS_EXIT_OK;
	bool doubtful, clean;
	int err;

	if (!sfs_replay(f))
		return SFS_EXIT_OK;
	if (f->journal_only) {
		if (f->replay.r_needed)
			sfs_settle_log(f);
		return SFS_EXIT_OK;
	}
	clean = f->fs.f_state & SFS_STATE_CLEAN;
	err = sfs_fs_init(&f->fs);
	if (err)
		sfs_give_up(f, err, "no memory");
	doubtful = sfs_is_doubtful(f);
	if (clean && !doubtful) {
		sfs_say_clean(f);
		return SFS_EXIT_OK;
	}
	if (!clean && !doubtful && sfs_leave_orphans(f))
		return SFS_EXIT_OK;
	if (!clean && !doubtful)
		doubtful = !sfs_recover(f);
	if (doubtful)
		status = sfs_check_all(f);
	if (status & (SFS_EXIT_DAMAGED | SFS_EXIT_FAILED))
		return status;
	if (f->log_goes)
		sfs_renew_log(f);
	/* Orphans are finished by what can be relied on: after the check. */
	if (doubtful && !(f->fs.f_state & SFS_STATE_CLEAN) && !sfs_recover(f))
		return sfs_leave(f, "an unlinked or half-truncated inode cannot be finished; mount"
				 " it read-only and save what is there");
	if (f->replay.r_errno && f->never)
		return sfs_leave(f, "all else is in order; -y forgets that the journal was aborted");
	if (f->replay.r_errno)
		status = SFS_EXIT_REPAIRED;
	sfs_settle_log(f);
	if (doubtful && !f->never)
		sfs_bring_copies(f);
	if (!f->never) {
		f->fs.f_state |= SFS_STATE_CLEAN;
		sfs_write_back(f);
	}
	if (f->finished)
		printf("%s: finished %u unlinked or half-truncated inodes\n", f->path, f->finished);
	if (status == SFS_EXIT_REPAIRED)
		printf("%s: repaired\n", f->path);
	sfs_say_clean(f);
	return status;
}

static int sfs_take_back(const struct sfs_fsck *f)
{
	struct sfs_dev *dev = sfs_open_dev(f, f->path);
	int status = sfs_undo_back(dev, f->path, f->undo, f->never, f->force);

	sfs_dev_close(dev);
	return status;
}

/* The file is of one device: what a journal on another one loses does not come back by it. */
static void sfs_keep_undo(struct sfs_fsck *f, struct sfs_undo *undo)
{
	if (f->never)
		sfs_die(SFS_EXIT_USAGE, "-z with -n: nothing is written");
	if (f->fs.f_incompat & SFS_INCOMPAT_JOURNAL_DEV)
		sfs_die(SFS_EXIT_FAILED, "%s: its journal is on another device, and -z keeps what"
			" is on one", f->path);
	sfs_undo_begin(undo, &f->fs, f->undo_file);
}

int main(int argc, char **argv)
{
	static struct sfs_fsck f;
	static struct sfs_undo undo;
	int status;

	f.path = argv[sfs_cli_parse(&sfs_fsck_cli, argc, argv, &f, NULL)];
	if (f.progress)
		sfs_progress_to(atoi(f.progress), f.path);
	else if (f.automatic)
		sfs_progress_off();
	sfs_report = sfs_report_damage;
	if (f.undo)
		return sfs_take_back(&f);
	sfs_open_volume(&f);
	if (f.undo_file)
		sfs_keep_undo(&f, &undo);
	status = sfs_run(&f);
	if (f.undo_file && sfs_undo_end(&undo))
		status |= SFS_EXIT_FAILED;
	sfs_fs_exit(&f.fs);
	sfs_dev_close(f.log_dev);
	sfs_dev_close(f.fs.f_priv);
	if (fflush(stdout) || ferror(stdout))
		sfs_die(SFS_EXIT_FAILED, "cannot write the report");
	return status;
}
