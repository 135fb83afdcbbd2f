/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * port-user.h - the user-space answer to port.h.
 *
 * Tools are single-threaded, so mutexes only remember that they are held (and so catch a missing
 * or double lock), and counters are plain numbers.
 */
#ifndef SFS_PORT_USER_H
#define SFS_PORT_USER_H

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#ifdef __CHECKER__
#define SFS_FORCE	__attribute__((force))
#else
#define SFS_FORCE
#endif

#define le16_to_cpu(x)	le16toh((SFS_FORCE u16)(__le16)(x))
#define le32_to_cpu(x)	le32toh((SFS_FORCE u32)(__le32)(x))
#define le64_to_cpu(x)	((u64)le64toh((SFS_FORCE u64)(__le64)(x)))
#define cpu_to_le16(x)	((SFS_FORCE __le16)htole16(x))
#define cpu_to_le32(x)	((SFS_FORCE __le32)htole32(x))
#define cpu_to_le64(x)	((SFS_FORCE __le64)(u64)htole64(x))

/* The first byte that is not @c, or NULL. */
static inline const void *memchr_inv(const void *data, int c, size_t nbytes)
{
	const u8 *p = data;

	for (; nbytes; p++, nbytes--)
		if (*p != (u8)c)
			return p;
	return NULL;
}

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define min(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

#ifndef EFSCORRUPTED
#define EFSCORRUPTED	EUCLEAN
#endif
#ifndef EFSBADCRC
#define EFSBADCRC	EBADMSG
#endif

/* Groups that an allocation may load: a tool holds nobody up. */
#define SFS_LOAD_MAX	(~0u)

#define sfs_assert(cond)	assert(cond)

/* Single-threaded: the kernel's names for what matters where others look without a lock. */
#define READ_ONCE(x)			(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value)		(*(volatile __typeof__(x) *)&(x) = (value))
#define smp_load_acquire(p)		READ_ONCE(*(p))
#define smp_store_release(p, value)	WRITE_ONCE(*(p), value)

struct sfs_mutex {
	bool held;
};

static inline void sfs_mutex_init(struct sfs_mutex *m)
{
	m->held = false;
}

static inline void sfs_mutex_destroy(struct sfs_mutex *m)
{
	assert(!m->held);
}

static inline void sfs_mutex_lock(struct sfs_mutex *m)
{
	assert(!m->held);
	m->held = true;
}

static inline void sfs_mutex_unlock(struct sfs_mutex *m)
{
	assert(m->held);
	m->held = false;
}

static inline bool sfs_mutex_is_held(struct sfs_mutex *m)
{
	return m->held;
}

struct sfs_counter {
	s64 value;
};

static inline void sfs_counter_set(struct sfs_counter *c, s64 value)
{
	c->value = value;
}

static inline void sfs_counter_add(struct sfs_counter *c, s64 n)
{
	c->value += n;
}

static inline bool sfs_counter_take(struct sfs_counter *c, s64 n, s64 floor)
{
	if (c->value - n < floor)
		return false;
	c->value -= n;
	return true;
}

static inline s64 sfs_counter_read(struct sfs_counter *c)
{
	return c->value;
}

static inline void *sfs_mem_alloc(size_t nbytes)
{
	return calloc(1, nbytes);
}

static inline void sfs_mem_free(void *p)
{
	free(p);
}

u32 sfs_crc32c(u32 seed, const void *p, size_t nbytes);			/* lib/hash.c */
u64 sfs_siphash(const u64 key[2], const void *p, size_t nbytes);
s64 sfs_time_now(void);							/* lib/clock.c */
u32 sfs_random32(void);

struct sfs_fs;
struct sfs_inode;
struct sfs_trans;

static inline int sfs_node_charge(struct sfs_inode *in)
{
	(void)in;
	return 0;
}

/* A file or a device that is being made or mended has nobody to be told. */
static inline void sfs_freed(struct sfs_trans *t, struct sfs_fs *fs, u64 blk, u32 nblks)
{
	(void)t;
	(void)fs;
	(void)blk;
	(void)nblks;
}

static inline unsigned long sfs_error_lock(struct sfs_fs *fs)
{
	(void)fs;
	return 0;
}

static inline void sfs_error_unlock(struct sfs_fs *fs, unsigned long flags)
{
	(void)fs;
	(void)flags;
}

#endif
