// SPDX-License-Identifier: GPL-2.0-only
/*
 * complain.c - a module that misbehaves when it is loaded, to see the machine runner notice.
 *
 * how=warn gives a WARNING, how=block leaves a task waiting for ever, how=spin keeps a CPU from
 * scheduling for ten seconds (for ever, and the machine could not even be switched off).  Anything
 * else is only repeated on the console.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/preempt.h>

static char *how = "";
module_param(how, charp, 0);
MODULE_PARM_DESC(how, "warn, block, spin");

static DECLARE_COMPLETION(never);

static int complain_block(void *unused)
{
	wait_for_completion(&never);
	return 0;
}

static int complain_spin(void *unused)
{
	unsigned long end = jiffies + 10 * HZ;

	preempt_disable();
	while (time_before(jiffies, end))
		cpu_relax();
	preempt_enable();
	return 0;
}

static int __init complain_init(void)
{
	struct task_struct *task = NULL;

	pr_notice("complain: how=%s\n", how);
	if (!strcmp(how, "block"))
		task = kthread_run(complain_block, NULL, "complain");
	else if (!strcmp(how, "spin"))
		task = kthread_run(complain_spin, NULL, "complain");
	else
		WARN(!strcmp(how, "warn"), "asked to warn\n");
	return PTR_ERR_OR_ZERO(task);
}
module_init(complain_init);

MODULE_DESCRIPTION("misbehaves on request");
MODULE_LICENSE("GPL");
