// SPDX-License-Identifier: GPL-2.0-only
/*
 * grow.c - a volume that becomes larger while it is mounted, and full, and used, and trimmed.
 *
 * "use" goes through sizes where groups and zones begin, up to the device's; "refuse" is told of no
 * for every reason; "many" says "round N" for each of many growths, on one of which the machine is
 * killed; "verify" looks at what "many" has synced.  "zones" grows a volume of many zones in use.
 *
 * usage: grow use|refuse|many|verify|zones DEVICE DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "ioctl.h"
#include "tap/tap.h"

#define BLOCK		4096
#define CHUNK		(64 << 10)
#define USER		1000
#define SHUTDOWN	_IOR('X', 125, unsigned int)
#define WRITERS		3
#define LATE_MS		20

static const char *device, *dir;
static int fd;
static unsigned long long had, has;	/* of the last growth, as it was told */

/* Nothing is waited for: others get time to run. */
static void rest(int times)
{
	poll(NULL, 0, times * LATE_MS);
}

static void attach(void)
{
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	TAP_REQUIRE(fd >= 0 && !chdir(dir), "%s", dir);
}

static int grow_by(int by, unsigned long long blocks)
{
	struct sfs_grow_args args = { .g_blocks = blocks, .g_was = 7 };

	if (ioctl(by, SFS_IOC_GROW, &args))
		return -errno;
	had = args.g_was;
	has = args.g_blocks;
	return 0;
}

static int grow(unsigned long long blocks)
{
	return grow_by(fd, blocks);
}

static unsigned long long device_blocks(void)
{
	int dev = open(device, O_RDONLY);
	off_t end = lseek(dev, 0, SEEK_END);

	close(dev);
	return end / BLOCK;
}

static struct statvfs counts(void)
{
	struct statvfs st;

	TAP_REQUIRE(!fstatvfs(fd, &st), "counted");
	return st;
}

/* ---- writers: each knows what its file holds ---- */

struct writer {
	pthread_t thread;
	unsigned int number;
	unsigned long nbytes;		/* written, all of it */
	unsigned long full;		/* answers that there is no room */
	unsigned long bad;		/* others */
};

static volatile bool over;

static void fill(unsigned char *buf, unsigned int number, unsigned long pos)
{
	unsigned long i;

	for (i = 0; i < CHUNK; i += sizeof(i))
		*(unsigned long *)(buf + i) = (pos + i) * 31 + number;
}

static void *write_on(void *arg)
{
	struct writer *w = arg;
	unsigned char *buf = malloc(CHUNK);
	char name[32];
	int file, small;
	ssize_t n;

	snprintf(name, sizeof(name), "writer %u", w->number);
	file = open(name, O_WRONLY | O_CREAT | (w->number == 1 ? O_DSYNC : 0), 0644);
	while (!over) {
		fill(buf, w->number, w->nbytes);
		n = pwrite(file, buf, CHUNK, w->nbytes);
		if (n == CHUNK) {
			w->nbytes += n;
		} else if (n >= 0 || errno == ENOSPC) {
			w->full++;
			rest(1);
		} else {
			w->bad++;
		}
		snprintf(name, sizeof(name), "small %u", w->number);
		small = open(name, O_WRONLY | O_CREAT, 0644);
		w->bad += small < 0 && errno != ENOSPC;
		close(small);
		w->bad += small >= 0 && unlink(name);
		/* Not all of it at once, however large it becomes. */
		if (w->nbytes % (16 << 20) == 0)
			rest(1);
	}
	w->bad += fsync(file) != 0;
	close(file);
	free(buf);
	return NULL;
}

static unsigned long written(const struct writer *w)
{
	unsigned long n = 0, i;

	for (i = 0; i < WRITERS; i++)
		n += *(volatile unsigned long *)&w[i].nbytes;
	return n;
}

/* Is each byte of it there?  @nbytes or more. */
static bool holds(unsigned int number, unsigned long nbytes)
{
	unsigned char *want = malloc(CHUNK), *got = malloc(CHUNK);
	unsigned long pos;
	char name[32];
	int file;
	bool good;

	snprintf(name, sizeof(name), "writer %u", number);
	file = open(name, O_RDONLY);
	good = file >= 0;
	for (pos = 0; pos < nbytes && good; pos += CHUNK) {
		fill(want, number, pos);
		good = pread(file, got, CHUNK, pos) == CHUNK && !memcmp(want, got, CHUNK);
	}
	close(file);
	free(want);
	free(got);
	return good;
}

static void *trim_on(void *arg)
{
	unsigned long *bad = arg;

	while (!over) {
		struct fstrim_range range = { .len = ~0ULL };

		*bad += ioctl(fd, FITRIM, &range) != 0;
		rest(1);
	}
	return NULL;
}

static void *freeze_on(void *arg)
{
	unsigned long *bad = arg;

	while (!over) {
		*bad += ioctl(fd, FIFREEZE, 0) || ioctl(fd, FITHAW, 0);
		rest(10);
	}
	return NULL;
}

/* Space that is taken is never more than there is, nor free more: at any moment. */
static void *look_on(void *arg)
{
	unsigned long *bad = arg;
	struct statvfs st;

	while (!over) {
		*bad += fstatvfs(fd, &st) || st.f_bfree > st.f_blocks || st.f_bavail > st.f_bfree;
		sched_yield();
	}
	return NULL;
}

/* All that there is, but for what writers have to have; then they find none either. */
static void ballast(const char *name)
{
	int file = open(name, O_WRONLY | O_CREAT, 0644);
	off_t step = 1L << 40, pos = 0;

	for (; step >= BLOCK; step /= 2)
		while (!fallocate(file, 0, pos, step))
			pos += step;
	close(file);
}

static const unsigned long long sizes[] = {
	15361,				/* one block more than 60 MiB */
	15616, 32255, 32256, 32257, 32300, 40000,
	65535, 65536, 65537,		/* where volumes become large */
	3 * 32256, 17 * 32256 + 5,
	(1ULL << 20) - 1,		/* 4 GiB - 1; the zone ends at 1,032,192 */
	1310720, 2359296,
};

static void grown(void)
{
	unsigned long bad[3] = { 0, 0, 0 }, before, full = 0, others = 0;
	struct writer w[WRITERS] = { };
	pthread_t trimmer, freezer, looker;
	unsigned long long was = 15360;
	struct statvfs st, st2;
	unsigned int i, n;
	char name[32];

	for (i = 0; i < WRITERS; i++) {
		w[i].number = i;
		TAP_REQUIRE(!pthread_create(&w[i].thread, NULL, write_on, &w[i]), "a writer");
	}
	TAP_REQUIRE(!pthread_create(&trimmer, NULL, trim_on, &bad[0]) &&
		    !pthread_create(&freezer, NULL, freeze_on, &bad[1]) &&
		    !pthread_create(&looker, NULL, look_on, &bad[2]), "threads");
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(name, sizeof(name), "ballast %u", i);
		ballast(name);
		for (n = 0; n < 500 && !w[0].full; n++)
			rest(1);
		st = counts();
		before = written(w);
		TAP_EQ(grow(sizes[i]), 0, "grows to %llu blocks", sizes[i]);
		/* A last zone too short is left out. */
		TAP_OK(had == was && has <= sizes[i] && has > sizes[i] - 512, "from %llu to %llu",
		       had, has);
		st2 = counts();
		TAP_EQ(st2.f_blocks - st.f_blocks, has - had, "as df says");
		was = has;
		/* What is so little may be kept for what must not fail. */
		for (n = 0; n < 500 && has - had > 8192 && written(w) == before; n++)
			rest(1);
		if (has - had > 8192)
			TAP_OK(written(w) > before, "and the full volume goes on");
	}
	rest(10);
	over = true;
	for (i = 0; i < WRITERS; i++) {
		pthread_join(w[i].thread, NULL);
		full += w[i].full;
		others += w[i].bad;
	}
	pthread_join(trimmer, NULL);
	pthread_join(freezer, NULL);
	pthread_join(looker, NULL);
	TAP_EQ(others, 0, "writers had no other answer than that it is full (%lu times)", full);
	TAP_OK(full, "and that they had");
	for (i = 0; i < WRITERS; i++)
		TAP_OK(holds(i, w[i].nbytes), "what writer %u has written: %lu KiB", i,
		       w[i].nbytes >> 10);
	TAP_EQ(bad[0], 0, "trimmed all the time");
	TAP_EQ(bad[1], 0, "and frozen");
	TAP_EQ(bad[2], 0, "and never more free than there is");
	TAP_EQ(grow(SFS_GROW_DEVICE), 0, "as large as the device");
	TAP_EQ(has, device_blocks(), "is all of it");
	TAP_EQ(grow(SFS_GROW_DEVICE), 0, "once more");
	TAP_EQ(has - had, 0, "is nothing to do");
}

/* After all of it: the new blocks are blocks like all others. */
static void emptied(void)
{
	char name[32];
	unsigned int i;
	struct statvfs st;
	int file;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(name, sizeof(name), "ballast %u", i);
		/* There may have been no room for its name. */
		TAP_REQUIRE(!unlink(name) || errno == ENOENT, "%s", name);
	}
	for (i = 0; i < WRITERS; i++) {
		snprintf(name, sizeof(name), "writer %u", i);
		TAP_REQUIRE(!unlink(name), "%s", name);
	}
	TAP_REQUIRE(!syncfs(fd), "synced");
	st = counts();
	file = open("all", O_WRONLY | O_CREAT, 0644);
	TAP_EQ(fallocate(file, 0, 0, (off_t)(st.f_bavail - 64) * BLOCK), 0,
	       "all of %lu blocks can be had", st.f_bavail);
	close(file);
	TAP_REQUIRE(!syncfs(fd), "synced");
	st = counts();
	/* For whom compares it with what a check finds. */
	printf("# free %lu\n", st.f_bfree);
	fflush(stdout);
}

static void refused(void)
{
	unsigned long long was, most = device_blocks();
	struct rlimit none = { 0, 0 };
	unsigned int how = 0;
	int status, file;

	TAP_EQ(grow(counts().f_blocks - 1), -EINVAL, "no smaller");
	TAP_EQ(grow(0), -EINVAL, "nothing is no size");
	TAP_EQ(grow(1ULL << 48), -EINVAL, "more than the format can");
	TAP_EQ(grow(most + 1), -ENOSPC, "more than the device has");
	TAP_EQ(ioctl(fd, SFS_IOC_GROW, NULL) ? errno : 0, EFAULT, "no memory");
	TAP_EQ(grow(SFS_GROW_DEVICE), 0, "what can be");
	was = has;
	TAP_EQ(was, most, "is");
	TAP_EQ(grow(was), 0, "the size it has");
	TAP_OK(had == was && has == was, "changes nothing");
	TAP_EQ(grow(was - 1), -EINVAL, "and not back");
	if (!fork()) {
		TAP_REQUIRE(!setrlimit(RLIMIT_CORE, &none) && !setuid(USER), "setuid");
		_exit(grow(was) == -EPERM ? 0 : 1);
	}
	wait(&status);
	TAP_EQ(status, 0, "others may not");
	file = open("file", O_RDWR | O_CREAT, 0644);
	TAP_EQ(grow_by(file, was), 0, "by any file of it");
	close(file);
	TAP_REQUIRE(!mount(device, dir, "simplefs", MS_REMOUNT | MS_RDONLY, ""), "read-only");
	TAP_EQ(grow(was), -EROFS, "nobody changes a read-only volume");
	TAP_REQUIRE(!mount(device, dir, "simplefs", MS_REMOUNT, ""), "read-write");
	TAP_REQUIRE(!ioctl(fd, SHUTDOWN, &how), "stopped");
	TAP_EQ(grow(was), -EIO, "none after a shutdown");
}

/* ---- the plug ---- */

static unsigned long long round_size(unsigned int n)
{
	return 16000 + n * 40000ULL;	/* some groups begin in each, now and then a zone */
}

static void many(void)
{
	char name[32];
	unsigned int n;
	int file;

	for (n = 0; n < 200; n++) {
		printf("round %u\n", n);
		fflush(stdout);
		TAP_REQUIRE(!grow(round_size(n)), "%llu blocks", round_size(n));
		snprintf(name, sizeof(name), "round %u", n);
		file = open(name, O_WRONLY | O_CREAT, 0644);
		TAP_REQUIRE(file >= 0 && !fsync(file) && !close(file), "%s", name);
		snprintf(name, sizeof(name), "rest %u", n);
		ballast(name);
	}
}

/* The volume is as large as it was when the last file was synced, or is larger. */
static void verify(void)
{
	unsigned int n = 0;
	char name[32];

	do
		snprintf(name, sizeof(name), "round %u", n++);
	while (!access(name, F_OK));
	TAP_OK(n > 1, "%u rounds were synced", n - 1);
	TAP_EQ(grow(0), -EINVAL, "a size");
	TAP_EQ(grow(SFS_GROW_DEVICE), 0, "as large as the device");
	TAP_OK(n < 2 || had >= round_size(n - 2), "it had %llu blocks", had);
	TAP_OK(had <= round_size(n), "and no more than were asked for");
}

/* ---- many zones ---- */

static volatile bool last;		/* the volume has its last size */

/* All that there is; the first that cannot be had after the last growth is the end. */
static void *begin_zones(void *arg)
{
	int file = open("large", O_WRONLY | O_CREAT, 0644);
	bool go = true, was_last;
	long i = 0;

	while (go) {
		was_last = last;
		if (!fallocate(file, 0, i << 30, 1L << 30))
			i++;
		else
			go = !was_last;
		sched_yield();
	}
	close(file);
	*(long *)arg = i;
	return NULL;
}

static void zones(void)
{
	unsigned long long most = device_blocks(), blocks = counts().f_blocks + 2000;
	unsigned int n = 0, bad = 0;
	pthread_t beginner;
	long gib;

	TAP_REQUIRE(!pthread_create(&beginner, NULL, begin_zones, &gib), "a thread");
	/* Each time some zones more; all that there is, is taken meanwhile. */
	for (; blocks < most; blocks += 4000000, n++) {
		bad += grow(blocks) != 0;
		rest(1);
	}
	bad += grow(most) != 0;
	last = true;
	pthread_join(beginner, NULL);
	TAP_EQ(bad, 0, "%u growths while zones are begun", n + 1);
	TAP_EQ(has, most, "to the end");
	TAP_OK(gib > (long)(most >> 18) - 3, "in which there are %ld GiB", gib);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	device = argv[2];
	dir = argv[3];
	attach();
	alarm(800);
	if (!strcmp(argv[1], "use")) {
		grown();
		emptied();
	} else if (!strcmp(argv[1], "refuse")) {
		refused();
	} else if (!strcmp(argv[1], "many")) {
		many();
	} else if (!strcmp(argv[1], "verify")) {
		verify();
	} else if (!strcmp(argv[1], "zones")) {
		zones();
	}
	return tap_done();
}
