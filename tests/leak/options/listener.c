// SPDX-License-Identifier: GPL-2.0-only
/*
 * listener.c - switches the machine's own network on, and listens on it for who never is answered.
 *
 * Prints "listening" when it does, and stays until it is killed.
 */
#include <arpa/inet.h>
#include <err.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PORT	7777
#define CPUS	8	/* more than a test's machine has */

/* What the kernel keeps for the way there it takes now, on each CPU. */
static void connect_once(const struct sockaddr_in *to, int cpu)
{
	cpu_set_t set;
	int fd;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		err(1, "connecting");
	close(fd);
}

int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int cpu, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &up))
		err(1, "lo");
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 128))
		err(1, "port %d", PORT);
	for (cpu = 0; cpu < CPUS; cpu++)
		connect_once(&at, cpu);
	puts("listening");
	fflush(stdout);
	pause();
	return 0;
}
