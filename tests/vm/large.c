// SPDX-License-Identifier: GPL-2.0-only
/*
 * large.c - what a volume's size costs when it has crashed, and when it is nearly full.
 *
 * usage: large DEVICE DIR
 * To be run with the machine counting instructions.  Each step prints a line "# large STEP
 * INSTRUCTIONS READS WRITES KIB": how many requests the device has had meanwhile, and how much
 * more memory the kernel's slabs take.  While the processor sleeps, as it does until the disk
 * answers, its time stamp goes on with the host's clock: that is taken off.
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tap/tap.h"
#include "vm/instructions.h"

#define MIB	(1L << 20)

struct sample {
	uint64_t instructions;	/* and asleep, in the same unit */
	uint64_t idle;
	long reads, writes;
	long slab;		/* KiB */
};

static const char *device;
static struct sample before;

/* Nanoseconds, in which a processor that counts does an instruction each. */
static uint64_t asleep(void)
{
	FILE *f = fopen("/proc/timer_list", "r");
	unsigned long long ns;
	uint64_t sum = 0;
	char line[128];
	int found = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " .idle_sleeptime : %llu", &ns) == 1 ||
		    sscanf(line, " .iowait_sleeptime : %llu", &ns) == 1) {
			sum += ns;
			found++;
		}
	TAP_REQUIRE(f && !fclose(f) && found == 2, "how long the processor has slept");
	return sum;
}

static void take(struct sample *s)
{
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/block/%s/stat", strrchr(device, '/') + 1);
	f = fopen(path, "r");
	TAP_REQUIRE(f && fscanf(f, "%ld %*s %*s %*s %ld", &s->reads, &s->writes) == 2 && !fclose(f),
		    "the device's counters");
	f = fopen("/proc/meminfo", "r");
	s->slab = 0;
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "Slab: %ld", &s->slab);
	TAP_REQUIRE(f && !fclose(f) && s->slab, "memory");
	s->idle = asleep();
	s->instructions = now();
}

static void tell(const char *step)
{
	struct sample after;
	uint64_t at = now();

	take(&after);
	printf("# large %-12s %12llu %7ld %7ld %7ld\n", step,
	       (unsigned long long)(at - before.instructions - (after.idle - before.idle)),
	       after.reads - before.reads, after.writes - before.writes, after.slab - before.slab);
	take(&before);
}

static void write_file(const char *name, long nbytes)
{
	static char block[MIB];
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	long done;
	ssize_t n;

	TAP_REQUIRE(fd >= 0, "%s is made", name);
	memset(block, 'x', sizeof(block));
	for (done = 0; done < nbytes; done += n) {
		n = write(fd, block, nbytes - done < MIB ? nbytes - done : MIB);
		TAP_REQUIRE(n > 0, "%ld of %ld bytes of %s are written", done, nbytes, name);
	}
	TAP_REQUIRE(!fsync(fd) && !close(fd), "%s is synced", name);
}

int main(int argc, char **argv)
{
	struct statvfs st;

	TAP_REQUIRE(argc == 3, "usage: large DEVICE DIR");
	device = argv[1];
	take(&before);
	TAP_REQUIRE(!mount(device, argv[2], "simplefs", 0, NULL), "it is mounted");
	tell("mount");
	TAP_REQUIRE(!chdir(argv[2]) && !statvfs(".", &st) && st.f_bavail > 300, "statfs");
	tell("statfs");
	write_file("first", 4096);
	tell("first write");
	write_file("second", 4096);
	tell("4 KiB");
	write_file("large", MIB);
	tell("1 MiB");
	write_file("larger", MIB);
	tell("1 MiB again");
	TAP_REQUIRE(!mkdir("dir", 0755), "a directory");
	tell("mkdir");
	TAP_REQUIRE(!unlink("large"), "removed");
	tell("unlink");
	TAP_REQUIRE(!chdir("/") && !umount(argv[2]), "unmounted");
	tell("umount");
	TAP_REQUIRE(!mount(device, argv[2], "simplefs", 0, NULL), "mounted again");
	tell("mount clean");
	TAP_REQUIRE(!chdir(argv[2]), "there");
	write_file("again", 4096);
	tell("4 KiB");
	write_file("large", MIB);
	tell("1 MiB");
	TAP_OK(!chdir("/") && !umount(argv[2]), "used twice");
	return tap_done();
}
