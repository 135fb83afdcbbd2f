// SPDX-License-Identifier: GPL-2.0-only
/*
 * handle.c - file handles: of everything, and of what is gone.
 *
 * "save" leaves handles in a file on the volume, which "verify" and "bent" open after the next mount; for
 * "bent" somebody has given the directories below bent/ other parents meanwhile.
 *
 * usage: handle use|crash|save|verify|bent DIR
 */
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "handle.h"

#define DEVICE		"/dev/vda"
#define ASK_CONNECTABLE	0x002		/* AT_HANDLE_CONNECTABLE */
#define SHUTDOWN	_IOR('X', 125, unsigned int)
#define SAVED		64

static void again(void)
{
	close(mount_fd);
	TAP_REQUIRE(!umount(dir) && !mount(DEVICE, dir, "simplefs", 0, ""), "mounted again");
	attach();
}

/* The path that the kernel knows for @fd. */
static bool is_at(int fd, const char *want)
{
	char link[64], got[512];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, got, sizeof(got) - 1);
	got[n < 0 ? 0 : n] = '\0';
	if (!strcmp(got, want))
		return true;
	printf("# %s, not %s\n", got, want);
	return false;
}

/* ---- use ---- */

static void of_everything(void)
{
	static const char *const names[] = { "all", "all/file", "all/link", "all/fifo", "all/null",
					     "all/deep/er/est", "." };
	struct handle h[sizeof(names) / sizeof(names[0])], small;
	unsigned int i, bad = 0;
	struct stat st, was;
	char target[8];
	int fd, id;

	TAP_REQUIRE(!mkdir(at("all"), 0755) && !mkdir(at("all/deep"), 0755) &&
		    !mkdir(at("all/deep/er"), 0755) && !mkdir(at("all/deep/er/est"), 0755) &&
		    !symlink("target", at("all/link")) && !mkfifo(at("all/fifo"), 0600) &&
		    !mknod(at("all/null"), S_IFCHR | 0666, makedev(1, 3)), "made");
	make(at("all/file"));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		get(at(names[i]), &h[i]);
		bad += h[i].fh.handle_bytes != 12 || h[i].fh.handle_type != PLAIN;
	}
	TAP_EQ(bad, 0, "handles of 12 bytes, of one type");
	small.fh.handle_bytes = 11;
	TAP_OK(name_to_handle_at(AT_FDCWD, at("all"), &small.fh, &id, 0) && errno == EOVERFLOW &&
	       small.fh.handle_bytes == 12, "a buffer that is too small, and what is needed");
	drop_caches();
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		fd = try(&h[i], O_PATH | O_NOFOLLOW);
		TAP_OK(fd >= 0 && !fstat(fd, &st) && st.st_ino == ino_of(&h[i]), "%s is opened", names[i]);
		TAP_OK(!lstat(at(names[i]), &was) && was.st_mode == st.st_mode, "and is what it was");
		if (S_ISLNK(st.st_mode))
			TAP_EQ(readlinkat(fd, "", target, 8), 6, "a symlink with its target");
		close(fd);
	}
	drop_caches();
	fd = try(&h[5], O_RDONLY);
	TAP_OK(is_at(fd, at("all/deep/er/est")), "a directory is found with all that is above it");
	close(fd);
	fd = try(&h[1], O_RDWR);
	TAP_OK(fd >= 0 && write(fd, "data", 4) == 4 && !fsync(fd) && !close(fd), "a file can be written");
	TAP_OK(!stat(at("all/file"), &st) && st.st_size == 4, "and has that under its name");
}

static void moved(void)
{
	struct handle file, child;
	struct stat st;
	int fd;

	TAP_REQUIRE(!mkdir(at("from"), 0755) && !mkdir(at("to"), 0755) &&
		    !mkdir(at("from/child"), 0755), "made");
	make(at("from/file"));
	get(at("from/file"), &file);
	get(at("from/child"), &child);
	TAP_REQUIRE(!rename(at("from/file"), at("to/other")) &&
		    !rename(at("from/child"), at("to/child")) && !rmdir(at("from")), "moved");
	drop_caches();
	TAP_EQ(look(&file), 0, "a file that was moved");
	fd = try(&child, O_RDONLY);
	TAP_OK(is_at(fd, at("to/child")), "a directory that was, from one that is no more");
	TAP_OK(!fstatat(fd, "..", &st, 0) && !close(fd), "with what is above it");
	TAP_REQUIRE(!link(at("to/other"), at("to/third")) && !unlink(at("to/other")), "linked");
	drop_caches();
	TAP_EQ(look(&file), 0, "a file that has only its second name left");
}

static void gone(void)
{
	struct handle file, child, tmp;
	char link[64];
	int fd, open_fd;

	TAP_REQUIRE(!mkdir(at("gone"), 0755), "made");
	make(at("file"));
	get(at("file"), &file);
	get(at("gone"), &child);
	open_fd = open(at("file"), O_RDONLY);
	TAP_REQUIRE(open_fd >= 0 && !unlink(at("file")) && !rmdir(at("gone")), "removed");
	TAP_EQ(look(&child), -ESTALE, "a directory that was removed");
	drop_caches();
	TAP_EQ(look(&child), -ESTALE, "also when nothing is in memory");
	TAP_EQ(look(&file), 0, "a file that was removed, and is open");
	fd = try(&file, O_RDONLY);
	close(open_fd);
	TAP_EQ(look(&file), 0, "by the handle alone");
	close(fd);
	TAP_EQ(look(&file), -ESTALE, "and when it is closed");
	drop_caches();
	TAP_EQ(look(&file), -ESTALE, "for ever");
	open_fd = open(dir, O_TMPFILE | O_RDWR, 0600);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", open_fd);
	TAP_EQ(get_as(link, &tmp, AT_SYMLINK_FOLLOW), 0, "a file that never had a name");
	TAP_EQ(look(&tmp), 0, "while it is open");
	close(open_fd);
	TAP_EQ(look(&tmp), -ESTALE, "and not longer");
}

/* A slot is used again and again. */
static void reused(void)
{
	struct handle old, new;
	unsigned int i, same = 0, equal = 0, opens = 0;

	make(at("again"));
	get(at("again"), &old);
	for (i = 0; i < 200; i++) {
		TAP_REQUIRE(!unlink(at("again")), "removed");
		make(at("again"));
		get(at("again"), &new);
		same += ino_of(&new) == ino_of(&old);
		equal += ino_of(&new) == ino_of(&old) &&
			 meant(&new)->generation == meant(&old)->generation;
		opens += look(&old) != -ESTALE || look(&new);
		old = new;
	}
	TAP_OK(same > 150, "a slot is used again (%u times of 200)", same);
	TAP_EQ(equal, 0, "each time by another inode");
	TAP_EQ(opens, 0, "the old handle is stale, the new one is not");
}

static void connected(void)
{
	struct handle h;
	int fd, err;

	TAP_REQUIRE(!mkdir(at("above"), 0755), "made");
	make(at("above/file"));
	err = get_as(at("above/file"), &h, ASK_CONNECTABLE);
	if (err == -EINVAL) {
		printf("# this kernel makes no connectable handles for programs\n");
		return;
	}
	TAP_EQ(err, 0, "a connectable handle");
	TAP_OK(h.fh.handle_bytes == 24 && h.fh.handle_type == (CONNECTABLE | USER_FLAG), "of 24 bytes");
	drop_caches();
	fd = try(&h, O_RDONLY);
	TAP_OK(is_at(fd, at("above/file")), "the file is found with its name");
	close(fd);
	meant(&h)->parent_generation++;
	drop_caches();
	TAP_EQ(look(&h), -ESTALE, "not in a directory that has gone");
	meant(&h)->parent_generation--;
	meant(&h)->parent[0] = meant(&h)->ino[0];
	meant(&h)->parent[1] = meant(&h)->ino[1];
	TAP_EQ(look(&h), -ESTALE, "nor in one that is a file");
	get_as(at("above/file"), &h, ASK_CONNECTABLE);
	TAP_REQUIRE(!rename(at("above/file"), at("elsewhere")), "moved");
	drop_caches();
	TAP_EQ(look(&h), -ESTALE, "nor where it is not any more");
}

static void remounted(void)
{
	struct handle h;

	make(at("remounted"));
	get(at("remounted"), &h);
	again();
	TAP_EQ(look(&h), 0, "the next mount knows a handle");
	TAP_REQUIRE(!mount(DEVICE, dir, "simplefs", MS_REMOUNT | MS_RDONLY, ""), "read-only");
	drop_caches();
	TAP_EQ(look(&h), 0, "and a read-only one");
	TAP_EQ(try(&h, O_RDWR), -EROFS, "which writes to nothing");
	TAP_REQUIRE(!mount(DEVICE, dir, "simplefs", MS_REMOUNT, ""), "read-write");
}

/* ---- a crash takes files back ---- */

static void crash(void)
{
	struct handle lost[100], h;
	unsigned int i, same = 0, bad = 0, how = 2;
	char name[32];
	int fd;

	TAP_REQUIRE(!mkdir(at("crash"), 0755), "made");
	make(at("crash/kept"));
	sync();
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "crash/%u", i);
		make(at(name));
		get(at(name), &lost[i]);
	}
	TAP_REQUIRE(!ioctl(mount_fd, SHUTDOWN, &how), "stopped");
	again();
	TAP_OK(access(at("crash/0"), F_OK) && !access(at("crash/kept"), F_OK), "files are lost");
	for (i = 0; i < 100; i++)
		bad += look(&lost[i]) != -ESTALE;
	TAP_EQ(bad, 0, "and their handles are stale");
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "crash/%u", i);
		make(at(name));
		get(at(name), &h);
		same += ino_of(&h) == ino_of(&lost[i]);
		bad += look(&lost[i]) != -ESTALE;
	}
	fd = open(at("crash/kept"), O_RDONLY);
	TAP_OK(fd >= 0 && !close(fd) && same > 50, "new files have the numbers (%u of 100)", same);
	TAP_EQ(bad, 0, "and none of the handles");
}

/* ---- from one boot to another ---- */

static const char *const bent[] = { "self", "child", "child/of", "file", "free", "other",
				    "circle", "circle/in" };
#define NBENT	(sizeof(bent) / sizeof(bent[0]))

static void save(void)
{
	struct handle h[SAVED];
	unsigned int i;
	char name[32];
	int fd;

	TAP_REQUIRE(!mkdir(at("saved"), 0755) && !mkdir(at("bent"), 0755), "made");
	for (i = 0; i < SAVED - NBENT; i++) {
		snprintf(name, sizeof(name), "saved/%u", i);
		if (i % 2)
			make(at(name));
		else
			TAP_REQUIRE(!mkdir(at(name), 0755), "made");
		get(at(name), &h[i]);
	}
	for (; i < SAVED; i++) {
		snprintf(name, sizeof(name), "bent/%s", bent[i - (SAVED - NBENT)]);
		TAP_REQUIRE(!mkdir(at(name), 0755), "made");
		get(at(name), &h[i]);
	}
	fd = open(at("handles"), O_WRONLY | O_CREAT, 0644);
	TAP_OK(write(fd, h, sizeof(h)) == sizeof(h) && !close(fd), "saved");
}

static void load(struct handle *h)
{
	int fd = open(at("handles"), O_RDONLY);

	TAP_REQUIRE(read(fd, h, SAVED * sizeof(*h)) == SAVED * sizeof(*h) && !close(fd), "loaded");
}

static void verify(void)
{
	struct handle h[SAVED];
	unsigned int i, bad = 0;
	char name[32];
	int fd;

	load(h);
	for (i = SAVED - NBENT; i-- > 0; ) {
		snprintf(name, sizeof(name), "saved/%u", i);
		fd = try(&h[i], i % 2 ? O_PATH : O_RDONLY);
		bad += fd < 0 || (!(i % 2) && !is_at(fd, at(name)));
		close(fd);
	}
	TAP_EQ(bad, 0, "another boot knows the handles, and where directories are");
}

/* Where nothing is above, or a circle, a directory cannot be had; and nobody looks for ever. */
static void verify_bent(void)
{
	unsigned int before = said(), i;
	struct handle h[SAVED];
	int err;

	load(h);
	for (i = 0; i < NBENT; i++) {
		err = look(&h[SAVED - NBENT + i]);
		TAP_OK(err == -ESTALE || err == -ELOOP, "bent/%s is not found: %d", bent[i], err);
	}
	TAP_EQ(said(), before, "of none of this a word is said");
}

int main(int argc, char **argv)
{
	const char *what = begin(argc, argv);

	if (!strcmp(what, "use")) {
		of_everything();
		moved();
		gone();
		reused();
		connected();
		remounted();
	} else if (!strcmp(what, "crash")) {
		crash();
	} else if (!strcmp(what, "save")) {
		save();
	} else if (!strcmp(what, "verify")) {
		verify();
	} else if (!strcmp(what, "bent")) {
		verify_bent();
	}
	return tap_done();
}
