// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress_shared.c - a directory where everything may happen to a name at any time, and the one who
 * disturbs all others: freezing, syncing, dropping caches, looking at the volume from beside.
 */
#include <dirent.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

#include "guest.h"
#include "stress.h"

/* What a name that others fight over may answer: it went, came, or is of another kind by now. */
static void contested(long ret, const char *what)
{
	static const int expected[] = {
		ENOENT, EEXIST, EISDIR, ENOTDIR, ENOTEMPTY, EINVAL, ELOOP, EMLINK,
		ENXIO,			/* opened: a whiteout */
		EPERM,			/* linked: a directory */
		EXDEV,
	};
	unsigned int i;

	if (ret >= 0 || excused(errno))
		return;
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (errno == expected[i])
			return;
	bad("%s", what);
}

static void shared_list(void)
{
	DIR *d = opendir("/mnt/shared");
	struct dirent *e;
	int count = 0;

	if (!d) {
		contested(-1, "opendir");
		return;
	}
	for (errno = 0; (e = readdir(d)); count++)
		if (e->d_type == DT_UNKNOWN)
			bad("an entry without type");
	if (errno && !excused(errno))
		bad("readdir");
	closedir(d);
	if (count > 5 * SHARED_NAMES)
		bad("%d names listed", count);
}

void shared_step(void)
{
	char a[64], b[64];
	struct stat st;
	int fd;

	sprintf(a, "/mnt/shared/%u a shared name with some length", rnd(SHARED_NAMES));
	sprintf(b, "/mnt/shared/%u a shared name with some length", rnd(SHARED_NAMES));
	switch (rnd(12)) {
	case 0:
	case 1:
		fd = open(a, O_CREAT | O_RDWR, 0600);
		contested(fd, "shared create");
		if (fd >= 0 && rnd(2))
			contested(pwrite(fd, bounce, 1 + rnd(9000), rnd(50000)), "shared write");
		if (fd >= 0)
			close(fd);
		break;
	case 2:
		contested(mkdir(a, 0755), "shared mkdir");
		break;
	case 3:
		contested(symlink(b, a), "shared symlink");
		break;
	case 4:
		contested(link(a, b), "shared link");
		break;
	case 5:
	case 6:
		contested(rename(a, b), "shared rename");
		break;
	case 7:
		contested(syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b,
				  rnd(2) ? RENAME_EXCHANGE : RENAME_WHITEOUT), "shared renameat2");
		break;
	case 8:
		contested(unlink(a), "shared unlink");
		break;
	case 9:
		contested(rmdir(a), "shared rmdir");
		break;
	case 10:
		contested(lstat(a, &st), "shared stat");
		break;
	default:
		shared_list();
	}
}

/*
 * Read-only for a while.  It is refused as long as a file is open for writing, so nobody begins
 * anything until it has come about; then they go on, and meet EROFS.
 */
static void disturb_remount(void)
{
	int tries;
	int err = -1;

	__atomic_store_n(&self->hush, true, __ATOMIC_RELAXED);
	for (tries = 0; err && tries < 1000; tries++) {
		err = mount("none", GUEST_DIR, NULL, MS_REMOUNT | MS_RDONLY, NULL);
		if (err)
			poll(NULL, 0, 1);
	}
	__atomic_store_n(&self->hush, false, __ATOMIC_RELAXED);
	if (err)
		return;
	self->readonly++;
	poll(NULL, 0, rnd(10));
	if (mount("none", GUEST_DIR, NULL, MS_REMOUNT, NULL))
		bad("remount");
}

void disturb(void)
{
	struct statvfs st;
	static const char *const dump[] = { "dump.simplefs", "-d", "/shared", GUEST_DISK, NULL };
	int fd = dir_fd;
	int status;

	switch (rnd(9)) {
	case 0:
		if (ioctl(fd, FIFREEZE, 0)) {
			if (errno != EBUSY && !excused(errno))
				bad("freeze");
			break;
		}
		self->frozen++;
		statvfs(GUEST_DIR, &st);
		if (ioctl(fd, FITHAW, 0))
			bad("thaw");
		break;
	case 1:
	case 2:
		fine(syncfs(fd), NULL, "syncfs");
		break;
	case 3:
		guest_set("/proc/sys/vm/drop_caches", "3");
		break;
	case 4:
		if (statvfs(GUEST_DIR, &st) || st.f_bfree > st.f_blocks || st.f_bavail > st.f_bfree)
			bad("statfs");
		break;
	case 5:
		if (with_remount)
			disturb_remount();
		break;
	case 6:
		/* Beside the kernel, what it sees may not fit together, or be gone: it says so. */
		status = guest_run(dump);
		if (status && status != 4 && status != 8)
			bad("dump.simplefs of a mounted volume: exit %d", status);
		break;
	default:
		poll(NULL, 0, rnd(20));
	}
}
