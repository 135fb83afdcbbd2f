// SPDX-License-Identifier: GPL-2.0-only
/*
 * options.c - freezing, recovery and its refusal, errors=, journals elsewhere or nowhere.
 *
 * usage: options PART...
 * Each makes its own volumes on /dev/vda and, where two are needed, /dev/vdb.
 */
#include <dirent.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "port.h"
#include "format.h"
#include "guest.h"

#define NBYTES	100000

static char data[NBYTES], got[NBYTES + 1];

static bool mkfs(const char *a, const char *b)
{
	const char *const argv[] = { "mkfs.simplefs", "-fq", "-J", a, b, NULL };

	return guest_run(argv) == 0;
}

static bool file_make(const char *path)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
	bool good = fd >= 0 && write(fd, data, NBYTES) == NBYTES;

	return !close(fd) && good;
}

static bool file_is_whole(const char *path)
{
	int fd = open(path, O_RDONLY);
	bool good = fd >= 0 && read(fd, got, sizeof(got)) == NBYTES && !memcmp(got, data, NBYTES);

	close(fd);
	return good;
}

static int sync_all(void)
{
	int fd = open(GUEST_DIR, O_RDONLY);
	int err = syncfs(fd) ? -errno : 0;

	close(fd);
	return err;
}

static long inodes_used(void)
{
	struct statvfs st;

	return statvfs(GUEST_DIR, &st) ? -1 : (long)(st.f_files - st.f_ffree);
}

static bool same_content(const char *a, const char *b)
{
	static char one[1 << 16], two[1 << 16];
	int fd[2] = { open(a, O_RDONLY), open(b, O_RDONLY) };
	bool same = fd[0] >= 0 && fd[1] >= 0;
	ssize_t n = 1;

	while (same && (n = read(fd[0], one, sizeof(one))) > 0)
		same = read(fd[1], two, n) == n && !memcmp(one, two, n);
	close(fd[0]);
	close(fd[1]);
	return same && !n;
}

/* What the device holds at this moment, the page cache of the device apart: as after a crash. */
static int crash_copy(void)
{
	char *buf;
	int in = open(GUEST_DISK, O_RDONLY | O_DIRECT);
	int out = open(GUEST_SPARE, O_WRONLY);
	ssize_t n;
	int err = 0;

	if (in < 0 || out < 0 || posix_memalign((void **)&buf, 4096, 1 << 20))
		return -errno;
	fsync(in);		/* an earlier failure would be told to the first who reads */
	while (!err && (n = read(in, buf, 1 << 20)))
		if (n < 0 || write(out, buf, n) != n)
			err = -errno;
	if (fsync(out))
		err = -errno;
	free(buf);
	close(in);
	close(out);
	return err;
}

/* ---- freezing ---- */

static void freeze(void)
{
	int dir, gone;
	long used;

	TAP_REQUIRE(mkfs("size=4M", GUEST_DISK) && !guest_mount(GUEST_DISK, 0, ""), "a volume");
	dir = open(GUEST_DIR, O_RDONLY);
	TAP_OK(file_make("/mnt/kept") && file_make("/mnt/gone"), "two files");
	gone = open("/mnt/gone", O_RDWR);
	TAP_OK(gone >= 0 && !unlink("/mnt/gone"), "one of them open and unlinked");
	TAP_OK(!ioctl(dir, FIFREEZE, 0), "frozen");
	TAP_OK(ioctl(dir, FIFREEZE, 0) && errno == EBUSY, "not twice");
	TAP_EQ(guest_copy(GUEST_DISK, GUEST_SPARE), 0, "a snapshot of the device");
	TAP_OK(!ioctl(dir, FITHAW, 0), "thawed");
	TAP_OK(file_make("/mnt/later") && !sync_all(), "and written to");
	close(gone);
	used = inodes_used();
	close(dir);
	TAP_EQ(guest_umount(), 0, "unmounted");
	TAP_OK(guest_check(GUEST_DISK), "it checks clean");

	TAP_EQ(guest_mount(GUEST_SPARE, 0, ""), 0, "the snapshot is mounted");
	TAP_OK(file_is_whole("/mnt/kept") && !file_is_whole("/mnt/later"), "it has what was frozen");
	TAP_EQ(inodes_used(), used - 1, "and nothing of the unlinked file");
	TAP_EQ(guest_umount(), 0, "unmounted");
	TAP_OK(guest_check(GUEST_SPARE), "the snapshot checks clean");
}

/* ---- a device that fails ---- */

/* Of the coming requests, the first after @nbytes fails, or all from there on. */
static void disk_fails(long nbytes, bool for_good)
{
	guest_set("/sys/block/ubda/make-it-fail", "1");
	guest_set(GUEST_REQUESTS "verbose", "0");
	guest_set_num(GUEST_REQUESTS "space", nbytes);
	guest_set(GUEST_REQUESTS "times", for_good ? "-1" : "1");
	guest_set(GUEST_REQUESTS "probability", "100");
}

/* True if a request has failed meanwhile (not for good). */
static bool disk_works(void)
{
	char text[32] = "";

	guest_set(GUEST_REQUESTS "probability", "0");
	guest_get(GUEST_REQUESTS "times", text, sizeof(text));
	return atoi(text) == 0;
}

/* A transaction that could not commit is told to everyone who waits for it, also afterwards. */
static void aborted(void)
{
	int dir;

	TAP_REQUIRE(mkfs("size=4M", GUEST_DISK) && !guest_mount(GUEST_DISK, 0, ""), "a volume");
	dir = open(GUEST_DIR, O_RDONLY);
	TAP_OK(!syncfs(dir) && !mkdir("/mnt/new", 0755), "a change");
	disk_fails(0, false);
	TAP_OK(syncfs(dir) && errno == EIO, "its commit fails");
	disk_works();
	TAP_OK(fsync(dir) && errno == EIO, "fsync does not say that it is safe");
	TAP_OK(syncfs(dir) && errno == EIO, "nor does syncfs");
	close(dir);
	TAP_EQ(guest_umount(), 0, "unmounted");
	TAP_OK(!guest_mount(GUEST_DISK, 0, "") && !guest_umount(), "mounted again");
	TAP_OK(guest_check(GUEST_DISK), "it checks clean");
}

static void thaw_fails(void)
{
	int dir;

	TAP_REQUIRE(mkfs("size=4M", GUEST_DISK) && !guest_mount(GUEST_DISK, 0, ""), "a volume");
	dir = open(GUEST_DIR, O_RDONLY);
	TAP_OK(file_make("/mnt/kept") && !ioctl(dir, FIFREEZE, 0), "frozen");
	disk_fails(0, true);
	TAP_OK(!ioctl(dir, FITHAW, 0), "thawed although the device fails");
	disk_works();
	TAP_OK(mkdir("/mnt/new", 0755) && errno == EIO, "but shut down");
	close(dir);
	TAP_EQ(guest_umount(), 0, "unmounted");
	TAP_OK(!guest_mount(GUEST_DISK, 0, "") && file_is_whole("/mnt/kept"), "mounted again");
	TAP_OK(!guest_umount() && guest_check(GUEST_DISK), "it checks clean");
}

/* A freeze of which the n-th block fails; then a file, a crash, and a mount of what that left. */
static bool freeze_fails_at(int n, bool *ret_met, int *ret_failed)
{
	bool failed, synced;
	int dir;

	TAP_REQUIRE(mkfs("size=4M", GUEST_DISK) && !guest_mount(GUEST_DISK, 0, ""), "a volume");
	TAP_REQUIRE(file_make("/mnt/kept") && !sync_all(), "with a file");
	dir = open(GUEST_DIR, O_RDONLY);
	disk_fails(n * SFS_BLOCK_SIZE, false);
	failed = ioctl(dir, FIFREEZE, 0);
	*ret_met = disk_works();
	*ret_failed += failed;
	TAP_REQUIRE(failed || !ioctl(dir, FITHAW, 0), "thawed");
	synced = file_make("/mnt/later") && !syncfs(dir);
	TAP_REQUIRE(!crash_copy() && !close(dir) && !guest_umount(), "unmounted");
	TAP_REQUIRE(!guest_mount(GUEST_SPARE, 0, ""), "a copy as a crash would leave it is mounted");
	if (synced && !file_is_whole("/mnt/later"))
		return false;
	return !guest_umount() && guest_check(GUEST_SPARE);
}

/* A freeze that fails must not leave the clean mark on a volume in use. */
static void freeze_fails(void)
{
	bool met = true, good = true;
	int failed = 0;
	int n;

	for (n = 0; n < 256 && met && good; n++)
		good = freeze_fails_at(n, &met, &failed);
	TAP_OK(good && !met && failed, "%d of %d freezes fail, nothing synced after is lost", failed,
	       n - 1);
}

/* ---- damage ---- */

/* Spoils the contents of all tree nodes, which all belong to /mnt/many. */
static int spoil_nodes(void)
{
	static char block[SFS_BLOCK_SIZE];
	int fd = open(GUEST_DISK, O_RDWR);
	uint32_t magic;
	int count = 0;
	off_t pos;

	for (pos = 64 * SFS_BLOCK_SIZE; pread(fd, block, sizeof(block), pos) == sizeof(block);
	     pos += sizeof(block)) {
		memcpy(&magic, block, sizeof(magic));
		if (magic != SFS_MAGIC_NODE)
			continue;
		block[1000] ^= 0x55;
		count += pwrite(fd, block, sizeof(block), pos) == sizeof(block);
	}
	fsync(fd);
	close(fd);
	return count;
}

static void make_damaged(void)
{
	char name[80];
	int i;

	TAP_REQUIRE(mkfs("size=4M", GUEST_DISK) && !guest_mount(GUEST_DISK, 0, ""), "a volume");
	TAP_REQUIRE(!mkdir("/mnt/many", 0755) && file_make("/mnt/kept"), "with a directory");
	for (i = 0; i < 300; i++) {
		sprintf(name, "/mnt/many/a name of some length, number %d", i);
		TAP_REQUIRE(!mknod(name, S_IFREG | 0600, 0), "that has many names");
	}
	TAP_REQUIRE(!guest_umount(), "unmounted");
	TAP_REQUIRE(spoil_nodes() > 0, "and is damaged");
}

/* The error that listing /mnt/many meets, 0 if none. */
static int list_many(void)
{
	DIR *dir = opendir("/mnt/many");
	int err;

	if (!dir)
		return errno;
	for (errno = 0; readdir(dir);)
		;
	err = errno;
	closedir(dir);
	return err;
}

static bool is_damage(int err)
{
	return err == EBADMSG || err == EUCLEAN;
}

static void frozen_damage(void)
{
	int i, dir;

	TAP_EQ(guest_mount(GUEST_DISK, 0, "errors=continue"), 0, "mounted with errors=continue");
	dir = open(GUEST_DIR, O_RDONLY);
	TAP_OK(!ioctl(dir, FIFREEZE, 0) && !guest_copy(GUEST_DISK, GUEST_SPARE), "frozen, copied");
	TAP_OK(is_damage(list_many()), "damage is found while frozen");
	for (i = 0; i < 20; i++) {
		poll(NULL, 0, 10);
		syncfs(dir);
	}
	guest_set("/proc/sys/vm/drop_caches", "1");
	TAP_OK(same_content(GUEST_DISK, GUEST_SPARE), "and nothing is written before the thaw");
	TAP_OK(!ioctl(dir, FITHAW, 0) && !syncfs(dir), "thawed");
	TAP_OK(file_make("/mnt/other") && !sync_all(), "continue: other files can be written");
	close(dir);
	TAP_EQ(guest_umount(), 0, "unmounted");
}

static void errors(void)
{
	make_damaged();
	frozen_damage();
	TAP_EQ(guest_mount(GUEST_DISK, 0, "errors=remount-ro"), 0, "mounted with errors=remount-ro");
	TAP_OK(file_make("/mnt/before") && !sync_all(), "can be written at first");
	TAP_OK(is_damage(list_many()), "damage is met");
	TAP_OK(open("/mnt/after", O_CREAT | O_WRONLY, 0600) < 0 && errno == EROFS, "no more changes");
	TAP_OK(file_is_whole("/mnt/kept") && file_is_whole("/mnt/before"), "reading goes on");
	TAP_EQ(guest_umount(), 0, "unmounted");
	TAP_EQ(guest_mount(GUEST_DISK, MS_RDONLY, ""), 0, "mounted read-only");
	TAP_OK(file_is_whole("/mnt/before"), "what was written before the damage was met is there");
	TAP_EQ(mount("none", GUEST_DIR, NULL, MS_REMOUNT, "errors=continue"), 0, "remounted");
	TAP_OK(is_damage(list_many()) && file_make("/mnt/after"), "errors=continue again");
	TAP_EQ(guest_umount(), 0, "unmounted");
}

static void panic_on_damage(void)
{
	make_damaged();
	TAP_EQ(guest_mount(GUEST_DISK, 0, "errors=panic"), 0, "mounted with errors=panic");
	list_many();
	TAP_OK(false, "still alive");
}

/* ---- recovery ---- */

static int set_readonly(const char *dev, int on)
{
	int fd = open(dev, O_RDONLY);
	int err = ioctl(fd, BLKROSET, &on) ? -errno : 0;

	close(fd);
	return err;
}

/* An fsync of a file that had left memory while its transaction was still open. */
static void forgotten(void)
{
	const unsigned int flags = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				   SYNC_FILE_RANGE_WAIT_AFTER;
	int fd;

	TAP_REQUIRE(mkfs("size=4M", GUEST_DISK) && !guest_mount(GUEST_DISK, 0, ""), "a volume");
	TAP_OK(!sync_all() && file_make("/mnt/file"), "a new file");
	fd = open("/mnt/file", O_RDONLY);
	TAP_OK(!sync_file_range(fd, 0, 0, flags) && !close(fd), "its data is written");
	/* The flusher must have been at the inode as well, or it is kept. */
	guest_set("/proc/sys/vm/dirty_expire_centisecs", "1");
	guest_set("/proc/sys/vm/dirty_writeback_centisecs", "1");
	poll(NULL, 0, 1000);
	/* Names, pages, inodes: each holds the next. */
	guest_set("/proc/sys/vm/drop_caches", "3");
	guest_set("/proc/sys/vm/drop_caches", "3");
	fd = open("/mnt/file", O_RDONLY);
	TAP_OK(fd >= 0 && !fsync(fd) && !close(fd), "forgotten, opened and synced");
	TAP_EQ(crash_copy(), 0, "a copy as a crash would leave it");
	TAP_OK(!guest_umount() && !guest_mount(GUEST_SPARE, 0, ""), "mounted");
	TAP_OK(file_is_whole("/mnt/file"), "the file is whole");
	TAP_EQ(guest_umount(), 0, "unmounted");
}

static void recovery(void)
{
	TAP_REQUIRE(mkfs("size=4M", GUEST_DISK) && !guest_mount(GUEST_DISK, 0, ""), "a volume");
	TAP_OK(file_make("/mnt/kept") && !sync_all(), "a file that has committed");
	TAP_EQ(crash_copy(), 0, "a copy as a crash would leave it");
	TAP_EQ(guest_umount(), 0, "unmounted");

	TAP_EQ(guest_mount(GUEST_SPARE, 0, "norecovery"), -EINVAL, "norecovery wants ro");
	TAP_EQ(guest_mount(GUEST_SPARE, MS_RDONLY, "norecovery"), 0, "and has it");
	TAP_OK(mount("none", GUEST_DIR, NULL, MS_REMOUNT, NULL) && errno == EROFS,
	       "not to be made writable");
	TAP_EQ(guest_umount(), 0, "unmounted");
	TAP_EQ(set_readonly(GUEST_SPARE, 1), 0, "the device is read-only");
	TAP_EQ(guest_mount(GUEST_SPARE, MS_RDONLY, ""), -EROFS, "then it cannot be recovered");
	TAP_EQ(guest_mount(GUEST_SPARE, MS_RDONLY, "norecovery"), 0, "but looked at");
	TAP_EQ(guest_umount(), 0, "unmounted");
	TAP_EQ(set_readonly(GUEST_SPARE, 0), 0, "the device is writable");
	TAP_EQ(guest_mount(GUEST_SPARE, MS_RDONLY, ""), 0, "a read-only mount recovers");
	TAP_OK(file_is_whole("/mnt/kept"), "the file is there");
	TAP_EQ(mount("none", GUEST_DIR, NULL, MS_REMOUNT, NULL), 0, "made writable");
	TAP_OK(file_make("/mnt/more"), "and written to");
	TAP_EQ(guest_umount(), 0, "unmounted");
	TAP_OK(guest_check(GUEST_SPARE), "it checks clean");
}

/* ---- journals elsewhere, and none ---- */

static void with_journal(const char *options)
{
	struct stat st;

	TAP_EQ(guest_mount(GUEST_DISK, 0, options), 0, "mounted with %s", options);
	TAP_OK(file_make("/mnt/file") && !sync_all() && !stat("/mnt/file", &st), "written to");
	TAP_OK(!mount("none", GUEST_DIR, NULL, MS_REMOUNT | MS_RDONLY, NULL) &&
	       !mount("none", GUEST_DIR, NULL, MS_REMOUNT, NULL), "read-only and back");
	TAP_OK(file_make("/mnt/file") && file_is_whole("/mnt/file"), "written to again");
	TAP_EQ(guest_umount(), 0, "unmounted");
	TAP_OK(guest_check(GUEST_DISK), "it checks clean");
}

static void journals(void)
{
	char options[64];
	struct stat st;

	TAP_REQUIRE(mkfs("device=" GUEST_SPARE, GUEST_DISK), "a volume with its journal on " GUEST_SPARE);
	TAP_EQ(guest_mount(GUEST_DISK, 0, ""), -EINVAL, "is not mounted without it");
	TAP_OK(guest_mount(GUEST_DISK, 0, "journal_path=/dev/null") < 0, "nor with something else");
	TAP_OK(guest_mount(GUEST_DISK, 0, "journal_dev=65535") < 0, "nor with no device");
	with_journal("journal_path=" GUEST_SPARE);
	TAP_REQUIRE(!stat(GUEST_SPARE, &st), "the journal's device");
	sprintf(options, "journal_dev=%u", (minor(st.st_rdev) & 0xff) | major(st.st_rdev) << 8 |
		(minor(st.st_rdev) & ~0xffU) << 12);
	with_journal(options);
	TAP_EQ(guest_mount(GUEST_DISK, MS_RDONLY, ""), 0, "clean, it is read without its journal");
	TAP_OK(mount("none", GUEST_DIR, NULL, MS_REMOUNT, NULL) && errno == EINVAL,
	       "but not written");
	TAP_EQ(mount("none", GUEST_DIR, NULL, MS_REMOUNT, "journal_path=" GUEST_SPARE), 0,
	       "until it is named");
	TAP_OK(file_make("/mnt/file") && !guest_umount(), "then it is");

	TAP_REQUIRE(mkfs("none", GUEST_DISK), "a volume without a journal");
	with_journal("");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} parts[] = {
		{ "freeze", freeze }, { "errors", errors }, { "panic", panic_on_damage },
		{ "recovery", recovery },
		{ "forgotten", forgotten }, { "aborted", aborted }, { "thaw", thaw_fails },
		{ "freezefail", freeze_fails }, { "journals", journals },
	};
	unsigned int i;
	int n;

	memset(data, 'o', sizeof(data));
	TAP_REQUIRE(!guest_load(), "loaded");
	guest_leaks_forget();
	for (n = 1; n < argc; n++)
		for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			if (!strcmp(argv[n], parts[i].name))
				parts[i].run();
	guest_unload_clean();
	return tap_done();
}
