/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * port.h - what the core asks of the world it is compiled into.
 *
 * Kernel and user space each answer with one header.  From the two headers come the fixed-size
 * types and their byte order (u8 .. u64, s64, __le16 .. __le64, le32_to_cpu() and friends), bool,
 * the mem*() functions, strlen(), min()/max(), container_of(), static_assert, the errno names with
 * EFSCORRUPTED and EFSBADCRC, struct sfs_mutex, struct sfs_counter, sfs_assert(), SFS_LOAD_MAX
 * (what f_load_max begins with) and the functions that are cheaper inline; for what is read without
 * a lock READ_ONCE(), WRITE_ONCE(), smp_load_acquire() and smp_store_release().  The prototypes
 * below are the rest of the contract.
 */
#ifndef SFS_PORT_H
#define SFS_PORT_H

#ifdef __KERNEL__
#include "../kernel/port-kernel.h"
#else
#include "../lib/port-user.h"
#endif

/* What is returned where the volume is wrong, not the machine. */
static inline bool sfs_is_damage(long err)
{
	return err == -EFSCORRUPTED || err == -EFSBADCRC;
}
/* Of one block: the next may be sound. */
static inline bool sfs_is_bad_block(long err)
{
	return err == -EIO || sfs_is_damage(err);
}

struct sfs_fs;
struct sfs_buf;			/* one cached metadata block */
struct sfs_trans;		/* one transaction handle */
struct sfs_block_ops;		/* one kind of block (block.c) */

/*
 * Inline in the port headers:
 *
 *   void sfs_mutex_init(struct sfs_mutex *m);  sfs_mutex_destroy, sfs_mutex_lock, sfs_mutex_unlock
 *   bool sfs_mutex_is_held(struct sfs_mutex *m);    for assertions only: may say true when unsure
 *   void sfs_counter_set(struct sfs_counter *c, s64 value);  void sfs_counter_add(c, s64 n);
 *   s64 sfs_counter_read(c);
 *   bool sfs_counter_take(c, s64 n, s64 floor);    subtracts unless less than @floor would be left
 *   void *sfs_mem_alloc(size_t nbytes);    zeroed, NULL if there is none; sfs_mem_free(p)
 *   u32 sfs_crc32c(u32 seed, const void *p, size_t nbytes);    Castagnoli, no final inversion
 *   u64 sfs_siphash(const u64 key[2], const void *p, size_t nbytes);    siphash-2-4
 *   s64 sfs_time_now(void);      nanoseconds since 1970
 *   u32 sfs_random32(void);
 *   unsigned long sfs_error_lock(struct sfs_fs *fs);  sfs_error_unlock(fs, flags): f_state and
 *       f_error_* stand still in between; nothing there may sleep
 *   int sfs_node_charge(struct sfs_inode *in);    -EDQUOT: whose @in is may not have a node
 *       more; what no node is made of is given back with the end of the change
 *   void sfs_freed(struct sfs_trans *t, struct sfs_fs *fs, u64 blk, u32 nblks);    is told of
 *       blocks that @t has freed, all in one group; under g_lock
 */

/*
 * Blocks.  Every block reached through these carries struct sfs_head.
 *
 * sfs_buf_get() reads a block that is to be of kind @ops: head and structure are checked once when
 * it comes from the device, kind and owner at every call.  -EIO, -ENOMEM, -EFSBADCRC, or
 * -EFSCORRUPTED after reporting.
 */
int sfs_buf_get(struct sfs_fs *fs, u64 blk, const struct sfs_block_ops *ops, u64 owner,
		struct sfs_buf **ret_buf);

/*
 * A block just allocated in @t: zeroed, its head filled in, write access taken.  Nothing is read.
 * The caller must sfs_buf_dirty() it.  -EFSCORRUPTED after a report when it is metadata in use.
 */
int sfs_buf_new(struct sfs_trans *t, struct sfs_fs *fs, u64 blk, const struct sfs_block_ops *ops,
		u64 owner, struct sfs_buf **ret_buf);

/* Drops a reference.  NULL is fine. */
void sfs_buf_put(struct sfs_buf *buf);
void sfs_buf_hold(struct sfs_buf *buf);

void *sfs_buf_data(struct sfs_buf *buf);
u64 sfs_buf_blk(struct sfs_buf *buf);

/* Before the first change of @buf in @t.  May sleep and fail; cheap when repeated. */
int sfs_buf_access(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf);

/*
 * The same for a used map: from now on the earlier states of its bits can be asked for.
 *
 * The rule of reuse: a block may be handed out when it is free in the running, in the committing
 * *and* in the committed state.  Whichever of these a crash brings back, the block has no owner
 * there whose content the new one could spoil, and no replay writes over it.
 */
int sfs_buf_access_undo(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf);

/*
 * Of the @nbits bits from @bit of the bitmap in @buf, all clear in the running state, how many,
 * from the first on, are clear too in the committing and in the committed state.  @nbits where
 * nothing is pending.  After sfs_buf_access_undo() in the caller's transaction.
 */
unsigned int sfs_buf_reusable(struct sfs_buf *buf, unsigned int bit, unsigned int nbits);

/* After a change.  Fails only when the journal is gone, and has shut the filesystem down then. */
int sfs_buf_dirty(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf);

/*
 * The number of @t's transaction: 0 without a journal, where every change stands alone.  Of those
 * that are not on disk no two have the same, unless that is 1.
 */
u32 sfs_trans_tid(struct sfs_trans *t);

/*
 * The block is being freed in @t: never write it again, and let no replay resurrect it.  Consumes
 * the reference.  Needs a revoke credit.
 */
int sfs_buf_forget(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf);

/*
 * A block dirtied in @t that nothing which follows may overtake on its way to the device.  With a
 * journal the commit sees to that; without one it is on stable storage on return, and after an
 * error nobody knows what is there.
 */
int sfs_buf_order(struct sfs_trans *t, struct sfs_fs *fs, struct sfs_buf *buf);

/* Asks for a run of blocks ahead of time.  No promise, no error. */
void sfs_buf_readahead(struct sfs_fs *fs, u64 blk, unsigned int nblks);

/*
 * Outside of any transaction: writes @nblks blocks that nothing refers to yet, from @blk on.  @fill
 * prepares each from a zeroed block, head included, and is given @arg; sealing is done here.
 */
typedef void (*sfs_fill_fn)(struct sfs_fs *fs, u64 blk, void *data, const void *arg);
int sfs_buf_format(struct sfs_fs *fs, u64 blk, unsigned int nblks, sfs_fill_fn fill,
		   const void *arg);
/* Returns when what has been written so is on stable storage. */
int sfs_buf_flush(struct sfs_fs *fs);

/*
 * The end of everything: @fs takes no further change and returns -EIO, since an operation failed
 * after its first change.  Called by core where that cannot be avoided.
 */
void sfs_shutdown(struct sfs_fs *fs, int err, const char *why);

/*
 * The one reporter of damage: says "corrupt <what>: blk= ino=, <why>" once, records it, applies
 * errors=, returns -EFSCORRUPTED.  @blk and @ino may be 0.
 */
int sfs_corrupt(struct sfs_fs *fs, u64 blk, u64 ino, const char *what, const char *why);

#endif
