// SPDX-License-Identifier: GPL-2.0-only
/*
 * cost.c - what operations cost as directories and files grow, in instructions.
 *
 * usage: cost DIR [NAMES]...
 * To be run with the machine counting instructions: then the processor's time stamp is that count.
 * Prints a line an operation and size; checks that each did what it says.  Not a verdict on speed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap/tap.h"
#include "vm/instructions.h"

static void tell(const char *what, long size, uint64_t start, long count)
{
	printf("# cost %-16s %7ld %10llu\n", what, size,
	       (unsigned long long)(now() - start) / count);
}

static void name_of(char *name, const char *prefix, long n)
{
	/* Not in any order that a hash or a tree would like. */
	sprintf(name, "%s%08lx", prefix, (n * 2654435761L) & 0xffffffff);
}

static int count_names(void)
{
	DIR *d = opendir(".");
	int count = 0;

	while (d && readdir(d))
		count++;
	if (d)
		closedir(d);
	return count - 2;
}

static void names(long size)
{
	char a[64], b[64];
	uint64_t start;
	struct stat st;
	bool good = true;
	long n;

	TAP_REQUIRE(!mkdir("names", 0755) && !chdir("names"), "a directory");
	start = now();
	for (n = 0; n < size && good; n++) {
		name_of(a, "f", n);
		good = !close(open(a, O_CREAT | O_EXCL | O_WRONLY, 0600));
	}
	tell("create", size, start, size);
	start = now();
	TAP_OK(good && count_names() == size, "%ld names created and listed", size);
	tell("list, a name", size, start, size);
	start = now();
	for (n = 0; n < size && good; n++) {
		name_of(a, "g", n);
		good = stat(a, &st);	/* absent: no dentry helps */
	}
	tell("lookup", size, start, size);
	start = now();
	for (n = 0; n < size && good; n++) {
		name_of(a, "f", n);
		name_of(b, "r", n);
		good = !rename(a, b);
	}
	tell("rename", size, start, size);
	start = now();
	for (n = 0; n < size && good; n++) {
		name_of(b, "r", n);
		good = !unlink(b);
	}
	tell("unlink", size, start, size);
	TAP_OK(good && count_names() == 0, "renamed and removed");
	TAP_OK(!chdir("..") && !rmdir("names"), "and the directory");
}

/* Past the page cache, which would only give back what it was given. */
static bool file_is_whole(int fd, long pieces)
{
	static unsigned char got[65536], want[65536];
	long n;

	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	for (n = 0; n < pieces; n++) {
		memset(want, n + 1, sizeof(want));
		if (pread(fd, got, sizeof(got), n * 65536) != sizeof(got) ||
		    memcmp(got, want, sizeof(got)))
			return false;
	}
	return true;
}

static void file(long mebibytes)
{
	static char buf[65536];
	long pieces = mebibytes * 16;
	uint64_t start;
	bool good = true;
	long n;
	int fd = open("file", O_CREAT | O_RDWR | O_TRUNC, 0600);

	start = now();
	for (n = 0; n < pieces && good; n++) {
		memset(buf, n + 1, sizeof(buf));
		good = write(fd, buf, sizeof(buf)) == sizeof(buf);
	}
	good = good && !fsync(fd);
	tell("append 64K", mebibytes, start, pieces);
	TAP_OK(good && file_is_whole(fd, pieces), "%ld MiB read back", mebibytes);
	start = now();
	for (n = 0; n < 1000 && good; n++)
		good = pwrite(fd, buf, 4096, n * 7919 % (mebibytes * 256) * 4096L) == 4096;
	good = good && !fsync(fd);
	tell("overwrite 4K", mebibytes, start, 1000);
	start = now();
	good = good && !ftruncate(fd, 0);
	tell("truncate", mebibytes, start, 1);
	TAP_OK(good, "%ld MiB appended, overwritten, truncated", mebibytes);
	close(fd);
	unlink("file");
}

int main(int argc, char **argv)
{
	int i;

	if (argc < 2 || chdir(argv[1]))
		return 2;
	for (i = 2; i < argc; i++)
		names(atol(argv[i]));
	for (i = 1; i <= 100; i *= 10)
		file(i);
	file(300);
	return tap_done();
}
