// SPDX-License-Identifier: GPL-2.0-only
/*
 * retry.c - trying again where there is no space yet: the one rule of it.
 */
#include "simplefs.h"

#include <linux/pagemap.h>
#include <linux/writeback.h>

/*
 * Groups that nobody has looked at come first: reading them has an end.  After a commit all that
 * was free before it can be had, and what the device was busy with when it is done; others may have
 * had it and freed more meanwhile (si_moves).  As long as that goes on so do we, for a promise is
 * kept; when nothing has moved since before the last commit, nothing is pending and the counts are
 * wrong.  So they are after SFS_WAITS_MAX commits: what one gives back of his own moves, too.
 */
#define SFS_SETTLED	(1u << 31)	/* in *tries: promises have been claimed back */
#define SFS_WRITTEN	(1u << 30)	/* the file's own are none, its data is written */
#define SFS_WAITED	(1u << 29)	/* for a commit, when si_moves was what follows */
#define SFS_MOVES_SHIFT	10		/* below: how many commits have been waited for */
#define SFS_MOVES_MASK	(SFS_WAITED - (1u << SFS_MOVES_SHIFT))
#define SFS_WAITS_MAX	1000

/* Waits for the end of what is busy now: a mutex goes to who waits for it, not always to trims. */
static void sfs_wait_busy(struct sfs_sb_info *si)
{
	mutex_lock(&si->si_trim_lock);
	mutex_unlock(&si->si_trim_lock);
}

/* Has nothing moved since the last time, or far too often? */
static bool sfs_wait_is_vain(struct sfs_sb_info *si, unsigned int *tries)
{
	unsigned int moves = (unsigned int)atomic_read(&si->si_moves) << SFS_MOVES_SHIFT;
	unsigned int now = (moves & SFS_MOVES_MASK) | SFS_WAITED;
	unsigned int waits = *tries % (1u << SFS_MOVES_SHIFT) + 1;
	bool same = (*tries & (SFS_MOVES_MASK | SFS_WAITED)) == now;

	*tries = (*tries & (SFS_SETTLED | SFS_WRITTEN)) | now | min(waits, SFS_WAITS_MAX);
	return same || waits > SFS_WAITS_MAX;
}

bool sfs_retry_pending(struct super_block *sb, int *err, unsigned int *tries)
{
	int loaded;

	if (*err != -EAGAIN)
		return false;
	/* What cannot be loaded is no reason, but for want of memory: who needs it is told. */
	loaded = sfs_load_next(&SFS_SB(sb)->si_fs);
	if (loaded > 0) {
		*err = 0;
		return true;
	}
	*err = sfs_wait_is_vain(SFS_SB(sb), tries) && loaded != -ENOMEM ? -ENOSPC : 0;
	if (!*err)
		*err = sfs_journal_commit(sb);
	if (!*err)
		sfs_wait_busy(SFS_SB(sb));
	return !*err;
}

#define SFS_SETTLE_INODES	1024

static bool sfs_has_counted(struct inode *inode)
{
	return READ_ONCE(SFS_I(inode)->ii_unwritten) || READ_ONCE(SFS_I(inode)->ii_direct);
}

void sfs_settle_all(struct super_block *sb)
{
	struct inode *inode, *held = NULL;
	unsigned int seen = 0;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		/* Others want the list: each so many inodes one will do to find the place again. */
		if (!(sfs_has_counted(inode) || ++seen >= SFS_SETTLE_INODES) || !igrab(inode))
			continue;
		seen = 0;
		spin_unlock(&sb->s_inode_list_lock);
		sfs_unwritten_settle(inode);
		/* The one before: this one is the place in the list. */
		iput(held);
		held = inode;
		cond_resched();
		spin_lock(&sb->s_inode_list_lock);
	}
	spin_unlock(&sb->s_inode_list_lock);
	iput(held);
}

/* Has somebody claimed nodes, or would @inode have to, for what it has in memory? */
static bool sfs_can_settle(struct inode *inode)
{
	return sfs_counter_read(&SFS_SB(inode->i_sb)->si_fs.f_nodes) ||
	       READ_ONCE(SFS_I(inode)->ii_delalloc_nblks) || sfs_has_counted(inode);
}

/* An error is for fsync to tell. */
static void sfs_write_out(struct inode *inode)
{
	filemap_fdatawrite(inode->i_mapping);
	filemap_fdatawait_keep_errors(inode->i_mapping);
}

static bool sfs_retry_space(struct inode *inode, int *err, unsigned int *tries)
{
	struct super_block *sb = inode->i_sb;

	if (*err == -ENOSPC && sfs_lost_look(&SFS_SB(sb)->si_fs)) {
		*err = 0;
		return true;
	}
	if (*err != -ENOSPC || (*tries & SFS_SETTLED) || !sfs_can_settle(inode))
		return sfs_retry_pending(sb, err, tries);
	if (down_read_trylock(&sb->s_umount)) {
		sync_inodes_sb(sb);
		sfs_settle_all(sb);
		up_read(&sb->s_umount);
	} else {
		sfs_write_out(inode);
	}
	*tries |= SFS_SETTLED;
	*err = 0;
	return true;
}

bool sfs_retry(struct inode *inode, int *err, unsigned int *tries)
{
	if (*err == -EAGAIN && fatal_signal_pending(current))
		*err = -EINTR;
	return sfs_retry_space(inode, err, tries);
}

bool sfs_retry_alone(struct inode *inode, int *err, unsigned int *tries)
{
	bool own = *err == -ENOSPC && !(*tries & SFS_WRITTEN);

	/* What this file has in memory may be all that is in the way: nobody else need wait. */
	if (own) {
		sfs_write_out(inode);
		*tries |= SFS_WRITTEN;
		*err = 0;
	} else if (!sfs_retry_space(inode, err, tries)) {
		return false;
	}
	sfs_unwritten_recount(inode);
	return true;
}
