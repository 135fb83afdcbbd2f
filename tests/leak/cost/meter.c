// SPDX-License-Identifier: GPL-2.0-only
/*
 * meter.c - what taking and giving back costs, in instructions, told when the module is loaded.
 *
 * For a machine that counts instructions: there the time stamp is their number.  Nothing may come
 * in between, so interrupts are off; the least of several rounds is told.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#define ROUNDS	5
#define COUNT	200

static u64 once_kmalloc(void)
{
	u64 start = rdtsc_ordered();
	int i;

	for (i = 0; i < COUNT; i++)
		kfree(kmalloc(200, GFP_ATOMIC));
	return rdtsc_ordered() - start;
}

static u64 once_page(void)
{
	u64 start = rdtsc_ordered();
	int i;

	for (i = 0; i < COUNT; i++)
		__free_page(alloc_page(GFP_ATOMIC));
	return rdtsc_ordered() - start;
}

static void tell(const char *what, u64 (*once)(void))
{
	u64 least = U64_MAX;
	unsigned long flags;
	int i;

	once();
	for (i = 0; i < ROUNDS; i++) {
		local_irq_save(flags);
		least = min(least, once());
		local_irq_restore(flags);
	}
	pr_info("meter: %s %llu\n", what, least / COUNT);
}

static int __init meter_init(void)
{
	tell("kmalloc", once_kmalloc);
	tell("page", once_page);
	return 0;
}

static void __exit meter_exit(void) { }

module_init(meter_init);
module_exit(meter_exit);
MODULE_DESCRIPTION("Counts what allocations cost");
MODULE_LICENSE("GPL");
