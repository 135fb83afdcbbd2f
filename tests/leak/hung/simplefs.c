// SPDX-License-Identifier: GPL-2.0-only
/*
 * simplefs.c - a module of that name that does not go before its parameter is set: sysfs has it for
 * as long as the exit runs.
 */
#include <linux/delay.h>
#include <linux/module.h>

static bool go;
module_param(go, bool, 0644);
MODULE_PARM_DESC(go, "the exit ends");

static int __init hung_init(void)
{
	return 0;
}

static void __exit hung_exit(void)
{
	while (!READ_ONCE(go))
		msleep(20);
}

module_init(hung_init);
module_exit(hung_exit);
MODULE_DESCRIPTION("A module that does not go");
MODULE_LICENSE("GPL");
