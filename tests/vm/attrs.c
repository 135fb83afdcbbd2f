// SPDX-License-Identifier: GPL-2.0-only
/*
 * attrs.c - extended attributes and access control lists by their system calls.
 *
 * "pull" counts rounds, on one of which the machine is killed; then each attribute has one of the values
 * that it was given, whole, what had been synced is there, and no file is without the list that it
 * was to inherit.  "full" wants a volume of 32 MiB that is all its own.
 *
 * usage: attrs use|verify|full|made|pull|verify-pull DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/limits.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/xattr.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "tap/tap.h"

#define LARGE		65536
#define FILES		40
#define WORKERS		4
#define ROUNDS		400
#define USER		1000
#define ACCESS		"system.posix_acl_access"
#define DEFAULT		"system.posix_acl_default"

static char value[LARGE + 1], back[LARGE + 1];

static void make(const char *name, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, mode);

	TAP_REQUIRE(fd >= 0 && !close(fd), "%s is made", name);
}

/* A value of @nbytes that says which it is. */
static void fill(int nbytes, int seed)
{
	int i;

	for (i = 0; i < nbytes; i++)
		value[i] = seed + i * 7 + (i >> 8);
}

static int set(const char *path, const char *name, int nbytes, int seed, int flags)
{
	fill(nbytes, seed);
	return lsetxattr(path, name, value, nbytes, flags) ? -errno : 0;
}

static bool has(const char *path, const char *name, int nbytes, int seed)
{
	int n = lgetxattr(path, name, back, sizeof(back));

	fill(nbytes, seed);
	return n == nbytes && !memcmp(back, value, nbytes);
}

static int get(const char *path, const char *name, int nbytes)
{
	int n = lgetxattr(path, name, nbytes ? back : NULL, nbytes);

	return n < 0 ? -errno : n;
}

static int drop(const char *path, const char *name)
{
	return lremovexattr(path, name) ? -errno : 0;
}

/* Bytes of the list; @want are the names that it must hold, each once. */
static bool lists(const char *path, const char *const *want)
{
	int n = llistxattr(path, back, sizeof(back));
	int sum = 0;

	for (; *want; want++) {
		const char *p = back;

		while (p < back + n && strcmp(p, *want))
			p += strlen(p) + 1;
		if (p >= back + n)
			return false;
		sum += strlen(*want) + 1;
	}
	return n == sum && llistxattr(path, NULL, 0) == sum;
}

static void values(void)
{
	static const int sizes[] = { 0, 1, 100, 1009, 1010, 2033, 2034, 5000, LARGE };
	char longest[XATTR_NAME_MAX + 2] = "user.";
	char name[32];
	unsigned int i, bad = 0;

	make("values", 0644);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(name, sizeof(name), "user.%u", i);
		bad += set("values", name, sizes[i], i, 0) || !has("values", name, sizes[i], i);
	}
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(name, sizeof(name), "user.%u", i);
		bad += !has("values", name, sizes[i], i);
	}
	TAP_EQ(bad, 0, "values from 0 bytes to 64 KiB");
	TAP_EQ(set("values", "user.more", LARGE + 1, 1, 0), -E2BIG, "one byte more is too much");
	TAP_EQ(get("values", "user.8", 0), LARGE, "the length alone");
	TAP_EQ(get("values", "user.8", LARGE - 1), -ERANGE, "a buffer that is too short");
	TAP_EQ(get("values", "user.none", 0), -ENODATA, "one that is not there");
	TAP_EQ(drop("values", "user.none"), -ENODATA, "cannot be removed");
	TAP_EQ(set("values", "user.0", 3, 9, XATTR_CREATE), -EEXIST, "made anew: it is there");
	TAP_EQ(set("values", "user.new", 3, 9, XATTR_REPLACE), -ENODATA, "replaced: it is not");
	TAP_EQ(set("values", "user.new", 3, 9, XATTR_CREATE), 0, "made anew");
	TAP_EQ(set("values", "user.new", 4000, 8, XATTR_REPLACE), 0, "replaced");
	TAP_OK(has("values", "user.new", 4000, 8), "by what was given");
	TAP_EQ(set("values", "user.8", 10, 3, 0), 0, "64 KiB become 10 bytes");
	TAP_OK(has("values", "user.8", 10, 3) && has("values", "user.7", 5000, 7), "and no others");
	TAP_EQ(set("values", "user.", 3, 3, 0), -EINVAL, "no name at all");
	TAP_EQ(set("values", "strange.name", 3, 3, 0), -EOPNOTSUPP, "a namespace that is none");
	memset(longest + 5, 'n', XATTR_NAME_MAX - 5);
	TAP_EQ(set("values", longest, 30, 30, 0), 0, "the longest name");
	TAP_OK(has("values", longest, 30, 30), "is found");
	longest[XATTR_NAME_MAX] = 'n';
	TAP_EQ(set("values", longest, 30, 30, 0), -ERANGE, "one that is too long");
}

static void listing(void)
{
	static const char *const all[] = { "user.a", "user.bb", "trusted.c", "security.d", NULL };
	static const char *const some[] = { "user.a", "user.bb", "security.d", NULL };
	int i, status;

	make("listed", 0666);
	TAP_EQ(llistxattr("listed", NULL, 0), 0, "a list of none");
	for (i = 0; all[i]; i++)
		TAP_REQUIRE(!set("listed", all[i], 10, i, 0), "set");
	TAP_OK(lists("listed", all), "a list of all");
	TAP_OK(llistxattr("listed", back, 8) < 0 && errno == ERANGE, "that has no room");
	if (!fork()) {
		TAP_REQUIRE(!setuid(USER), "setuid");
		_exit(lists("listed", some) && get("listed", "trusted.c", 0) == -ENODATA &&
		      set("listed", "trusted.c", 1, 1, 0) == -EPERM &&
		      set("listed", "user.a", 1, 1, 0) == 0 ? 0 : 1);
	}
	wait(&status);
	TAP_EQ(status, 0, "others neither see nor set what is trusted");
}

static void of_all_types(void)
{
	struct stat st;
	char target[8];

	TAP_REQUIRE(!symlink("target", "link") && !mkfifo("fifo", 0644) &&
		    !mknod("null", S_IFCHR | 0666, makedev(1, 3)) && !mkdir("dir", 0755), "made");
	TAP_EQ(set("link", "user.a", 10, 1, 0), -EPERM, "a symlink has none of a user");
	TAP_EQ(set("link", "trusted.a", 5000, 1, 0), 0, "but trusted ones");
	TAP_OK(has("link", "trusted.a", 5000, 1) && readlink("link", target, 8) == 6, "and a target");
	TAP_EQ(set("fifo", "trusted.a", 10, 2, 0), 0, "a FIFO has");
	TAP_EQ(set("null", "trusted.a", 10, 3, 0), 0, "a device has");
	TAP_EQ(set("dir", "user.a", 3000, 4, 0), 0, "a directory has");
	make("dir/file", 0600);
	TAP_OK(has("dir", "user.a", 3000, 4) && !lstat("dir/file", &st), "beside its names");
	TAP_OK(rmdir("dir") && errno == ENOTEMPTY, "names are what makes it not empty");
	TAP_OK(!unlink("dir/file") && !rmdir("dir"), "attributes do not");
	TAP_OK(!unlink("link"), "a symlink goes with what it has");
}

/* A change is one of the inode, and of no data; a capability does not outlive a write. */
static void effects(void)
{
	struct vfs_cap_data cap = { .magic_etc = VFS_CAP_REVISION_2 };
	struct stat before, after;
	struct timespec now;
	int fd;

	make("effects", 0755);
	TAP_REQUIRE(!stat("effects", &before), "stat");
	do
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	while (now.tv_sec == before.st_ctim.tv_sec && now.tv_nsec == before.st_ctim.tv_nsec);
	TAP_REQUIRE(!set("effects", "user.a", 10, 1, 0) && !stat("effects", &after), "set, stat");
	TAP_OK(after.st_ctim.tv_nsec != before.st_ctim.tv_nsec &&
	       after.st_mtim.tv_nsec == before.st_mtim.tv_nsec, "ctime moves, mtime does not");
	TAP_REQUIRE(!setxattr("effects", "security.capability", &cap, XATTR_CAPS_SZ_2, 0), "cap");
	fd = open("effects", O_WRONLY);
	TAP_REQUIRE(write(fd, "x", 1) == 1 && !close(fd), "written");
	TAP_EQ(get("effects", "security.capability", 0), -ENODATA, "a write takes capabilities away");
}

/* A file whose data has no place yet has the nodes that it was promised. */
static void beside_promises(void)
{
	int fd = open("promised", O_RDWR | O_CREAT, 0644);
	int i, bad = 0;

	for (i = 0; i < 400; i++)
		TAP_REQUIRE(pwrite(fd, value, 4096, i * 8192L) == 4096, "written in pieces");
	for (i = 0; i < 5; i++) {
		char name[8] = "user.0";

		name[5] += i;
		bad += set("promised", name, LARGE - i, i, 0);
	}
	TAP_EQ(bad, 0, "set while data has no place yet");
	TAP_EQ(fsync(fd), 0, "which comes to the disk");
	close(fd);
	for (i = 0; i < 5; i++) {
		char name[8] = "user.0";

		name[5] += i;
		bad += !has("promised", name, LARGE - i, i);
	}
	TAP_EQ(bad, 0, "and they are whole");
}

/* Counts of blocks that may be unwritten are too high by much: they hide no space from others. */
static void beside_counts(void)
{
	static char mib[1 << 20];
	int fd = open("counted", O_RDWR | O_CREAT, 0644);
	int i;

	TAP_REQUIRE(!posix_fallocate(fd, 0, 64 << 20), "64 MiB are preallocated");
	for (i = 0; i < 64; i++)
		TAP_REQUIRE(pread(fd, mib, sizeof(mib), (off_t)i << 20) == sizeof(mib), "read");
	for (i = 0; i < 4000; i++)
		TAP_REQUIRE(pwrite(fd, value, 4096, i * 16384L) == 4096, "written in pieces");
	TAP_EQ(set("counted", "user.a", 5000, 1, 0), 0, "set beside much that is unwritten");
	TAP_EQ(drop("counted", "user.a"), 0, "and removed");
	TAP_EQ(fsync(fd), 0, "all of which comes to the disk");
	close(fd);
	TAP_EQ(unlink("counted"), 0, "and goes");
}

/* ---- access control lists ---- */

struct list {
	struct posix_acl_xattr_header head;
	struct posix_acl_xattr_entry entry[5];
};

/* rwx for the owner, @perm for USER, nothing for others; the mask lets all pass. */
static struct list list_of(int perm)
{
	return (struct list) {
		.head = { POSIX_ACL_XATTR_VERSION },
		.entry = {
			{ ACL_USER_OBJ, 7, ACL_UNDEFINED_ID }, { ACL_USER, perm, USER },
			{ ACL_GROUP_OBJ, 0, ACL_UNDEFINED_ID }, { ACL_MASK, 7, ACL_UNDEFINED_ID },
			{ ACL_OTHER, 0, ACL_UNDEFINED_ID },
		},
	};
}

static int set_list(const char *path, const char *name, const struct list *list)
{
	return setxattr(path, name, list, sizeof(*list), 0) ? -errno : 0;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_mode & 07777;
}

/* May USER do @what? */
static bool may(const char *path, int what)
{
	int status;

	if (!fork())
		_exit(setgid(USER) || setuid(USER) || access(path, what));
	wait(&status);
	return !status;
}

static void acls(void)
{
	struct list list = list_of(R_OK);
	struct list plain = list_of(0);

	make("guarded", 0600);
	TAP_OK(!may("guarded", R_OK), "the mode forbids");
	TAP_EQ(set_list("guarded", ACCESS, &list), 0, "a list");
	TAP_OK(may("guarded", R_OK) && !may("guarded", W_OK), "allows, as much as it says");
	TAP_EQ(mode_of("guarded"), 0770, "the mode says what the list does");
	TAP_EQ(get("guarded", ACCESS, sizeof(list)), sizeof(list), "read back");
	TAP_OK(!memcmp(back, &list, sizeof(list)), "it is the same");
	TAP_REQUIRE(!chmod("guarded", 0700), "chmod");
	TAP_OK(!may("guarded", R_OK), "chmod takes it away, by the mask");
	TAP_REQUIRE(!chmod("guarded", 0750), "chmod");
	TAP_OK(may("guarded", R_OK), "and gives it back");
	TAP_EQ(drop("guarded", ACCESS), 0, "removed");
	TAP_OK(!may("guarded", R_OK) && get("guarded", ACCESS, 0) == -ENODATA, "it is gone");
	plain.entry[1] = plain.entry[2];
	plain.entry[2] = plain.entry[4];
	plain.entry[1].e_perm = R_OK;
	TAP_EQ(setxattr("guarded", ACCESS, &plain, sizeof(plain) - 16, 0), 0, "no more than a mode");
	TAP_OK(mode_of("guarded") == 0740 && get("guarded", ACCESS, 0) == -ENODATA, "is the mode");
	TAP_OK(set_list("guarded", DEFAULT, &list) == -EACCES, "a default is for directories");
	list.entry[1].e_tag = 77;
	TAP_EQ(set_list("guarded", ACCESS, &list), -EINVAL, "what is no list is refused");
}

static void inherited(void)
{
	static const char *const both[] = { ACCESS, DEFAULT, NULL };
	static const char *const one[] = { ACCESS, NULL };
	struct list list = list_of(R_OK | W_OK | X_OK);
	char path[64];
	int fd;

	umask(022);
	TAP_REQUIRE(!mkdir("heirs", 0755), "made");
	make("heirs/before", 0666);
	TAP_EQ(mode_of("heirs/before"), 0644, "without a default list the umask counts");
	TAP_EQ(set_list("heirs", DEFAULT, &list), 0, "a default list");
	TAP_EQ(mode_of("heirs"), 0755, "does not change its directory");
	make("heirs/file", 0666);
	TAP_EQ(mode_of("heirs/file"), 0660, "a file has what list and mode allow, whatever the umask");
	TAP_OK(may("heirs/file", W_OK) && lists("heirs/file", one), "and the list");
	TAP_OK(!mkdir("heirs/dir", 0777) && lists("heirs/dir", both), "a directory has both");
	TAP_OK(!mkdir("heirs/dir/dir", 0777) && lists("heirs/dir/dir", both), "and one in it");
	TAP_OK(!symlink("x", "heirs/link") && !llistxattr("heirs/link", NULL, 0), "a symlink none");
	TAP_OK(!mkfifo("heirs/fifo", 0666) && lists("heirs/fifo", one), "a FIFO has one");
	fd = open("heirs", O_TMPFILE | O_RDWR, 0666);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	TAP_OK(!linkat(AT_FDCWD, path, AT_FDCWD, "heirs/named", AT_SYMLINK_FOLLOW) &&
	       lists("heirs/named", one), "a file without a name has it when it gets one");
	close(fd);
	TAP_OK(!renameat2(AT_FDCWD, "heirs/named", AT_FDCWD, "heirs/moved", RENAME_WHITEOUT) &&
	       lists("heirs/moved", one), "one that is moved keeps it, whatever stays behind");
}

/* ---- much at once ---- */

/* How long the value of @name is that @seed stands for: mostly short. */
static int length_of(int seed)
{
	return seed % 5 ? seed * 37 % 400 : seed * 7919 % LARGE;
}

/* 0, or what went wrong first: an errno, or a number that is none. */
static int worker(int no)
{
	int seeds[4] = { 0 };
	unsigned int random = no;
	char path[16], name[16];
	int i, k, seed, err;

	snprintf(path, sizeof(path), "worker%d", no);
	make(path, 0644);
	for (i = 1; i < ROUNDS; i++) {
		random = random * 1103515245 + 12345;
		k = random >> 16 & 3;
		seed = i * WORKERS + no;
		snprintf(name, sizeof(name), "user.%d", k);
		if (random >> 20 & 3) {
			err = set(path, name, length_of(seed), seed, 0);
			if (err)
				return -err;
			seeds[k] = seed;
		} else if (drop(path, name) != (seeds[k] ? 0 : -ENODATA)) {
			return 250;
		} else {
			seeds[k] = 0;
		}
		if (i % 50 == 0)
			sync();
		for (k = 0; k < 4; k++) {
			snprintf(name, sizeof(name), "user.%d", k);
			if (seeds[k] ? !has(path, name, length_of(seeds[k]), seeds[k]) :
				       get(path, name, 0) != -ENODATA)
				return 251;
		}
	}
	return 0;
}

static void at_once(void)
{
	int i, status, bad = 0;

	for (i = 0; i < WORKERS; i++)
		if (!fork())
			_exit(worker(i));
	for (i = 0; i < WORKERS; i++) {
		wait(&status);
		bad = status ? WEXITSTATUS(status) : bad;
	}
	TAP_EQ(bad, 0, "%d at once, %d rounds each", WORKERS, ROUNDS);
}

static void verify(void)
{
	static const int sizes[] = { 0, 1, 100, 1009, 1010, 2033, 2034, 5000 };
	struct list list = list_of(R_OK | W_OK | X_OK);
	unsigned int i, bad = 0;
	char name[32];

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(name, sizeof(name), "user.%u", i);
		bad += !has("values", name, sizes[i], i);
	}
	TAP_EQ(bad, 0, "values are there");
	TAP_OK(get("heirs", DEFAULT, sizeof(list)) == sizeof(list) &&
	       !memcmp(back, &list, sizeof(list)), "the default list is");
	TAP_OK(may("heirs/file", W_OK), "what was inherited counts");
	make("heirs/later", 0666);
	TAP_OK(may("heirs/later", W_OK), "and is inherited still");
	TAP_EQ(mode_of("heirs/later"), 0660, "with the mode");
}

/* On the last blocks: a change that cannot be made changes nothing. */
static void full(void)
{
	struct statvfs st;
	char name[16];
	int fd, i, err = 0;

	make("full", 0644);
	TAP_REQUIRE(!set("full", "user.old", 3000, 1, 0), "an old value");
	fd = open("ballast", O_WRONLY | O_CREAT, 0644);
	TAP_REQUIRE(!statvfs(".", &st), "statvfs");
	TAP_REQUIRE(!posix_fallocate(fd, 0, (st.f_bavail - 40) * 4096L), "nearly full");
	for (i = 0; i < 20 && !err; i++) {
		snprintf(name, sizeof(name), "user.%d", i);
		err = set("full", name, LARGE, i, 0);
	}
	TAP_EQ(err, -ENOSPC, "64 KiB do not fit, number %d", i);
	TAP_EQ(get("full", name, 0), -ENODATA, "nothing is left of it");
	TAP_EQ(set("full", "user.old", LARGE, 2, 0), -ENOSPC, "nor does the old value grow");
	TAP_OK(has("full", "user.old", 3000, 1), "it is what it was");
	TAP_OK(i > 1 && has("full", "user.0", LARGE, 0), "and so are the others");
	TAP_EQ(set("full", "user.old", 3001, 3, 0), 0, "one as long is replaced");
	while (--i)
		drop("full", (snprintf(name, sizeof(name), "user.%d", i - 1), name));
	TAP_EQ(drop("full", "user.old"), 0, "on a full volume they can be removed");
	TAP_EQ(unlink("full"), 0, "with their file");
	close(fd);
}

/* ---- the plug ---- */

static void pull(void)
{
	struct list list = list_of(R_OK);
	char path[32];
	int i, round;

	TAP_REQUIRE(!mkdir("pulled", 0755) && !set_list("pulled", DEFAULT, &list), "made");
	for (i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "pulled/%d", i);
		make(path, 0666);
		TAP_REQUIRE(!set(path, "user.a", length_of(i), i, 0), "set");
	}
	sync();
	for (round = 1;; round++) {
		printf("round %d\n", round);
		fflush(stdout);
		for (i = 0; i < FILES; i++) {
			snprintf(path, sizeof(path), "pulled/%d", i);
			TAP_REQUIRE(!set(path, "user.a", length_of(i + round * FILES),
					 i + round * FILES, 0), "set");
			snprintf(path, sizeof(path), "pulled/new%d-%d", round, i);
			make(path, 0666);
		}
		if (round % 3 == 0)
			sync();
	}
}

/* Of which round is the value of file @i? */
static int round_of(const char *path, int i)
{
	int round;

	for (round = 0; round < 10000; round++)
		if (has(path, "user.a", length_of(i + round * FILES), i + round * FILES))
			return round;
	return -1;
}

static void verify_pull(void)
{
	int i, k, bad = 0, seen = 0, last = 0;
	char path[64];

	for (i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "pulled/%d", i);
		k = round_of(path, i);
		bad += k < 0;
		last = k > last ? k : last;
	}
	TAP_EQ(bad, 0, "each value is one that was given, whole (round %d)", last);
	for (k = 1; k <= last + 1; k++) {
		for (i = 0; i < FILES; i++) {
			snprintf(path, sizeof(path), "pulled/new%d-%d", k, i);
			if (access(path, F_OK))
				continue;
			seen++;
			bad += get(path, ACCESS, sizeof(back)) != sizeof(struct list);
		}
	}
	TAP_EQ(bad, 0, "none of %d files is without its list", seen);
}

/* What mkfs has made of an archive. */
static void made(void)
{
	int n = get("made", "user.one", sizeof(back));

	TAP_OK(n == 5000 && back[0] == '1' && back[4999] == '1', "an attribute of 5,000 bytes");
	TAP_OK(may("made", R_OK) && !may("made", W_OK), "a list allows what it says");
	TAP_REQUIRE(!chmod(".", 0777), "chmod");
	make("heirs/file", 0666);
	TAP_OK(may("heirs/file", W_OK), "a default list is inherited");
	TAP_EQ(set("made", "user.one", 70, 1, XATTR_REPLACE), 0, "what mkfs has set is replaced");
	TAP_EQ(drop("made", ACCESS), 0, "and removed");
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc == 3 && !chdir(argv[2]),
		    "usage: attrs use|verify|full|made|pull|verify-pull DIR");
	umask(0);
	if (!strcmp(argv[1], "use")) {
		TAP_REQUIRE(!chmod(".", 0777), "chmod");
		values();
		listing();
		of_all_types();
		effects();
		beside_promises();
		beside_counts();
		acls();
		inherited();
		at_once();
	} else if (!strcmp(argv[1], "verify")) {
		verify();
	} else if (!strcmp(argv[1], "full")) {
		full();
	} else if (!strcmp(argv[1], "made")) {
		made();
	} else if (!strcmp(argv[1], "pull")) {
		pull();
	} else {
		verify_pull();
	}
	return tap_done();
}
