// SPDX-License-Identifier: GPL-2.0-only
/*
 * worker.c - the worker: the table of steps, and what becomes of one that fails.
 *
 * After a failure only the steps that clean up run, so that the machine is left as it was found;
 * the first failure is the one that counts.  The worker has a mount namespace of its own, and its
 * loop devices go with their last user: should it die, nothing stays mounted.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "selftest.h"
#include "steps.h"

static void sfs_say(struct sfs_worker *w, const char *what, const char *text)
{
	fprintf(w->w_report, "%s %s\n", what, text);
	fflush(w->w_report);
}

static void sfs_say_attr(struct sfs_worker *w, const char *name)
{
	char value[64];
	char fact[128];

	sfs_module_attr(name, value, sizeof(value));
	snprintf(fact, sizeof(fact), "%s %s", name, value);
	sfs_say(w, "fact", fact);
}

static void sfs_step_load(struct sfs_worker *w)
{
	char why[300];
	int err = sfs_module_load(w->w_module, why, sizeof(why));

	if (err == -EKEYREJECTED)
		sfs_excuse("module signature refused");
	else if (err == -ESRCH)
		sfs_excuse("no module");
	else if (err)
		sfs_refuse(why[0] ? why : strerror(-err));
	if (err)
		return;
	w->w_loaded = true;
	sfs_say_attr(w, "version");
	sfs_say_attr(w, "srcversion");
}

/* What failed steps may have left: nothing when all went well. */
static void sfs_step_tidy(struct sfs_worker *w)
{
	struct sfs_volume *v = &w->w_volume;

	if (v->v_mounted)
		sfs_volume_unmount(v);
	sfs_volume_detach(v);
}

/*
 * Right after an unmount that let go of many inodes: those that wait for RCU then are a module's
 * classic way to leave memory behind.
 */
static void sfs_step_unload(struct sfs_worker *w)
{
	char text[128];
	int err;

	if (!sfs_failure())
		sfs_volume_visit(&w->w_volume);
	err = w->w_loaded ? sfs_module_unload() : 0;
	sfs_volume_detach(&w->w_volume);
	if (!err)
		return;
	/* Somebody mounted a volume meanwhile: no fault of the module's, and no time for a test. */
	if (err == -EAGAIN && !sfs_failure() && sfs_module_is_mounted()) {
		sfs_say(w, "skip", "in use");
		return;
	}
	snprintf(text, sizeof(text), "the module does not unload: %s", strerror(-err));
	sfs_refuse(text);
}

static const struct sfs_step {
	const char *name;
	void (*run)(struct sfs_worker *w);
	bool always;			/* also after a failure */
} sfs_steps[] = {
	{ "load", sfs_step_load, false },
	{ "mkfs", sfs_step_mkfs, false },
	{ "mount", sfs_step_mount, false },
	{ "create", sfs_step_create, false },
	{ "readdir", sfs_step_readdir, false },
	{ "mkdir", sfs_step_mkdir, false },
	{ "link", sfs_step_link, false },
	{ "symlink", sfs_step_symlink, false },
	{ "mknod", sfs_step_mknod, false },
	{ "tmpfile", sfs_step_tmpfile, false },
	{ "rename", sfs_step_rename, false },
	{ "unlink", sfs_step_unlink, false },
	{ "attributes", sfs_step_attributes, false },
	{ "write", sfs_step_write, false },
	{ "sparse", sfs_step_sparse, false },
	{ "extents", sfs_step_extents, false },
	{ "fallocate", sfs_step_fallocate, false },
	{ "mmap", sfs_step_mmap, false },
	{ "direct", sfs_step_direct, false },
	{ "async", sfs_step_async, false },
	{ "splice", sfs_step_splice, false },
	{ "ioctl", sfs_step_ioctl, false },
	{ "statfs", sfs_step_statfs, false },
	{ "freeze", sfs_step_freeze, false },
	{ "full", sfs_step_full, false },
	{ "remount", sfs_step_remount, false },
	{ "recovery", sfs_step_recovery, false },
	{ "unmount", sfs_step_unmount, false },
	{ "check", sfs_step_check, false },
	{ "external journal", sfs_step_journal_outside, false },
	{ "no journal", sfs_step_journal_none, false },
	{ "refused mounts", sfs_step_refused, false },
	{ "tidy", sfs_step_tidy, true },
	{ "unload", sfs_step_unload, true },
};

void sfs_work(const char *module, const char *dir, FILE *report)
{
	struct sfs_worker w = { .w_module = module, .w_dir = dir, .w_report = report };
	bool told = false;
	size_t i;

	sfs_volume_name(&w, "disk", &w.w_volume);
	umask(022);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		sfs_refuse("no mount namespace of its own");
	for (i = 0; i < sizeof(sfs_steps) / sizeof(*sfs_steps); i++) {
		if (told && !sfs_steps[i].always)
			continue;
		sfs_say(&w, "step", sfs_steps[i].name);
		if (!sfs_failure() || sfs_steps[i].always)
			sfs_steps[i].run(&w);
		if (sfs_failure() && !told) {
			sfs_say(&w, sfs_is_excused() ? "skip" : "fail", sfs_failure());
			told = true;
		}
	}
	exit(told ? 1 : 0);
}
