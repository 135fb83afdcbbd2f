// SPDX-License-Identifier: GPL-2.0-only
/*
 * volume.c - an image made, attached, mounted, changed as a whole, unmounted and checked.
 *
 * A loop device goes by itself with its last user, which is this process or the mount.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "selftest.h"
#include "steps.h"

#define SFS_IMAGE_BYTES	(24 << 20)
#define SFS_LOG_BYTES	(5 << 20)
#define SFS_LOOP_TRIES	16
#define SFS_LOOP_CLEARS	500
#define SFS_LOOP_WAIT_US	10000

void sfs_volume_name(struct sfs_worker *w, const char *name, struct sfs_volume *ret_volume)
{
	struct sfs_volume *v = ret_volume;

	memset(v, 0, sizeof(*v));
	v->v_loop = -1;
	v->v_log_loop = -1;
	if (snprintf(v->v_image, PATH_MAX, "%s/%s", w->w_dir, name) >= PATH_MAX ||
	    snprintf(v->v_log, PATH_MAX, "%s/%s-log", w->w_dir, name) >= PATH_MAX ||
	    snprintf(v->v_mnt, PATH_MAX, "%s/%s-mnt", w->w_dir, name) >= PATH_MAX)
		sfs_refuse("the state directory's path is too long");
}

/* ---- making and checking ---- */

static bool sfs_run(char *const argv[])
{
	char out[256];
	char text[380];
	int status = sfs_tool_run(argv, out, sizeof(out));

	if (!status)
		return true;
	if (status < 0)
		snprintf(text, sizeof(text), "%s: %s", argv[0], strerror(-status));
	else
		snprintf(text, sizeof(text), "%s: exit %d: %s", argv[0], status, out);
	sfs_refuse(text);
	return false;
}

static bool sfs_image_make(const char *path, off_t nbytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool good = WANT(fd >= 0) && WANT(!ftruncate(fd, nbytes));

	if (fd >= 0)
		close(fd);
	return good;
}

bool sfs_volume_make(struct sfs_volume *v, enum sfs_journal_kind journal)
{
	char arg[PATH_MAX + 16];
	char *argv[] = { "mkfs.simplefs", "-q", "-f", v->v_image, NULL, NULL, NULL };

	if (journal != SFS_JOURNAL_OUTSIDE)
		v->v_log[0] = '\0';
	if (!sfs_image_make(v->v_image, SFS_IMAGE_BYTES))
		return false;
	if (v->v_log[0] && !sfs_image_make(v->v_log, SFS_LOG_BYTES))
		return false;
	if (journal != SFS_JOURNAL_INSIDE) {
		snprintf(arg, sizeof(arg), v->v_log[0] ? "device=%s" : "none", v->v_log);
		argv[4] = "-J";
		argv[5] = arg;
	}
	return sfs_run(argv);
}

bool sfs_volume_check(const struct sfs_volume *v)
{
	char *dump[] = { "dump.simplefs", "--check", (char *)v->v_image, NULL };
	char *fsck[] = { "fsck.simplefs", "-n", (char *)v->v_image, NULL };
	char path[PATH_MAX];

	return sfs_run(dump) && (!sfs_tool_find("fsck.simplefs", path) || sfs_run(fsck));
}

bool sfs_sync_here(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && !syncfs(fd);

	if (fd >= 0)
		close(fd);
	return good;
}

bool sfs_volume_copy(const struct sfs_volume *from, const char *to)
{
	int in = open(from->v_image, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	static char buf[1 << 16];
	bool good = WANT(in >= 0 && out >= 0);
	ssize_t n = 0;

	while (good && (n = read(in, buf, sizeof(buf))) > 0)
		good = WANT(write(out, buf, n) == n);
	good = good && WANT(n == 0);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return good;
}

/* ---- attaching ---- */

/*
 * A free loop device over @image; -1 when there is none.  Others look for one as well.  It is
 * locked for as long as it lasts, which keeps udev away (systemd, BLOCK_DEVICE_LOCKING): its rule
 * would load the module again as soon as it had been unloaded.
 */
static int sfs_loop_attach(const char *image, char dev[32])
{
	struct loop_config config = { .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int tries;
	int loop = -1;

	config.fd = open(image, O_RDWR | O_CLOEXEC);
	for (tries = 0; control >= 0 && tries < SFS_LOOP_TRIES; tries++) {
		snprintf(dev, 32, "/dev/loop%d", ioctl(control, LOOP_CTL_GET_FREE));
		loop = open(dev, O_RDWR | O_CLOEXEC);
		if (loop >= 0 && !flock(loop, LOCK_EX) && !ioctl(loop, LOOP_CONFIGURE, &config))
			break;
		if (loop >= 0)
			close(loop);
		loop = -1;
	}
	if ((int)config.fd >= 0)
		close(config.fd);
	if (control >= 0)
		close(control);
	if (loop < 0)
		sfs_excuse("no loop device");
	return loop;
}

bool sfs_volume_attach(struct sfs_volume *v)
{
	if (v->v_loop < 0)
		v->v_loop = sfs_loop_attach(v->v_image, v->v_dev);
	if (v->v_log[0] && v->v_log_loop < 0)
		v->v_log_loop = sfs_loop_attach(v->v_log, v->v_log_dev);
	return v->v_loop >= 0 && (!v->v_log[0] || v->v_log_loop >= 0);
}

/*
 * Emptied while it is still locked: nobody can look into it in between.  While somebody else has it
 * open, to find that it is locked, the kernel leaves that to the last who closes it: to him, after
 * the lock is gone.  So he is waited for, five seconds at most.
 */
static void sfs_loop_detach(int loop)
{
	struct loop_info64 info;
	int tries;

	if (loop < 0)
		return;
	for (tries = 0; tries < SFS_LOOP_CLEARS; tries++) {
		if (ioctl(loop, LOOP_CLR_FD) || ioctl(loop, LOOP_GET_STATUS64, &info))
			break;
		usleep(SFS_LOOP_WAIT_US);
	}
	close(loop);
}

void sfs_volume_detach(struct sfs_volume *v)
{
	sfs_loop_detach(v->v_loop);
	sfs_loop_detach(v->v_log_loop);
	v->v_loop = -1;
	v->v_log_loop = -1;
}

bool sfs_volume_mount(struct sfs_volume *v, unsigned long flags, const char *data)
{
	char options[PATH_MAX];

	if (!sfs_volume_attach(v))
		return false;
	snprintf(options, sizeof(options), "%s%s%s", data ? data : "errors=remount-ro",
		 v->v_log[0] ? ",journal_path=" : "", v->v_log[0] ? v->v_log_dev : "");
	if (mkdir(v->v_mnt, 0700) && !WANT(errno == EEXIST))
		return false;
	if (!WANT(!mount(v->v_dev, v->v_mnt, SFS_MODULE, flags, options)))
		return false;
	v->v_mounted = true;
	return WANT(!chdir(v->v_mnt));
}

bool sfs_volume_unmount(struct sfs_volume *v)
{
	if (!WANT(!chdir("/") && !umount2(v->v_mnt, 0)))
		return false;
	v->v_mounted = false;
	return true;
}

void sfs_volume_visit(struct sfs_volume *v)
{
	const struct dirent *entry;
	struct stat st;
	DIR *d;

	if (!sfs_volume_mount(v, 0, NULL))
		return;
	d = opendir("names");
	while (WANT(d) && (entry = readdir(d))) {
		if (!WANT(!fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW)))
			break;
	}
	if (d)
		closedir(d);
	sfs_volume_unmount(v);
}

/* ---- steps ---- */

void sfs_step_mkfs(struct sfs_worker *w)
{
	sfs_volume_make(&w->w_volume, SFS_JOURNAL_INSIDE);
}

void sfs_step_mount(struct sfs_worker *w)
{
	sfs_volume_mount(&w->w_volume, MS_NOSUID | MS_NODEV, NULL);
}

void sfs_step_statfs(struct sfs_worker *w)
{
	struct statfs st;
	int fd = open(".", O_RDONLY | O_DIRECTORY);

	(void)w;
	WANT(!statfs(".", &st) && st.f_bsize == 4096 && st.f_namelen == 255);
	WANT(st.f_bfree > 0 && st.f_bfree < st.f_blocks && st.f_ffree > 0);
	WANT(fd >= 0 && !fsync(fd) && !syncfs(fd));
	close(fd);
}

void sfs_step_freeze(struct sfs_worker *w)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY);

	(void)w;
	WANT(sfs_pattern_file("frozen", 10, 9000, false));
	WANT(!ioctl(fd, FIFREEZE, 0));
	FAILS(ioctl(fd, FIFREEZE, 0), EBUSY);
	WANT(sfs_pattern_is("frozen", 10, 9000));
	WANT(!ioctl(fd, FITHAW, 0));
	close(fd);
	WANT(!unlink("frozen"));
}

static bool sfs_remount(const struct sfs_volume *v, unsigned long flags, const char *data)
{
	return !mount(NULL, v->v_mnt, NULL, MS_REMOUNT | flags, data);
}

void sfs_step_remount(struct sfs_worker *w)
{
	const struct sfs_volume *v = &w->w_volume;
	int fd;

	WANT(sfs_pattern_file("keep", 11, 70000, false));
	fd = open("keep", O_RDWR);
	WANT(!sfs_remount(v, MS_RDONLY, NULL) && errno == EBUSY);	/* open for writing */
	close(fd);
	WANT(sfs_remount(v, MS_RDONLY, NULL));
	FAILS(open("new", O_CREAT | O_WRONLY, 0644), EROFS);
	FAILS(unlink("keep"), EROFS);
	FAILS(rename("keep", "kept"), EROFS);
	FAILS(open("keep", O_WRONLY), EROFS);
	FAILS(truncate("keep", 0), EROFS);
	WANT(sfs_pattern_is("keep", 11, 70000));
	WANT(sfs_remount(v, 0, "errors=continue"));
	WANT(!sfs_remount(v, 0, "norecovery") && errno == EINVAL);
	WANT(!sfs_remount(v, 0, "no-such-option") && errno == EINVAL);
	WANT(sfs_pattern_file("keep", 12, 80000, true));
}

void sfs_step_full(struct sfs_worker *w)
{
	static char buf[1 << 18];
	struct statvfs before = { 0 };
	struct statvfs after = { 0 };
	int fd = open("filler", O_WRONLY | O_CREAT, 0644);
	char name[32];
	ssize_t n;
	int i;

	(void)w;
	WANT(fd >= 0 && !fsync(fd) && !statvfs(".", &before));
	while ((n = write(fd, buf, sizeof(buf))) > 0)
		;
	WANT(n < 0 && errno == ENOSPC);
	WANT(!fsync(fd));
	WANT(pwrite(fd, "x", 1, 0) == 1);
	close(fd);
	/* Names until there is no room for one more: undoing a half-made inode is its own path. */
	for (i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "full-%d", i);
		if (symlink(i % 2 ? "filler" : w->w_dir, name))
			break;
	}
	WANT(errno == ENOSPC);
	FAILS(mkdir("full-directory", 0755), ENOSPC);
	while (i--) {
		snprintf(name, sizeof(name), "full-%d", i);
		if (!WANT(!unlink(name)))
			break;
	}
	WANT(!unlink("filler"));
	WANT(sfs_sync_here());
	WANT(!statvfs(".", &after) && after.f_bfree + 16 >= before.f_bfree);
	WANT(sfs_pattern_file("after", 13, 200000, true) && !unlink("after"));
}

void sfs_step_unmount(struct sfs_worker *w)
{
	struct sfs_volume *v = &w->w_volume;
	int fd = open("keep", O_RDONLY);

	WANT(umount2(v->v_mnt, 0) && errno == EBUSY);
	close(fd);
	sfs_volume_unmount(v);
}

void sfs_step_check(struct sfs_worker *w)
{
	struct sfs_volume *v = &w->w_volume;

	if (!sfs_volume_check(v) || !sfs_volume_mount(v, MS_RDONLY, NULL))
		return;
	WANT(sfs_pattern_is("keep", 12, 80000));
	WANT(!access("names/a name that takes some room, number 1", F_OK));
	FAILS(access("names/a name that takes some room, number 2", F_OK), ENOENT);
	sfs_volume_unmount(v);
	sfs_volume_detach(v);
}
