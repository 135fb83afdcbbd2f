// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmsg.c - the self-test's reader of the kernel's log: which complaints are on the module, which
 * not, and what becomes of a verdict then.
 *
 * A socket that keeps records apart stands in for /dev/kmsg.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../src/selftest/selftest.h"
#include "tap/tap.h"

/* Records, each "priority,sequence,microseconds,flags;text"; NULL ends them. */
static bool complains(const char *const *records, char *text, size_t nbytes)
{
	bool found;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds))
		return false;
	for (; *records; records++) {
		if (write(fds[1], *records, strlen(*records)) < 0)
			return false;
	}
	found = sfs_kmsg_complaint(fds[0], text, nbytes);
	close(fds[0]);
	close(fds[1]);
	return found;
}

static void judges(void)
{
	struct sfs_verdict v = { .v_kind = SFS_VERDICT_PASS };

	sfs_verdict_complain(&v, "BUG: x");
	TAP_OK(v.v_kind == SFS_VERDICT_ERROR && !strcmp(v.v_detail, "the kernel says: BUG: x"),
	       "a complaint makes PASS an ERROR");
	sfs_verdict_set(&v, SFS_VERDICT_SKIP, "trace not complete");
	strcpy(v.v_detail, "no verdict of kmodleak's");
	sfs_verdict_complain(&v, "BUG: x");
	TAP_OK(v.v_kind == SFS_VERDICT_ERROR && !strcmp(v.v_reason, "kernel") &&
	       !strcmp(v.v_detail, "the kernel says: BUG: x"), "and what the tracer did not see");
	sfs_verdict_set(&v, SFS_VERDICT_LEAK, "64 bytes");
	strcpy(v.v_detail, "mount: it failed");
	sfs_verdict_complain(&v, "BUG: x");
	TAP_OK(v.v_kind == SFS_VERDICT_LEAK && !strcmp(v.v_detail, "mount: it failed"),
	       "a LEAK stays one");
}

int main(void)
{
	static const char *const ours[] = {
		"4,1,1000000,-;WARNING: CPU: 0 PID: 1 at fs/inode.c:1 f+0x1/0x2\n",
		"4,2,1000010,-;Modules linked in: simplefs(OE) jbd2\n",
		"4,3,1000020,-; sfs_get_link+0x12/0x40 [simplefs]\n", NULL };
	static const char *const process[] = {
		"4,1,1000000,-;WARNING: CPU: 0 PID: 1 at fs/inode.c:1 f+0x1/0x2\n",
		"4,2,1000010,-;CPU: 0 PID: 7 Comm: simplefs-selfte Not tainted\n", NULL };
	static const char *const cache[] = {
		"3,1,1000000,-;BUG simplefs_inode (Tainted: G OE): Objects remaining in simplefs_inode\n",
		NULL };
	static const char *const strangers[] = {
		"4,1,1000000,-;WARNING: CPU: 0 PID: 1 at drivers/x.c:1 f+0x1/0x2\n",
		"4,2,1000010,-;Modules linked in: simplefs(OE) x\n",
		"4,3,1000020,-; x_probe+0x12/0x40 [x]\n",
		"4,4,1000030,-;---[ end trace 0000000000000000 ]---\n",
		"6,5,1000040,-;simplefs (loop0): recovered from an unclean stop\n",
		"4,6,1000050,-; sfs_get_link+0x12/0x40 [simplefs]\n", NULL };
	static const char *const beside[] = {
		"3,1,1000000,-;INFO: task x:5 blocked for more than 120 seconds.\n",
		"4,2,1000010,-;simplefs: loading out-of-tree module taints kernel.\n", NULL };
	static const char *const later[] = {
		"3,1,1000000,-;INFO: task x:5 blocked for more than 120 seconds.\n",
		"4,2,5000000,-; sfs_get_link+0x12/0x40 [simplefs]\n", NULL };
	static const char *const within[] = {
		"3,1,1000000,-;INFO: task x:5 blocked for more than 120 seconds.\n",
		"4,2,1000010,-;CPU: 0 PID: 7 Comm: x Not tainted\n",
		"3,3,1000020,-;BUG simplefs_inode (Tainted: G OE): Objects remaining in simplefs_inode\n",
		NULL };
	static const char *const back[] = {
		"2,1,1000020,-;kernel BUG at fs/inode.c:1!\n",
		"4,2,1000010,-;RIP: 0010:sfs_get_link+0x12/0x40 [simplefs]\n", NULL };
	static const char *const cried[] = {
		"12,1,1000000,-;WARNING: simplefs, says a process\n", NULL };
	char text[300] = "";

	TAP_OK(complains(ours, text, sizeof(text)), "a function of the module's on the stack");
	TAP_OK(!strncmp(text, "WARNING: CPU: 0", 15), "the first line is what is told: %s", text);
	TAP_OK(complains(process, text, sizeof(text)), "a process of the test");
	TAP_OK(complains(cache, text, sizeof(text)), "a cache of the module's, in the first line");
	TAP_OK(complains(within, text, sizeof(text)), "the same within a stranger's complaint");
	TAP_OK(!strncmp(text, "BUG simplefs_inode", 18), "which is not what is told: %s", text);
	TAP_OK(complains(back, text, sizeof(text)), "two CPUs whose clocks differ");
	TAP_OK(!complains(strangers, text, sizeof(text)), "a stranger's, that has ended before");
	TAP_OK(!complains(beside, text, sizeof(text)), "a stranger's, and an ordinary line of ours");
	TAP_OK(!complains(later, text, sizeof(text)), "a stranger's, seconds before");
	TAP_OK(!complains(cried, text, sizeof(text)), "a process's own words");
	judges();
	return tap_done();
}
