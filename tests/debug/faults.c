// SPDX-License-Identifier: GPL-2.0-only
/*
 * faults.c - every operation with the n-th allocation, or the n-th piece of I/O, failing.
 *
 * usage: faults alloc | io | dead [OPTIONS [DISK]...]
 * For each operation n rises until it is through without having met its fault.  After each: an
 * error or success, never a hang; the volume mounts again; a tree made before is as it was, what
 * was synced is there; and the checker finds the volume whole.
 * "alloc" makes the n-th allocation below a function of simplefs fail in the task itself.  "io"
 * makes one request fail after so many KiB of good ones, whoever sends it; "dead" all from there on.
 * Requests to the named disks count and fail (ubda, where the volume is, unless said otherwise).
 */
#include <dirent.h>

#include "guest.h"
#include "operations.h"

#define NTH	"/proc/thread-self/fail-nth"
#define NTH_MAX		20000		/* an operation that meets more faults than this is stuck */
#define IO_STEP		4096
#define TIMES_MANY	1000000

enum mode { MODE_ALLOC, MODE_IO, MODE_DEAD };
static enum mode mode;

/* ---- the tree that must survive ---- */

#define WITNESSES	40
#define WITNESS_BYTES	20000

static void witness_fill(char *buf, int i)
{
	int n;

	for (n = 0; n < WITNESS_BYTES; n++)
		buf[n] = i * 37 + n * 11 + (n >> 9);
}

static bool witness_make(void)
{
	static char buf[WITNESS_BYTES];
	char name[64];
	int i;

	if (mkdir("/mnt/witness", 0755))
		return false;
	for (i = 0; i < WITNESSES; i++) {
		int fd;

		snprintf(name, sizeof(name), "/mnt/witness/a file of known content, number %d", i);
		witness_fill(buf, i);
		fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (fd < 0 || write(fd, buf, sizeof(buf)) != sizeof(buf) || close(fd))
			return false;
	}
	sync();
	return true;
}

static bool witness_is_whole(void)
{
	static char buf[WITNESS_BYTES + 1], want[WITNESS_BYTES];
	char name[64];
	int i;

	for (i = 0; i < WITNESSES; i++) {
		ssize_t n;
		int fd;

		snprintf(name, sizeof(name), "/mnt/witness/a file of known content, number %d", i);
		fd = open(name, O_RDONLY);
		n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));
		close(fd);
		witness_fill(want, i);
		if (n != WITNESS_BYTES || memcmp(buf, want, WITNESS_BYTES)) {
			printf("# %s: %zd bytes, %s\n", name, n, strerror(errno));
			return false;
		}
	}
	return true;
}

/* ---- each time anew ---- */

static int remove_one(const char *path)
{
	return remove(path) && errno != ENOENT ? -errno : 0;
}

/* Empties /mnt/work, two levels deep. */
static bool work_clear(const char *dir)
{
	char path[PATH_MAX];
	struct dirent *e;
	bool good = true;
	DIR *d = opendir(dir);

	if (!d)
		return errno == ENOENT;
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_type == DT_DIR)
			good &= work_clear(path);
		good &= !remove_one(path);
	}
	closedir(d);
	return good;
}

static bool work_make(void)
{
	int fd;

	if (!work_clear("/mnt/work") || (mkdir("/mnt/work", 0755) && errno != EEXIST) ||
	    mkdir("/mnt/work/dir", 0755) || mkdir("/mnt/work/dir2", 0755))
		return false;
	fd = open("/mnt/work/victim", O_CREAT | O_WRONLY, 0600);
	if (fd < 0 || write(fd, "victim", 6) != 6 || close(fd))
		return false;
	fd = open(DATA, O_CREAT | O_WRONLY, 0600);
	return fd >= 0 && write(fd, data, sizeof(data)) == sizeof(data) && !fsync(fd) && !close(fd);
}

static void arm(long n)
{
	if (mode == MODE_ALLOC) {
		guest_set_num(NTH, n);
		return;
	}
	guest_set_num(GUEST_REQUESTS "space", (n - 1) * IO_STEP);
	guest_set_num(GUEST_REQUESTS "times", mode == MODE_IO ? 1 : TIMES_MANY);
	guest_set_num(GUEST_REQUESTS "probability", 100);
}

/* True when the fault has been met. */
static bool disarm(void)
{
	char text[32] = "";

	if (mode == MODE_ALLOC) {
		guest_get(NTH, text, sizeof(text));
		guest_set_num(NTH, 0);
		return atol(text) == 0;
	}
	guest_set_num(GUEST_REQUESTS "probability", 0);
	guest_get(GUEST_REQUESTS "times", text, sizeof(text));
	return atol(text) != (mode == MODE_IO ? 1 : TIMES_MANY);
}

static bool is_mounted(void)
{
	struct stat root, dir;

	return !stat("/", &root) && !stat(GUEST_DIR, &dir) && root.st_dev != dir.st_dev;
}

/* What must be true after a fault; NULL or what is not. */
static const char *aftermath(const struct op *op, bool succeeded)
{
	int err;

	if (is_mounted() && (err = guest_umount()))
		return "cannot be unmounted";
	err = guest_mount(GUEST_DISK, 0, mount_options);
	if (err)
		return "cannot be mounted";
	if (!witness_is_whole())
		return "has damaged older files";
	if (succeeded && op->kept && !op->kept())
		return "has lost what was synced";
	if (guest_umount())
		return "cannot be unmounted again";
	if (!guest_check(GUEST_DISK))
		return "does not check clean";
	return NULL;
}

/* One operation with its n-th fault.  1: it was met; 0: it was not; -1: something is wrong. */
static int fault(const struct op *op, long n, int *ret_err)
{
	const char *why;
	bool met;

	if (!is_mounted() && guest_mount(GUEST_DISK, 0, mount_options))
		return -1;
	if (!work_make())
		return -1;
	if (mode != MODE_ALLOC) {
		/* Reading counts as well: begin with an empty cache. */
		if (guest_umount() || guest_mount(GUEST_DISK, 0, mount_options))
			return -1;
	}
	arm(n);
	*ret_err = op->act();
	if (mode != MODE_ALLOC && is_mounted())
		guest_umount();
	met = disarm();
	if (!met && *ret_err) {
		printf("# %s: fails with %d although nothing made it\n", op->name, *ret_err);
		return -1;
	}
	why = aftermath(op, !*ret_err);
	if (why)
		printf("# %s, fault %ld, error %d: it %s\n", op->name, n, *ret_err, why);
	return why ? -1 : met;
}

static void sweep(const struct op *op)
{
	int faults = 0, errors = 0;
	int met = 1;
	int err = 0;
	long n;

	/* The first ones all, then every sixteenth further. */
	for (n = 1; met == 1 && n <= NTH_MAX; n += 1 + n / 16) {
		met = fault(op, n, &err);
		faults += met == 1;
		errors += met == 1 && err;
	}
	TAP_OK(met == 0, "%s: %d faults, %d of them errors, none did harm", op->name, faults, errors);
}

/* What may fail from now on; every disk is a word in @disks. */
static void aim(char *const *disks)
{
	char path[64];

	if (mode == MODE_ALLOC) {
		guest_aim_at_module();
		return;
	}
	for (; *disks; disks++) {
		snprintf(path, sizeof(path), "/sys/block/%s/make-it-fail", *disks);
		TAP_REQUIRE(!guest_set(path, "1"), "%s may fail", *disks);
	}
	TAP_REQUIRE(!guest_set(GUEST_REQUESTS "verbose", "0"), "quietly");
}

int main(int argc, char **argv)
{
	static char *const main_disk[] = { "ubda", NULL };
	char name[64];
	unsigned int i;

	if (argc < 2) {
		fprintf(stderr, "usage: faults alloc|io|dead [OPTIONS [DISK]...]\n");
		return 2;
	}
	mode = !strcmp(argv[1], "alloc") ? MODE_ALLOC : !strcmp(argv[1], "io") ? MODE_IO : MODE_DEAD;
	mount_options = argc > 2 ? argv[2] : "";
	memset(data, 'x', sizeof(data));
	TAP_OK(!guest_load(), "loaded");
	aim(argc > 3 ? argv + 3 : main_disk);
	guest_leaks_forget();
	TAP_REQUIRE(!guest_mount(GUEST_DISK, 0, mount_options), "mounted");
	TAP_REQUIRE(witness_make() && !mkdir("/mnt/many", 0755), "files that must survive");
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "/mnt/many/one of very many names, number %d", i);
		TAP_REQUIRE(!mknod(name, S_IFREG | 0600, 0), "many names");
	}
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		sweep(&ops[i]);
	if (is_mounted())
		guest_umount();
	guest_unload_clean();
	return tap_done();
}
