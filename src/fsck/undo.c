// SPDX-License-Identifier: GPL-2.0-only
/*
 * undo.c - fsck -z: blocks are kept in a file before they are overwritten.
 *
 * Whoever writes passes here (sfs_dev_guard()).  With the first block of many that wait in the
 * cache all of them are kept, so that a repair waits for its file a few times, not for each block;
 * of the journal, which is written from its beginning on, some blocks ahead.  What block 0 becomes
 * is noted as well, before it does: by that --undo knows the volume when a repair was cut off.
 */
#include <fcntl.h>
#include <libgen.h>
#include <unistd.h>

#include "undo.h"

#define SFS_UNDO_AHEAD	256		/* blocks of the journal */

u32 sfs_undo_sum(const struct sfs_undo *u, const void *data)
{
	return sfs_crc32c(u->u_seed, data, SFS_BLOCK_SIZE);
}

static int sfs_undo_write(struct sfs_undo *u, const void *data, size_t nbytes)
{
	size_t done = 0;

	while (done < nbytes && !u->u_err) {
		ssize_t n = pwrite(u->u_fd, (const u8 *)data + done, nbytes - done, u->u_pos);

		if (n < 0 && errno != EINTR)
			u->u_err = -errno;
		done += max_t(ssize_t, n, 0);
		u->u_pos += max_t(ssize_t, n, 0);
	}
	return u->u_err;
}

int sfs_undo_append(struct sfs_undo *u, enum sfs_undo_type type, u64 blk, u32 sum,
		    const void *data)
{
	struct sfs_undo_record r = {
		.r_magic = cpu_to_le32(SFS_UNDO_MAGIC), .r_type = cpu_to_le32(type),
		.r_blk = cpu_to_le64(blk), .r_number = cpu_to_le32(u->u_number++),
		.r_sum = cpu_to_le32(sum),
	};
	int err;

	r.r_crc = cpu_to_le32(sfs_crc32c(u->u_seed, &r, offsetof(struct sfs_undo_record, r_crc)));
	err = sfs_undo_write(u, &r, sizeof(r));
	return err || !data ? err : sfs_undo_write(u, data, SFS_BLOCK_SIZE);
}

static int sfs_undo_sync(struct sfs_undo *u)
{
	if (!u->u_err && fsync(u->u_fd))
		u->u_err = -errno;
	if (u->u_err)
		sfs_warn("%s: the undo file cannot be written: %s", u->u_path,
			 strerror(-u->u_err));
	return u->u_err;
}

bool sfs_undo_read(const struct sfs_undo *u, u64 blk, void *data)
{
	return pread(sfs_dev_fd(u->u_dev), data, SFS_BLOCK_SIZE, blk << SFS_BLOCK_BITS) ==
	       SFS_BLOCK_SIZE;
}

static int sfs_undo_keep(void *arg, u64 blk, const void *new)
{
	struct sfs_undo *u = arg;
	u8 data[SFS_BLOCK_SIZE];

	(void)new;
	if (blk >= sfs_dev_nblks(u->u_dev) || u->u_saved[blk / 8] >> blk % 8 & 1)
		return u->u_err;
	u->u_saved[blk / 8] |= 1 << blk % 8;
	u->u_nsaved++;
	if (sfs_undo_read(u, blk, data))
		return sfs_undo_append(u, SFS_UNDO_OLD, blk, sfs_undo_sum(u, data), data);
	return sfs_undo_append(u, SFS_UNDO_UNREAD, blk, 0, NULL);
}

/* Block @blk is about to be overwritten. */
static int sfs_undo_guard(void *arg, u64 blk, const void *new)
{
	struct sfs_undo *u = arg;
	u64 start = u->u_fs->f_journal_start, end = start + u->u_fs->f_journal_blocks;
	u64 n = u->u_nsaved;
	u64 ahead;

	/* Block 0 in any case: by it the volume is known. */
	sfs_undo_keep(u, 0, NULL);
	if (blk < sfs_dev_nblks(u->u_dev) && !(u->u_saved[blk / 8] >> blk % 8 & 1)) {
		(void)sfs_dev_visit_changed(u->u_dev, sfs_undo_keep, u);
		for (ahead = blk; ahead == blk || (blk >= start && ahead < end &&
						   ahead < blk + SFS_UNDO_AHEAD); ahead++)
			sfs_undo_keep(u, ahead, NULL);
	}
	if (!blk)
		sfs_undo_append(u, SFS_UNDO_SUPER, 0, sfs_undo_sum(u, new), NULL);
	return n != u->u_nsaved || !blk || u->u_err ? sfs_undo_sync(u) : 0;
}

/* The name is lasting, too. */
static void sfs_undo_sync_dir(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	free(copy);
	if (fd < 0 || fsync(fd))
		sfs_die(SFS_EXIT_FAILED, "%s: the undo file's name cannot be made lasting: %s", path,
			strerror(errno));
	close(fd);
}

static struct sfs_undo *sfs_undo_begun;

/* The program ends before it has written anything. */
static void sfs_undo_exit(void)
{
	if (sfs_undo_begun && !sfs_undo_begun->u_nsaved)
		unlink(sfs_undo_begun->u_path);
}

void sfs_undo_begin(struct sfs_undo *u, const struct sfs_fs *fs, const char *path)
{
	struct sfs_undo_head head = { .u_ident = SFS_UNDO_IDENT };
	u64 nblks = sfs_dev_nblks(fs->f_priv);

	*u = (struct sfs_undo) { .u_path = path, .u_dev = fs->f_priv, .u_fs = fs };
	u->u_saved = calloc(nblks / 8 + 1, 1);
	if (!u->u_saved)
		sfs_die(SFS_EXIT_FAILED, "%s: no memory for what is kept", path);
	u->u_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (u->u_fd < 0)
		sfs_die(SFS_EXIT_FAILED, "%s: the undo file cannot be made: %s", path,
			strerror(errno));
	memcpy(head.u_uuid, fs->f_uuid, sizeof(head.u_uuid));
	head.u_blocks = cpu_to_le64(nblks);
	head.u_time = cpu_to_le64((u64)sfs_time_now());
	u->u_seed = sfs_crc32c(~0u, &head, offsetof(struct sfs_undo_head, u_crc));
	head.u_crc = cpu_to_le32(u->u_seed);
	if (sfs_undo_write(u, &head, sizeof(head)) || sfs_undo_sync(u)) {
		unlink(path);
		sfs_die(SFS_EXIT_FAILED, "%s: nothing was changed", path);
	}
	sfs_undo_sync_dir(path);
	sfs_dev_guard(u->u_dev, sfs_undo_guard, u);
	sfs_undo_begun = u;
	atexit(sfs_undo_exit);
}

int sfs_undo_end(struct sfs_undo *u)
{
	u64 nblks = sfs_dev_nblks(u->u_dev);
	u8 data[SFS_BLOCK_SIZE];
	u64 blk;

	sfs_dev_guard(u->u_dev, NULL, NULL);
	sfs_undo_begun = NULL;
	if (!u->u_nsaved && unlink(u->u_path))
		u->u_err = -errno;
	for (blk = 0; u->u_nsaved && blk < nblks && !u->u_err; blk++) {
		/* Few bytes have a bit. */
		if (!u->u_saved[blk / 8])
			blk |= 7;
		else if (u->u_saved[blk / 8] >> blk % 8 & 1 && sfs_undo_read(u, blk, data))
			sfs_undo_append(u, SFS_UNDO_FINAL, blk, sfs_undo_sum(u, data), NULL);
	}
	if (u->u_nsaved && !u->u_err)
		sfs_undo_append(u, SFS_UNDO_END, 0, 0, NULL);
	if (u->u_nsaved)
		sfs_undo_sync(u);
	free(u->u_saved);
	close(u->u_fd);
	return u->u_err;
}
