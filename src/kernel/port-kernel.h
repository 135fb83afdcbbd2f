/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * port-kernel.h - the kernel's answer to port.h.
 *
 * Sleeping locks, exact counters, and memory that respects the NOFS scope a transaction is in.
 */
#ifndef SFS_PORT_KERNEL_H
#define SFS_PORT_KERNEL_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/crc32c.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/types.h>

struct sfs_fs;
struct sfs_inode;
struct sfs_trans;

int sfs_node_charge(struct sfs_inode *in);	/* quota.c */
void sfs_freed(struct sfs_trans *t, struct sfs_fs *fs, u64 blk, u32 nblks);	/* freed.c */

#ifndef EFSCORRUPTED
#define EFSCORRUPTED	EUCLEAN
#endif
#ifndef EFSBADCRC
#define EFSBADCRC	EBADMSG
#endif

/* Groups that an allocation may load while its handle holds up the commit (alloc.c). */
#define SFS_LOAD_MAX	8

/* A broken invariant in memory is told, once, and never a reason to stop the machine. */
#define sfs_assert(cond)	WARN_ON_ONCE(!(cond))

struct sfs_mutex {
	struct mutex mutex;
};

/* A macro, so that lockdep gets a class for each place that makes one. */
#define sfs_mutex_init(m)	mutex_init(&(m)->mutex)

static inline void sfs_mutex_destroy(struct sfs_mutex *m)
{
	mutex_destroy(&m->mutex);
}

static inline void sfs_mutex_lock(struct sfs_mutex *m)
{
	mutex_lock(&m->mutex);
}

static inline void sfs_mutex_unlock(struct sfs_mutex *m)
{
	mutex_unlock(&m->mutex);
}

static inline bool sfs_mutex_is_held(struct sfs_mutex *m)
{
	return mutex_is_locked(&m->mutex);
}

/*
 * Exact, since a promise made by a number that is nearly right is broken on a full volume.  The one
 * cache line costs less than what each operation shares in jbd2 anyway.
 */
struct sfs_counter {
	atomic64_t counter;
};

static inline void sfs_counter_set(struct sfs_counter *c, s64 value)
{
	atomic64_set(&c->counter, value);
}

static inline void sfs_counter_add(struct sfs_counter *c, s64 n)
{
	atomic64_add(n, &c->counter);
}

static inline bool sfs_counter_take(struct sfs_counter *c, s64 n, s64 floor)
{
	s64 old = atomic64_read(&c->counter);

	do {
		if (old - n < floor)
			return false;
	} while (!atomic64_try_cmpxchg(&c->counter, &old, old - n));
	return true;
}

static inline s64 sfs_counter_read(struct sfs_counter *c)
{
	return atomic64_read(&c->counter);
}

static inline void *sfs_mem_alloc(size_t nbytes)
{
	/* Under f_zone_lock, also outside of transactions: reclaim must not begin one. */
	return kvzalloc(nbytes, GFP_NOFS);
}

static inline void sfs_mem_free(void *p)
{
	kvfree(p);
}

static inline u32 sfs_crc32c(u32 seed, const void *p, size_t nbytes)
{
	return crc32c(seed, p, nbytes);
}

static inline u64 sfs_siphash(const u64 key[2], const void *p, size_t nbytes)
{
	siphash_key_t k = { .key = { key[0], key[1] } };

	return siphash(p, nbytes, &k);
}

static inline s64 sfs_time_now(void)
{
	return ktime_get_real_ns();
}

static inline u32 sfs_random32(void)
{
	return get_random_u32();
}

struct sfs_fs;
/* In error.c. */
unsigned long sfs_error_lock(struct sfs_fs *fs);
void sfs_error_unlock(struct sfs_fs *fs, unsigned long flags);

#endif
