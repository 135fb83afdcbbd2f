// SPDX-License-Identifier: GPL-2.0-only
/*
 * idmap.c - a volume seen through a mount that maps owners, beside the volume as it is.
 *
 * MAPPED shows 0 to 999 of the volume as 10000 to 10999 (users) and as 20000 to 20999 (groups).
 * Each operation is done there by somebody, and what came of it is looked at in DIR, where nothing
 * is mapped.  "verify" looks at what a later mount finds.
 *
 * usage: idmap use|verify DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tap/tap.h"

#define MAPPED		"/mapped"
#define USERS		10000
#define GROUPS		20000
#define NOBODY		65534
#define ACCESS		"system.posix_acl_access"
#define DEFAULT		"system.posix_acl_default"

static int plain, mapped;		/* the two, opened */

/* ---- who does it, and where ---- */

/* As whom files are made and looked at from here on; 0: with all powers. */
static void as(int uid, int gid)
{
	setfsgid(gid);
	setfsuid(uid);
	TAP_REQUIRE(setfsuid(-1) == uid && setfsgid(-1) == gid, "to be %d:%d", uid, gid);
}

static void as_root(void)
{
	as(0, 0);
}

/* As user @uid and group @gid of the volume are called in MAPPED. */
static void as_mapped(int uid, int gid)
{
	as(USERS + uid, GROUPS + gid);
}

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	TAP_REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && !close(fd),
		    "%s is written", path);
}

/* A user namespace that says so; to hold it takes a process in it until it is opened. */
static int user_namespace(void)
{
	char path[64];
	pid_t pid;
	int fd, ready[2];
	char c;

	TAP_REQUIRE(!pipe(ready), "a pipe");
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWUSER) || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	TAP_REQUIRE(read(ready[0], &c, 1) == 1, "a user namespace");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	write_to(path, "0 10000 1000");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	write_to(path, "0 20000 1000");
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY);
	TAP_REQUIRE(fd >= 0 && !kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid, "is held");
	return fd;
}

static void attach(const char *dir)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = user_namespace() };
	int tree = open_tree(AT_FDCWD, dir, OPEN_TREE_CLONE);

	mkdir(MAPPED, 0755);
	TAP_REQUIRE(tree >= 0, "cloned");
	TAP_EQ(mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) ? -errno : 0, 0,
	       "a mount of it maps owners");
	TAP_REQUIRE(!move_mount(tree, "", AT_FDCWD, MAPPED, MOVE_MOUNT_F_EMPTY_PATH), "and is mounted");
	close(tree);
	close(attr.userns_fd);
	plain = open(dir, O_RDONLY | O_DIRECTORY);
	mapped = open(MAPPED, O_RDONLY | O_DIRECTORY);
	TAP_REQUIRE(plain >= 0 && mapped >= 0, "opened");
}

static bool owned(int dir, const char *name, uid_t uid, gid_t gid)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return false;
	if (st.st_uid == uid && st.st_gid == gid)
		return true;
	printf("# %s: %u:%u, not %u:%u\n", name, st.st_uid, st.st_gid, uid, gid);
	return false;
}

/* On the volume @uid:@gid, and in MAPPED what that is there. */
static bool is_of(const char *name, uid_t uid, gid_t gid)
{
	return owned(plain, name, uid, gid) && owned(mapped, name, USERS + uid, GROUPS + gid);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	return fstatat(plain, name, &st, AT_SYMLINK_NOFOLLOW) ? 0 : st.st_mode & 07777;
}

static int result(int ret)
{
	return ret < 0 ? -errno : 0;
}

/* Makes, or opens, and closes it. */
static int open_close(int dir, const char *name, int flags, mode_t mode)
{
	int fd = openat(dir, name, flags, mode);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int make(int dir, const char *name, mode_t mode)
{
	return open_close(dir, name, O_WRONLY | O_CREAT | O_EXCL, mode);
}

/* ---- what is made ---- */

static void made(void)
{
	int fd;
	char path[64];

	TAP_REQUIRE(!mkdirat(plain, "made", 0777), "a directory");
	as_mapped(5, 7);
	TAP_EQ(make(mapped, "made/file", 0640), 0, "a file is made");
	TAP_EQ(result(mkdirat(mapped, "made/dir", 0755)), 0, "a directory");
	TAP_EQ(result(symlinkat("target", mapped, "made/link")), 0, "a symbolic link");
	TAP_EQ(result(mknodat(mapped, "made/fifo", S_IFIFO | 0666, 0)), 0, "a FIFO");
	TAP_EQ(result(mknodat(mapped, "made/socket", S_IFSOCK | 0666, 0)), 0, "a socket");
	TAP_EQ(result(linkat(mapped, "made/file", mapped, "made/hard", 0)), 0, "a link");
	fd = openat(mapped, "made", O_TMPFILE | O_RDWR, 0600);
	TAP_REQUIRE(fd >= 0, "a file without a name");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	TAP_EQ(result(linkat(AT_FDCWD, path, mapped, "made/tmp", AT_SYMLINK_FOLLOW)), 0, "which gets one");
	close(fd);
	TAP_EQ(make(mapped, "made/moves", 0600), 0, "and one");
	TAP_EQ(result(syscall(SYS_renameat2, mapped, "made/moves", mapped, "made/moved", RENAME_WHITEOUT)), 0,
	       "that leaves a whiteout");
	as_root();
}

static void made_is(const char *when)
{
	static const char *const names[] = {
		"file", "dir", "link", "fifo", "socket", "hard", "tmp", "moves", "moved",
	};
	char name[32];
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), "made/%s", names[i]);
		TAP_OK(is_of(name, 5, 7), "%s: %s is its maker's", when, names[i]);
	}
}

/* Who has no number on the volume makes nothing there; nor does a half of a change stay. */
static void unmapped(void)
{
	struct stat before, after;

	TAP_REQUIRE(!make(plain, "made/target", 0600) && !fchownat(plain, "made/target", 5, 7, 0) &&
		    !stat(MAPPED "/made/target", &before), "made");
	TAP_EQ(make(mapped, "made/no", 0600), -EOVERFLOW, "unmapped: no file");
	TAP_EQ(result(mkdirat(mapped, "made/no", 0700)), -EOVERFLOW, "no directory");
	TAP_EQ(result(symlinkat("x", mapped, "made/no")), -EOVERFLOW, "no symbolic link");
	TAP_EQ(result(mknodat(mapped, "made/no", S_IFIFO | 0666, 0)), -EOVERFLOW, "no FIFO");
	TAP_EQ(open_close(mapped, "made", O_TMPFILE | O_RDWR, 0600), -EOVERFLOW, "no file without a name");
	TAP_EQ(result(syscall(SYS_renameat2, mapped, "made/moved", mapped, "made/no", RENAME_WHITEOUT)), -EOVERFLOW,
	       "no whiteout");
	TAP_EQ(result(syscall(SYS_renameat2, mapped, "made/moved", mapped, "made/target", RENAME_WHITEOUT)),
	       -EOVERFLOW, "also where the new name was there before");
	TAP_OK(!stat(MAPPED "/made/target", &after) && after.st_ino == before.st_ino &&
	       !faccessat(plain, "made/moved", F_OK, 0) && faccessat(plain, "made/no", F_OK, 0), "nothing has moved");
	as(USERS + 5, 7);
	TAP_EQ(make(mapped, "made/no", 0600), -EOVERFLOW, "a group alone that is unmapped is enough");
	TAP_EQ(open_close(mapped, "made", O_TMPFILE | O_RDWR, 0600), -EOVERFLOW, "in any case");
	as_root();
	TAP_EQ(make(plain, "made/root", 0600), 0, "where nothing is mapped all can make");
	TAP_OK(owned(plain, "made/root", 0, 0), "files of their own");
}

/* ---- owners and modes ---- */

static void owners(void)
{
	TAP_REQUIRE(!mkdirat(plain, "own", 0777) && !make(plain, "own/5", 0644) && !make(plain, "own/5000", 0666),
		    "made");
	TAP_REQUIRE(!fchownat(plain, "own/5", 5, 7, 0) && !fchownat(plain, "own/5000", 5000, 5000, 0), "chown");
	TAP_OK(is_of("own/5", 5, 7), "an owner is mapped");
	TAP_OK(owned(mapped, "own/5000", NOBODY, NOBODY), "one that is not in the map is nobody");
	TAP_EQ(open_close(mapped, "own/5000", O_RDONLY, 0), 0, "whose file can be read");
	TAP_EQ(open_close(mapped, "own/5000", O_WRONLY, 0), -EACCES, "but not written, by anybody");
	TAP_EQ(result(fchmodat(mapped, "own/5000", 0600, 0)), -EOVERFLOW, "nor its mode changed");
	TAP_EQ(result(unlinkat(mapped, "own/5000", 0)), -EOVERFLOW, "nor removed");
	TAP_EQ(result(setxattr(MAPPED "/own/5000", "user.a", "1", 1, 0)), -EPERM, "nor get an attribute");
	TAP_OK(owned(plain, "own/5000", 5000, 5000) && mode_of("own/5000") == 0666, "it is what it was");
	TAP_EQ(result(fchownat(mapped, "own/5000", USERS + 5, GROUPS + 7, 0)), 0, "root gives it to one who is");
	TAP_OK(is_of("own/5000", 5, 7), "whose it is then");

	TAP_EQ(result(fchownat(mapped, "own/5", USERS + 9, GROUPS + 11, 0)), 0, "chown through the map");
	TAP_OK(is_of("own/5", 9, 11), "is of the numbers behind it");
	TAP_EQ(result(fchownat(mapped, "own/5", 9, -1, 0)), -EOVERFLOW, "a user that is not in it");
	TAP_EQ(result(fchownat(mapped, "own/5", -1, USERS + 9, 0)), -EOVERFLOW, "a group that is not");
	TAP_EQ(result(fchownat(mapped, "own/5", 0, 0, 0)), -EOVERFLOW, "root is not in it either");
	TAP_OK(is_of("own/5", 9, 11), "nothing of that was done");
	as_mapped(9, 12);
	TAP_EQ(result(fchownat(mapped, "own/5", -1, GROUPS + 12, 0)), 0, "the owner may give it his group");
	TAP_EQ(result(fchownat(mapped, "own/5", -1, GROUPS + 13, 0)), -EPERM, "no other");
	TAP_EQ(result(fchownat(mapped, "own/5", USERS + 5, -1, 0)), -EPERM, "nor another owner");
	TAP_EQ(result(fchmodat(mapped, "own/5", 0600, 0)), 0, "he may change the mode");
	TAP_EQ(open_close(mapped, "own/5", O_RDWR, 0), 0, "and open it");
	TAP_EQ(open_close(plain, "own/5", O_RDWR, 0), -EACCES, "where nothing is mapped he is another");
	TAP_EQ(result(fchmodat(plain, "own/5", 0644, 0)), -EPERM, "who may not change it");
	as(9, 12);
	TAP_EQ(open_close(plain, "own/5", O_RDWR, 0), 0, "but the other there is the owner");
	TAP_EQ(open_close(mapped, "own/5", O_RDWR, 0), -EACCES, "and nobody here");
	TAP_EQ(result(fchmodat(mapped, "own/5", 0644, 0)), -EPERM, "who may change nothing");
	as_root();
	TAP_OK(is_of("own/5", 9, 12) && mode_of("own/5") == 0600, "which is how it ends");

	TAP_REQUIRE(!mkdirat(plain, "own/sticky", 0777) && !fchmodat(plain, "own/sticky", 01777, 0), "a sticky one");
	as_mapped(5, 7);
	TAP_REQUIRE(!make(mapped, "own/sticky/file", 0666), "made");
	as_mapped(6, 7);
	TAP_EQ(result(unlinkat(mapped, "own/sticky/file", 0)), -EPERM, "from a sticky directory others take nothing");
	as_mapped(5, 8);
	TAP_EQ(result(unlinkat(mapped, "own/sticky/file", 0)), 0, "the owner does");
	as_root();
}

/* The bits that give the powers of an owner or of a group. */
static void setid(void)
{
	int fd;

	TAP_REQUIRE(!mkdirat(plain, "setid", 0777) && !fchownat(plain, "setid", 5, 7, 0) &&
		    !fchmodat(plain, "setid", 02777, 0), "a directory that gives its group away");
	as_mapped(6, 8);
	TAP_REQUIRE(!make(mapped, "setid/file", 0755) && !mkdirat(mapped, "setid/dir", 0755) &&
		    !make(mapped, "setid/other", 02775), "made");
	TAP_OK(is_of("setid/file", 6, 7), "a file gets its group");
	TAP_OK(is_of("setid/dir", 6, 7) && (mode_of("setid/dir") & S_ISGID), "a directory that and the bit");
	TAP_EQ(mode_of("setid/other"), 0775, "a file of a group that is not the maker's has no bit");
	TAP_REQUIRE(!fchmodat(mapped, "setid/file", 02755, 0), "chmod");
	TAP_EQ(mode_of("setid/file"), 0755, "nor gets it");
	as_mapped(6, 7);
	TAP_REQUIRE(!make(mapped, "setid/own", 02775) && !fchmodat(mapped, "setid/file", 02755, 0), "made, chmod");
	TAP_EQ(mode_of("setid/own"), 02775, "that of the maker's group has");
	TAP_EQ(mode_of("setid/file"), 02755, "and gets it");
	TAP_REQUIRE(!fchmodat(mapped, "setid/file", 06777, 0), "chmod");
	as_mapped(9, 9);
	fd = openat(mapped, "setid/file", O_WRONLY);
	TAP_REQUIRE(fd >= 0 && write(fd, "x", 1) == 1 && !close(fd), "written by another");
	TAP_EQ(mode_of("setid/file"), 0777, "takes both bits away");
	as_root();
	TAP_REQUIRE(!fchmodat(mapped, "setid/file", 06777, 0) &&
		    !fchownat(mapped, "setid/file", USERS + 5, GROUPS + 7, 0), "chmod, chown");
	TAP_EQ(mode_of("setid/file"), 0777, "as does another owner");
}

/* ---- lists ---- */

struct list {
	struct posix_acl_xattr_header head;
	struct posix_acl_xattr_entry entry[6];
};

/* @user and @group may read and write, others nothing. */
static struct list list_of(int user, int group)
{
	return (struct list) {
		.head = { POSIX_ACL_XATTR_VERSION },
		.entry = {
			{ ACL_USER_OBJ, 7, ACL_UNDEFINED_ID }, { ACL_USER, 6, user },
			{ ACL_GROUP_OBJ, 0, ACL_UNDEFINED_ID }, { ACL_GROUP, 6, group },
			{ ACL_MASK, 7, ACL_UNDEFINED_ID }, { ACL_OTHER, 0, ACL_UNDEFINED_ID },
		},
	};
}

static int set_list(const char *path, const char *name, int user, int group)
{
	struct list list = list_of(user, group);

	return result(setxattr(path, name, &list, sizeof(list), 0));
}

/* Does it say so, as @dir shows it? */
static bool says(int dir, const char *file, const char *name, int user, int group)
{
	struct list list = { 0 };
	char path[64];
	int fd = openat(dir, file, O_PATH);
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = getxattr(path, name, &list, sizeof(list));
	close(fd);
	if (n == sizeof(list) && list.entry[1].e_id == (unsigned int)user &&
	    list.entry[3].e_id == (unsigned int)group)
		return true;
	printf("# %zd bytes, user %u, group %u\n", n, list.entry[1].e_id, list.entry[3].e_id);
	return false;
}

static void lists(void)
{
	TAP_REQUIRE(!mkdirat(plain, "lists", 0777), "made");
	as_mapped(5, 7);
	TAP_REQUIRE(!make(mapped, "lists/file", 0600) && !mkdirat(mapped, "lists/dir", 0777), "made");
	TAP_EQ(set_list(MAPPED "/lists/file", ACCESS, USERS + 9, GROUPS + 11), 0, "the owner gives it a list");
	TAP_OK(says(mapped, "lists/file", ACCESS, USERS + 9, GROUPS + 11), "which says what was meant");
	TAP_EQ(set_list(MAPPED "/lists/dir", DEFAULT, USERS + 9, GROUPS + 11), 0, "and a directory one to inherit");
	TAP_EQ(set_list(MAPPED "/lists/file", ACCESS, 9, GROUPS + 11), -EINVAL, "a user who is not in the map");
	TAP_EQ(set_list(MAPPED "/lists/file", ACCESS, USERS + 9, 11), -EINVAL, "a group that is not");
	TAP_REQUIRE(!make(mapped, "lists/dir/heir", 0666), "made");
	as_mapped(9, 8);
	TAP_EQ(open_close(mapped, "lists/file", O_RDWR, 0), 0, "the user of the list may");
	TAP_EQ(open_close(mapped, "lists/dir/heir", O_RDWR, 0), 0, "with what is inherited, too");
	TAP_EQ(open_close(plain, "lists/file", O_RDWR, 0), -EACCES, "but not where nothing is mapped");
	TAP_EQ(set_list(MAPPED "/lists/file", ACCESS, USERS + 9, GROUPS + 11), -EPERM, "nor change it");
	as_mapped(8, 11);
	TAP_EQ(open_close(mapped, "lists/file", O_RDWR, 0), 0, "the group of the list may");
	as_mapped(8, 8);
	TAP_EQ(open_close(mapped, "lists/file", O_RDONLY, 0), -EACCES, "others not");
	as(9, 8);
	TAP_EQ(open_close(plain, "lists/file", O_RDWR, 0), 0, "where nothing is mapped the number behind may");
	TAP_EQ(open_close(mapped, "lists/file", O_RDONLY, 0), -EACCES, "but not here");
	as_root();
	TAP_OK(says(plain, "lists/file", ACCESS, 9, 11), "what is kept are the numbers behind");
	as_mapped(5, 7);
	TAP_REQUIRE(!fchmodat(mapped, "lists/file", 0600, 0), "chmod");
	as_mapped(9, 8);
	TAP_EQ(open_close(mapped, "lists/file", O_RDONLY, 0), -EACCES, "a mode cuts the list");
	as_root();
	TAP_REQUIRE(!fchmodat(mapped, "lists/file", 0660, 0), "chmod");
	as_mapped(9, 8);
	TAP_EQ(open_close(mapped, "lists/file", O_RDWR, 0), 0, "and lets it pass again");
	as_root();
	TAP_EQ(set_list(MAPPED "/lists/file", ACCESS, USERS + 9, GROUPS + 11), 0, "who has the power sets one, too");
}

static void lists_are(const char *when)
{
	TAP_OK(says(plain, "lists/file", ACCESS, 9, 11), "%s: a list", when);
	TAP_OK(says(plain, "lists/dir", DEFAULT, 9, 11), "%s: one to inherit", when);
	TAP_OK(says(plain, "lists/dir/heir", ACCESS, 9, 11) && is_of("lists/dir/heir", 5, 7), "%s: inherited", when);
	TAP_OK(says(mapped, "lists/dir/heir", ACCESS, USERS + 9, GROUPS + 11), "%s: through the map", when);
}

/* ---- flags, projects, attributes ---- */

static int set_flags(const char *name, int flags)
{
	int fd = openat(mapped, name, O_RDONLY);
	int err = result(ioctl(fd, FS_IOC_SETFLAGS, &flags));

	close(fd);
	return err;
}

static int set_project(const char *name, unsigned int project)
{
	struct fsxattr x = { .fsx_projid = project };
	int fd = openat(mapped, name, O_RDONLY);
	int err = result(ioctl(fd, FS_IOC_FSSETXATTR, &x));

	close(fd);
	return err;
}

static void attributes(void)
{
	struct fsxattr x = { 0 };
	char value[4];
	int fd;

	TAP_REQUIRE(!mkdirat(plain, "attrs", 0777), "made");
	as_mapped(5, 7);
	TAP_REQUIRE(!make(mapped, "attrs/file", 0644), "made");
	TAP_EQ(set_flags("attrs/file", FS_NODUMP_FL), 0, "the owner sets flags");
	TAP_EQ(set_project("attrs/file", 42), 0, "and the project");
	TAP_EQ(result(setxattr(MAPPED "/attrs/file", "user.a", "abc", 3, 0)), 0, "and attributes");
	as_mapped(6, 7);
	TAP_EQ(set_flags("attrs/file", 0), -EPERM, "another sets no flags");
	TAP_EQ(set_project("attrs/file", 43), -EPERM, "nor the project");
	TAP_EQ(result(setxattr(MAPPED "/attrs/file", "user.a", "x", 1, 0)), -EACCES, "nor attributes");
	as(5, 7);
	TAP_EQ(set_flags("attrs/file", 0), -EPERM, "nor does the owner's number behind the map");
	as_root();
	fd = openat(plain, "attrs/file", O_RDONLY);
	TAP_OK(!ioctl(fd, FS_IOC_FSGETXATTR, &x) && x.fsx_projid == 42, "projects are not mapped");
	TAP_EQ(fgetxattr(fd, "user.a", value, sizeof(value)), 3, "nor attributes");
	close(fd);
}

int main(int argc, char **argv)
{
	TAP_REQUIRE(argc == 3, "usage: idmap use|verify DIR");
	umask(0);
	TAP_REQUIRE(!setgroups(0, NULL), "no other groups");
	attach(argv[2]);
	if (!strcmp(argv[1], "use")) {
		made();
		made_is("at once");
		unmapped();
		owners();
		setid();
		lists();
		lists_are("at once");
		attributes();
	} else {
		made_is("mounted again");
		lists_are("mounted again");
		TAP_OK(is_of("own/5", 9, 12), "mounted again: what was given away");
	}
	close(mapped);
	close(plain);
	TAP_EQ(result(umount(MAPPED)), 0, "unmounted");
	return tap_done();
}
