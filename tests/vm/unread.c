// SPDX-License-Identifier: GPL-2.0-only
/*
 * unread.c - files whose cut stops at a block that cannot be read, and which grow afterwards.
 *
 * usage: unread [crash|after|make|nameless|named] DIR
 * Of each file the node that its end lies in fails to be read once.  With crash, nothing is looked
 * at: the sizes are committed, the data is not, and the plug is to be pulled; after looks then.
 * make leaves a file that is like them, nameless cuts one while it has no name, and gives it one
 * when it has grown, then as crash; named looks.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap/tap.h"

#define BLOCK	4096
#define SHORT	(BLOCK + 100)		/* what remains of a file */
#define LONG	(399 * BLOCK)
#define MORE	64			/* blocks of what is written at the end */

static char *buf;

/* Is each byte of [@from, @end) of the file zero, or @also? */
static bool is_zero_or(int fd, off_t from, off_t end, char also)
{
	ssize_t n;
	ssize_t i;

	for (; from < end; from += n) {
		n = pread(fd, buf, BLOCK, from);
		TAP_REQUIRE(n > 0, "it is read");
		for (i = 0; i < n && from + i < end; i++)
			if (buf[i] && buf[i] != also)
				return false;
	}
	return true;
}

static void cut(const char *name, int fd)
{
	struct stat st;

	TAP_EQ(ftruncate(fd, SHORT) ? errno : 0, EIO, "%s cannot be cut", name);
	TAP_OK(!fstat(fd, &st) && st.st_size == SHORT, "but is as short");
}

/* ---- four ways to grow over what a cut has left ---- */

static bool stretch(int fd)
{
	return !ftruncate(fd, LONG);
}

static bool append(int fd)
{
	return pwrite(fd, "end", 3, LONG) == 3;
}

static bool write_direct(int fd)
{
	memset(buf, 'd', BLOCK);
	return pwrite(fd, buf, BLOCK, LONG) == BLOCK;
}

static bool reserve(int fd)
{
	return !fallocate(fd, 0, 0, LONG);
}

/* At the very end, over blocks that the cut has left: their data must not be what was there. */
static bool extend(int fd)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extents[MORE];
	} f = { .map = { .fm_start = 2 * BLOCK, .fm_length = (MORE - 1) * BLOCK,
			 .fm_extent_count = MORE } };
	unsigned int i, bad = 0;

	memset(buf, 'e', MORE * BLOCK);
	if (pwrite(fd, buf, MORE * BLOCK, SHORT) != MORE * BLOCK || ioctl(fd, FS_IOC_FIEMAP, &f))
		return false;
	for (i = 0; i < f.map.fm_mapped_extents; i++)
		bad += !(f.extents[i].fe_flags & (FIEMAP_EXTENT_UNWRITTEN |
						  FIEMAP_EXTENT_DELALLOC));
	TAP_OK(f.map.fm_mapped_extents && !bad,
	       "none of %u extents counts as written before it is", f.map.fm_mapped_extents);
	return true;
}

static const struct file {
	const char *name;
	int flags;
	bool (*grow)(int fd);
} files[] = {
	{ "stretched", 0, stretch },
	{ "appended", 0, append },
	{ "direct", O_DIRECT, write_direct },
	{ "reserved", 0, reserve },
	{ "extended", 0, extend },
};

static const struct file nameless = { "nameless", 0, extend };

/* Each second block is written, at once and in order: it always lies at the same place. */
static int make_nameless(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR | O_DIRECT, 0600);
	int i;

	memset(buf, 'x', BLOCK);
	for (i = 0; i < 400; i += 2)
		TAP_REQUIRE(pwrite(fd, buf, BLOCK, i * BLOCK) == BLOCK, "a block");
	TAP_REQUIRE(!fsync(fd) && !fcntl(fd, F_SETFL, 0), "a file without a name");
	return fd;
}

static void give_name(int fd)
{
	TAP_OK(!linkat(fd, "", AT_FDCWD, nameless.name, AT_EMPTY_PATH), "it gets a name");
}

/* Nothing of the volume stays in memory but what is open. */
static void forget_blocks(void)
{
	int dir = open(".", O_RDONLY);
	int dev = open("/dev/vda", O_RDONLY);

	TAP_REQUIRE(!ioctl(dir, FIFREEZE, 0) && !ioctl(dir, FITHAW, 0), "all is in place");
	TAP_REQUIRE(!ioctl(dev, BLKFLSBUF), "and forgotten");
	close(dev);
	close(dir);
}

static void change_nameless(void)
{
	int fd = make_nameless();

	forget_blocks();
	cut("a file without a name", fd);
	TAP_OK(extend(fd), "it grows");
	give_name(fd);
	close(fd);
}

static void change(const struct file *f)
{
	int fd = open(f->name, O_RDWR | f->flags);

	TAP_REQUIRE(fd >= 0, "%s is opened", f->name);
	cut(f->name, fd);
	TAP_OK(f->grow(fd), "it grows");
	close(fd);
}

static void look(const struct file *f)
{
	int fd = open(f->name, O_RDONLY);
	struct stat st;

	TAP_REQUIRE(fd >= 0 && !fstat(fd, &st), "%s is opened", f->name);
	if (f->grow == extend) {
		TAP_OK(is_zero_or(fd, SHORT, st.st_size, 'e'), "%s shows nothing that it had there",
		       f->name);
		close(fd);
		return;
	}
	TAP_OK(st.st_size == SHORT || st.st_size >= LONG, "%s is short or long", f->name);
	TAP_OK(is_zero_or(fd, SHORT, st.st_size < LONG ? st.st_size : LONG, 0),
	       "%s shows nothing that it had there", f->name);
	close(fd);
}

static void each(void (*call)(const struct file *f))
{
	unsigned int i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		call(&files[i]);
}

static void change_and_look(const struct file *f)
{
	change(f);
	look(f);
}

/* Another file's fsync commits the sizes. */
static int crash(void)
{
	int fd = open("other", O_CREAT | O_WRONLY, 0600);

	TAP_OK(fd >= 0 && !fsync(fd), "pull now");
	fflush(stdout);
	pause();
	return 1;
}

int main(int argc, char **argv)
{
	const char *what = argc == 3 ? argv[1] : "";

	TAP_REQUIRE(argc == 2 || argc == 3, "usage: unread [crash|after|make|nameless|named] DIR");
	TAP_REQUIRE(!chdir(argv[argc - 1]), "the directory");
	buf = aligned_alloc(BLOCK, MORE * BLOCK);
	TAP_REQUIRE(buf, "a buffer");
	if (!strcmp(what, "crash")) {
		each(change);
		return crash();
	}
	if (!strcmp(what, "nameless")) {
		change_nameless();
		return crash();
	}
	if (!strcmp(what, "make"))
		give_name(make_nameless());
	else if (!strcmp(what, "named"))
		look(&nameless);
	else
		each(strcmp(what, "after") ? change_and_look : look);
	return tap_done();
}
