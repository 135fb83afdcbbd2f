// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile.c - in the machine: volumes that are wrong, one after the other, are mounted and used.
 *
 * usage: hostile IMAGE CASES
 * CASES holds, for each: a line "NAME WANT BYTES N", and N times a line with a block's number and
 * its 4096 bytes.  The image with these blocks in place, cut or stretched to BYTES, is mounted
 * read-only and looked at, then mounted and changed.  WANT is refuse, rwonly (refused but
 * for reading: a clean volume's journal is not looked at then), mount or any; with a J behind
 * it a journal may be replayed.  A refusal must say why in the log, and neither it nor looking may
 * change a byte.  What else can happen, the kernel itself would say: the runner hears it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tap/tap.h"

#include <string.h>

#define BLOCK		4096
#define COPY		"/tmp/copy"
#define LOOP		"/dev/loop0"
#define MNT		"/mnt"
#define ENTRIES_MAX	3000
#define PIECE		65536

struct hostile {
	char name[80];
	char want[16];
	unsigned int count;
	bool refused[2];		/* read-only, for writing */
};

static uint8_t *image;
static uint8_t *volume;			/* the image with the case's blocks; behind it zeros */
static uint8_t *copy;			/* the file behind the device, mapped */
static size_t image_nbytes;
static size_t volume_nbytes;
static int copy_fd = -1;
static unsigned long touched[256];	/* blocks in which volume differs from the image */
static int loop_fd = -1;
static int kmsg_fd = -1;
static char reason[512];
static unsigned int failures;

static void wrong(const struct hostile *h, const char *what)
{
	TAP_OK(false, "%s: %s (%s)", h->name, what, strerror(errno));
	failures++;
}

/* ---- the case ---- */

static bool next_case(FILE *cases, struct hostile *h)
{
	unsigned int i;

	for (i = 0; i < h->count; i++)
		memcpy(volume + touched[i] * BLOCK, image + touched[i] * BLOCK, BLOCK);
	if (fscanf(cases, "%79s %15s %zu %u\n", h->name, h->want, &volume_nbytes, &h->count) != 4)
		return false;
	TAP_REQUIRE(volume_nbytes <= 2 * image_nbytes && h->count < 256, "%s: fits", h->name);
	for (i = 0; i < h->count; i++) {
		TAP_REQUIRE(fscanf(cases, "%lu", &touched[i]) == 1 && fgetc(cases) == '\n' &&
			    (touched[i] + 1) * BLOCK <= image_nbytes &&
			    fread(volume + touched[i] * BLOCK, BLOCK, 1, cases) == 1,
			    "%s: its blocks", h->name);
	}
	return true;
}

/* The first byte from @pos on in which the copy is not the volume, or the end. */
static size_t copy_differs(size_t pos)
{
	for (; pos < volume_nbytes; pos += BLOCK) {
		size_t n = volume_nbytes - pos < BLOCK ? volume_nbytes - pos : BLOCK;

		if (memcmp(copy + pos, volume + pos, n))
			return pos;
	}
	return volume_nbytes;
}

static void put_volume(void)
{
	size_t pos = 0;

	TAP_REQUIRE(!ftruncate(copy_fd, volume_nbytes), "the copy has its size");
	while ((pos = copy_differs(pos)) < volume_nbytes) {
		size_t n = volume_nbytes - pos < BLOCK ? volume_nbytes - pos : BLOCK;

		memcpy(copy + pos, volume + pos, n);
		pos += n;
	}
	loop_fd = open(LOOP, O_RDWR | O_CLOEXEC);
	TAP_REQUIRE(loop_fd >= 0 && !ioctl(loop_fd, LOOP_SET_FD, copy_fd), "and is a device");
}

static void drop_volume(void)
{
	TAP_REQUIRE(!ioctl(loop_fd, LOOP_CLR_FD, 0), "the device goes");
	close(loop_fd);
}

/* ---- the log ---- */

/* Reads what is new; the last line of ours stays in reason. */
static void read_kmsg(void)
{
	char line[2048];
	ssize_t n;

	reason[0] = '\0';
	while ((n = read(kmsg_fd, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		char *text;

		if (n < 0)
			continue;
		line[n] = '\0';
		text = strchr(line, ';');
		if (text && strstr(text, "simplefs"))
			snprintf(reason, sizeof(reason), "%.*s", (int)strcspn(text + 1, "\n"), text + 1);
	}
}

/* ---- use ---- */

static void look_at_file(const char *path)
{
	static char data[PIECE];
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct fsxattr x;
	off_t pos = 0;
	int i;

	if (fd < 0)
		return;
	(void)!read(fd, data, sizeof(data));
	for (i = 0; i < 50 && (pos = lseek(fd, pos, SEEK_DATA)) >= 0; i++) {
		(void)!pread(fd, data, BLOCK, pos);
		pos = lseek(fd, pos, SEEK_HOLE);
	}
	(void)!ioctl(fd, FS_IOC_FSGETXATTR, &x);
	pos = lseek(fd, 0, SEEK_END);
	(void)!pread(fd, data, BLOCK, pos > BLOCK ? pos - BLOCK : 0);
	close(fd);
}

static void look_at_attributes(const char *path)
{
	static char names[PIECE], value[PIECE];
	ssize_t n = llistxattr(path, names, sizeof(names));
	const char *name;

	for (name = names; name < names + n; name += strlen(name) + 1)
		(void)!lgetxattr(path, name, value, sizeof(value));
}

static void look(const char *path, unsigned int depth, unsigned int *left)
{
	const struct dirent *entry;
	DIR *dir = opendir(path);
	char target[BLOCK];
	char child[4352];
	struct stat st;

	while (dir && *left && (entry = readdir(dir))) {
		--*left;
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
		if (lstat(child, &st))
			continue;
		look_at_attributes(child);
		if (S_ISDIR(st.st_mode) && depth < 8)
			look(child, depth + 1, left);
		else if (S_ISREG(st.st_mode))
			look_at_file(child);
		else if (S_ISLNK(st.st_mode))
			(void)!readlink(child, target, sizeof(target));
	}
	if (dir)
		closedir(dir);
}

/* Those that the image has get longer, shorter and go; others come. */
static void change_attributes(const char *path)
{
	static char value[20000];

	(void)!lsetxattr(path, "user.small", value, 3000, 0);
	(void)!lsetxattr(path, "user.large", value, sizeof(value), 0);
	(void)!lsetxattr(path, "user.new", value, 100, 0);
	(void)!lsetxattr(path, "user.large", value, 10, 0);
	(void)!lremovexattr(path, "user.small");
}

/* There and back again: what the image has may keep the rest from changing. */
static void change_flags(const char *path)
{
	struct fsxattr none = { .fsx_projid = 5 };
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int flags, more;

	if (fd < 0)
		return;
	if (!ioctl(fd, FS_IOC_GETFLAGS, &flags)) {
		more = flags | FS_NODUMP_FL | FS_PROJINHERIT_FL;
		(void)!ioctl(fd, FS_IOC_SETFLAGS, &more);
		(void)!ioctl(fd, FS_IOC_FSSETXATTR, &none);
		(void)!ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
	close(fd);
}

/* Every kind of change, on what the image is known to hold; each may fail. */
static void change(void)
{
	static char data[3 * BLOCK];
	char name[128];
	unsigned int i;
	int fd;

	fd = open(MNT "/new", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0) {
		(void)!write(fd, data, sizeof(data));
		(void)!fsync(fd);
		close(fd);
	}
	(void)!mkdir(MNT "/newdir", 0700);
	(void)!symlink("somewhere", MNT "/newlink");
	(void)!rename(MNT "/a", MNT "/dir/moved");
	(void)!rename(MNT "/newdir", MNT "/dir/sub/newdir");
	(void)!link(MNT "/b", MNT "/dir/linked");
	(void)!truncate(MNT "/pieces", 100000);
	(void)!truncate(MNT "/b", 1 << 20);
	fd = open(MNT "/b", O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd >= 0) {
		(void)!write(fd, data, sizeof(data));
		close(fd);
	}
	for (i = 1; i <= 120; i += 3) {
		snprintf(name, sizeof(name), MNT "/dir/a name that takes some room %u", i);
		(void)!unlink(name);
	}
	change_flags(MNT);
	change_flags(MNT "/dir");
	change_flags(MNT "/b");
	change_attributes(MNT "/attrs");
	change_attributes(MNT "/b");
	(void)!unlink(MNT "/attrs");
	(void)!unlink(MNT "/pieces");
	(void)!unlink(MNT "/dir/moved");
	(void)!unlink(MNT "/link");
	(void)!rmdir(MNT "/dir/sub");
	sync();
}

static void use(struct hostile *h, bool writable)
{
	bool journal = strchr(h->want, 'J');
	unsigned int left = ENTRIES_MAX;
	struct statfs fs;

	put_volume();
	read_kmsg();
	h->refused[writable] = mount(LOOP, MNT, "simplefs", writable ? 0 : MS_RDONLY,
				     "errors=continue") != 0;
	if (!h->refused[writable]) {
		look(MNT, 0, &left);
		(void)!statfs(MNT, &fs);
		if (writable)
			change();
		if (umount(MNT))
			wrong(h, "is not unmounted");
		read_kmsg();
	} else {
		read_kmsg();
		if (!reason[0])
			wrong(h, "refused without a word");
	}
	drop_volume();
	if ((h->refused[writable] || !writable) && !journal &&
	    copy_differs(0) < volume_nbytes)
		wrong(h, writable ? "changed by a mount that failed" : "changed by being looked at");
}

static void try_case(struct hostile *h)
{
	printf("# case %s\n", h->name);
	fflush(stdout);
	use(h, false);
	use(h, true);
	printf("# %s %s: %s\n", h->name, h->refused[1] ? "refused" : "mounted", reason);
	if (!strncmp(h->want, "refuse", 6) && !(h->refused[0] && h->refused[1]))
		wrong(h, "should be refused");
	if (!strncmp(h->want, "rwonly", 6) && !h->refused[1])
		wrong(h, "should be refused for writing");
	if (!strncmp(h->want, "mount", 5) && (h->refused[0] || h->refused[1]))
		wrong(h, "should be mounted");
}

int main(int argc, char **argv)
{
	unsigned int count = 0, refused = 0;
	struct hostile h = { 0 };
	struct stat st;
	FILE *cases;
	int fd;

	TAP_REQUIRE(argc == 3, "image and cases");
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	TAP_REQUIRE(fd >= 0 && !fstat(fd, &st), "the image is there");
	image_nbytes = st.st_size;
	image = malloc(image_nbytes);
	volume = calloc(2, image_nbytes);
	copy_fd = open(COPY, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	copy = mmap(NULL, 2 * image_nbytes, PROT_READ | PROT_WRITE, MAP_SHARED, copy_fd, 0);
	TAP_REQUIRE(image && volume && copy != MAP_FAILED, "memory");
	TAP_REQUIRE(read(fd, image, image_nbytes) == (ssize_t)image_nbytes, "and read");
	memcpy(volume, image, image_nbytes);
	close(fd);
	kmsg_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cases = fopen(argv[2], "r");
	TAP_REQUIRE(kmsg_fd >= 0 && cases, "the log and the cases are open");
	while (next_case(cases, &h)) {
		try_case(&h);
		count++;
		refused += h.refused[1];
	}
	TAP_OK(feof(cases) && count, "%u volumes, of which %u were refused", count, refused);
	TAP_EQ(failures, 0, "all as they should be");
	return tap_done();
}
