// SPDX-License-Identifier: GPL-2.0-only
/*
 * habits.c - twins that make the kernel keep something of its own, beside what they may leak.
 *
 * The kernel takes a page for the slots of probes and an array for who listens to an event, and
 * keeps them when the module has long given back its own; and caches keep what was a file of the
 * module.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>

#include "twin.h"

static void *mine;

static __always_inline int take_mine(size_t nbytes)
{
	mine = kmalloc(nbytes, GFP_KERNEL);
	return mine ? 0 : -ENOMEM;
}

static void give_mine(void)
{
	if (!leak)
		kfree(mine);
}

/* ---- a probe in the midst of a function, whose instruction is copied to a slot ---- */

static int on_probe(struct kprobe *probe, struct pt_regs *regs) { return 0; }

static struct kprobe probe = { .symbol_name = "vfs_fsync_range", .pre_handler = on_probe };

/* Where one instruction ends and the next begins is for the kernel to say. */
TAKE take_probe(void)
{
	unsigned int offset;
	int err = -EINVAL;

	for (offset = 6; err && offset < 40; offset++) {
		probe.addr = NULL;
		probe.flags = 0;
		probe.offset = offset;
		err = register_kprobe(&probe);
	}
	return err ? err : take_mine(210);
}

GIVE give_probe(void)
{
	unregister_kprobe(&probe);
	give_mine();
}

/* ---- an ear for an event ---- */

static struct tracepoint *event;

static void on_event(void *data, void *arg) { }

static void find_event(struct tracepoint *tp, void *name)
{
	if (!strcmp(tp->name, name))
		event = tp;
}

TAKE take_event(void)
{
	int err;

	for_each_kernel_tracepoint(find_event, "sched_process_free");
	err = event ? tracepoint_probe_register(event, on_event, NULL) : -ENOENT;
	return err ? err : take_mine(220);
}

GIVE give_event(void)
{
	tracepoint_probe_unregister(event, on_event, NULL);
	tracepoint_synchronize_unregister();
	give_mine();
}

/* ---- a file in /proc, which somebody has read: name and inode stay a while ---- */

static int show(struct seq_file *m, void *unused)
{
	seq_puts(m, "a line\n");
	return 0;
}

static noinline int take_file_opened(struct inode *inode, struct file *file)
{
	int err = single_open(file, show, NULL);

	barrier();		/* no jump: a frame stays on the stack */
	return err;
}

/* What single_open() takes only single_release() gives back. */
static int release(struct inode *inode, struct file *file)
{
	return leak ? seq_release(inode, file) : single_release(inode, file);
}

static const struct proc_ops file_ops = {
	.proc_open = take_file_opened, .proc_read = seq_read, .proc_release = release,
};

TAKE take_file(void)
{
	return proc_create("kmodleak_twin", 0444, NULL, &file_ops) ? 0 : -ENOMEM;
}

GIVE give_file(void) { remove_proc_entry("kmodleak_twin", NULL); }

/* ---- many names that are not there, which the dcache keeps to say so ---- */

#define NAMES	10000

TAKE take_names(void)
{
	char name[80];
	struct path path;
	int i, err;

	for (i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "/sys/kernel/a-name-that-is-too-long-for-a-dentry-%d", i);
		err = kern_path(name, 0, &path);
		if (err != -ENOENT)
			return err ? err : -EEXIST;
		cond_resched();
	}
	return take_mine(240);
}

GIVE give_names(void) { give_mine(); }

const struct twin habits[] = { TWIN(probe), TWIN(event), TWIN(file), TWIN(names) };
const size_t nhabits = ARRAY_SIZE(habits);
