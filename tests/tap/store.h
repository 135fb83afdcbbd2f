/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store.h - stores to a shared mapping, also on a machine on which they can get lost.
 *
 * UML takes the right to write a page from a process that runs on another of its processors only
 * when that process enters the kernel next.  A store in between is to a page that counts as clean:
 * nobody writes it back.  (With two processors, on ext4, of 35,611 rounds of stores to one page
 * beside its writeback 5,273 lost the last one; with one processor none of 15,997.)  So there the
 * kernel stores, and marks the page as dirty behind that.
 */
#ifndef TAP_STORE_H
#define TAP_STORE_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static inline bool stores_get_lost(void)
{
	static int known = -1;
	char line[256];
	FILE *f;

	if (known >= 0)
		return known;
	known = 0;
	f = fopen("/proc/cpuinfo", "r");
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "User Mode Linux"))
			known = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	if (f)
		fclose(f);
	return known;
}

/* memcpy() to a mapping.  Where there is no page: SIGBUS, or here false. */
static inline bool store_bytes(void *to, const void *from, size_t nbytes)
{
	ssize_t n;
	int fd;

	if (!stores_get_lost()) {
		memcpy(to, from, nbytes);
		return true;
	}
	fd = open("/proc/self/mem", O_RDWR);
	n = fd < 0 ? -1 : pwrite(fd, from, nbytes, (off_t)(uintptr_t)to);
	close(fd);
	return n == (ssize_t)nbytes;
}

#endif
