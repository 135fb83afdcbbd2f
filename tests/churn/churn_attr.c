// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn_attr.c - what a worker does to attributes, flags and projects of its own files.
 *
 * A value is stamped as if it lay in the file far behind its end, so that what is found under a
 * wrong name, or too late, gives itself away.  A refused change leaves the old value.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "churn.h"

#define ATTR_MAX	65536
#define ATTR_PLACE	(1L << 30)	/* of the first one's value, and as much for each */

static unsigned char want[ATTR_MAX];

static void attr_name(char name[16], unsigned int n)
{
	snprintf(name, 16, "user.%u", n);
}

static void attr_stamp(unsigned char *buf, const struct object *o, unsigned int n,
		       uint32_t version, size_t nbytes)
{
	stamp(buf, me, o->serial, version, (n + 1) * ATTR_PLACE, nbytes);
}

static void attr_check(const struct object *o, int fd, unsigned int n)
{
	const struct attr *a = &o->attr[n];
	ssize_t got;
	char name[16];

	attr_name(name, n);
	got = fgetxattr(fd, name, bounce, ATTR_MAX);
	if (!must(got, a->there ? 0 : ENODATA, "getxattr"))
		return;
	attr_stamp(want, o, n, a->version, a->nbytes);
	errno = 0;
	if (got != (ssize_t)a->nbytes || memcmp(bounce, want, got))
		bad("file %x, attribute %u: %zd bytes, or other ones, not %u of version %u",
		    o->serial, n, got, a->nbytes, a->version);
}

static void flags_check(const struct object *o, int fd)
{
	struct fsxattr x;

	if (!must(ioctl(fd, FS_IOC_FSGETXATTR, &x), 0, "FSGETXATTR"))
		return;
	errno = 0;
	if (x.fsx_xflags != o->flags || x.fsx_projid != o->projid)
		bad("file %x: flags %x, project %u, not %x, %u", o->serial, x.fsx_xflags, x.fsx_projid,
		    o->flags, o->projid);
}

void attrs_compare(const struct object *o, int fd)
{
	size_t nbytes = 0;
	unsigned int n;
	char name[16];

	for (n = 0; n < ATTRS; n++) {
		attr_check(o, fd, n);
		attr_name(name, n);
		nbytes += o->attr[n].there ? strlen(name) + 1 : 0;
	}
	errno = 0;
	if (flistxattr(fd, NULL, 0) != (ssize_t)nbytes)
		bad("file %x: its attributes are not those of the list", o->serial);
	flags_check(o, fd);
}

static struct object *attr_begin(int *ret_fd)
{
	struct object *o = object_pick();

	if (!o)
		return NULL;
	*ret_fd = object_open(o, O_RDONLY);
	must(*ret_fd, 0, "open");
	return o;
}

static void own_attr_set(int most)
{
	unsigned int n = rnd(ATTRS);
	size_t nbytes = rnd(most + 1);
	uint32_t version;
	struct object *o;
	char name[16];
	int fd;

	o = attr_begin(&fd);
	if (!o)
		return;
	attr_name(name, n);
	version = o->version++;
	attr_stamp(bounce, o, n, version, nbytes);
	if (grew(fsetxattr(fd, name, bounce, nbytes, 0), 0, "setxattr"))
		o->attr[n] = (struct attr) { true, nbytes, version };
	attr_check(o, fd, n);
	close(fd);
}

static void own_attr_remove(int unused)
{
	unsigned int n = rnd(ATTRS);
	struct object *o;
	char name[16];
	int fd;

	(void)unused;
	o = attr_begin(&fd);
	if (!o)
		return;
	attr_name(name, n);
	if (did(fremovexattr(fd, name), o->attr[n].there ? 0 : ENODATA, "removexattr"))
		o->attr[n].there = false;
	attr_check(o, fd, n);
	close(fd);
}

/* Of those that forbid nothing and change no times behind the model's back. */
static void own_flags(int projects)
{
	struct fsxattr x = { .fsx_projid = rnd(projects) };
	struct object *o;
	int fd;

	o = attr_begin(&fd);
	if (!o)
		return;
	x.fsx_xflags = (rnd(2) ? FS_XFLAG_NODUMP : 0) | (rnd(2) ? FS_XFLAG_NOATIME : 0) |
		       (rnd(8) ? 0 : FS_XFLAG_SYNC);
	if (did(ioctl(fd, FS_IOC_FSSETXATTR, &x), 0, "FSSETXATTR")) {
		o->flags = x.fsx_xflags;
		o->projid = x.fsx_projid;
	}
	flags_check(o, fd);
	close(fd);
}

static void own_attr_read(int unused)
{
	struct object *o;
	int fd;

	(void)unused;
	o = attr_begin(&fd);
	if (!o)
		return;
	attrs_compare(o, fd);
	did(0, 0, "attributes");
	close(fd);
}

const struct op attr_ops[] = {
	{ "set attribute", 10, own_attr_set, 300 },
	{ "set middling attribute", 5, own_attr_set, 6000 },
	{ "set large attribute", 3, own_attr_set, ATTR_MAX },
	{ "remove attribute", 6, own_attr_remove, 0 },
	{ "read attributes", 3, own_attr_read, 0 },
	{ "set flags", 6, own_flags, 5 },
};
const unsigned int attr_ops_count = sizeof(attr_ops) / sizeof(attr_ops[0]);
