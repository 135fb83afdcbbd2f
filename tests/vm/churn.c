// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn.c - changes a directory until the plug is pulled, and later tells whether what it had
 * synced is there.
 *
 * usage: churn make DIR ROUND | churn verify DIR ROUND SYNCED
 * "make" writes, syncs, renames, truncates and removes without end, and prints "synced N" after the
 * fsync of each of its numbered files.  "verify" wants files 1 to SYNCED of that round, whole.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHURN_BYTES	30011

static void content(unsigned char *buf, int round, int n)
{
	int i;

	for (i = 0; i < CHURN_BYTES; i++)
		buf[i] = round * 17 + n * 31 + i * 3 + (i >> 8);
}

static void name_of(char *name, size_t nbytes, int round, int n)
{
	snprintf(name, nbytes, "r%d-%d", round, n);
}

static void noise(int n)
{
	char a[64], b[64];
	unsigned char buf[5000];
	int fd;

	memset(buf, n, sizeof(buf));
	snprintf(a, sizeof(a), "noise-%d", n % 40);
	snprintf(b, sizeof(b), "noise-too-%d", n % 30);
	fd = open(a, O_CREAT | O_RDWR, 0600);
	if (fd < 0)
		return;
	if (pwrite(fd, buf, sizeof(buf), n % 7 * 9000L) < 0 ||
	    (n % 5 == 0 && ftruncate(fd, n % 11 * 1000)))
		perror("noise");
	close(fd);
	if (n % 3 == 0)
		rename(a, b);
	if (n % 4 == 0)
		unlink(b);
}

static int make(int round)
{
	static unsigned char buf[CHURN_BYTES];
	char name[64];
	int n;

	printf("churning\n");
	for (n = 1;; n++) {
		int fd;
		int i;

		for (i = 0; i < 10; i++)
			noise(n * 10 + i);
		name_of(name, sizeof(name), round, n);
		content(buf, round, n);
		fd = open("new", O_CREAT | O_TRUNC | O_WRONLY, 0644);
		if (fd < 0 || write(fd, buf, sizeof(buf)) != sizeof(buf) || rename("new", name) ||
		    fsync(fd)) {
			perror(name);
			return 1;
		}
		close(fd);
		printf("synced %d\n", n);
		fflush(stdout);
	}
}

static int verify(int round, int synced)
{
	static unsigned char want[CHURN_BYTES], got[CHURN_BYTES + 1];
	char name[64];
	int bad = 0;
	int n;

	for (n = 1; n <= synced; n++) {
		int fd;

		name_of(name, sizeof(name), round, n);
		content(want, round, n);
		fd = open(name, O_RDONLY);
		if (fd < 0 || read(fd, got, sizeof(got)) != CHURN_BYTES ||
		    memcmp(got, want, CHURN_BYTES)) {
			printf("churn: %s is missing or damaged\n", name);
			bad = 1;
		}
		if (fd >= 0)
			close(fd);
	}
	return bad;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 4 || chdir(argv[2])) {
		fprintf(stderr, "usage: churn make DIR ROUND | churn verify DIR ROUND SYNCED\n");
		return 2;
	}
	if (!strcmp(argv[1], "make"))
		return make(atoi(argv[3]));
	return verify(atoi(argv[3]), argc > 4 ? atoi(argv[4]) : 0);
}
