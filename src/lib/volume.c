// SPDX-License-Identifier: GPL-2.0-only
/*
 * volume.c - a volume for those tools that change it outside the journal, and its superblock.
 *
 * One that was not unmounted cleanly has a journal, which may hold older blocks that would come
 * back: it is not opened.
 */
#include "lib.h"

static struct sfs_dev *sfs_volume_take(const char *path, int status)
{
	struct sfs_dev *dev;
	int err;

	err = sfs_dev_open(path, true, &dev);
	if (err == -EBUSY)
		sfs_die(status, "%s: in use, and only an unmounted volume can be changed", path);
	if (err)
		sfs_die(status, "%s: cannot be opened for writing: %s", path, strerror(-err));
	if (sfs_lock(sfs_dev_fd(dev), path))
		sfs_die(status, "%s: left alone, another program has locked it", path);
	return dev;
}

void sfs_refuse_newer(const char *path, int status, const void *super)
{
	const struct sfs_super_disk *sup = super;
	u64 incompat;

	if (!sfs_super_is_newer(super, &incompat))
		return;
	if (!incompat)
		sfs_die(status, "%s: version %u of the format, this knows %u", path,
			le32_to_cpu(sup->s_version), SFS_VERSION);
	sfs_die(status, "%s: features that this version does not know: incompat 0x%llx", path,
		(unsigned long long)incompat);
}

void sfs_refuse_writing(const char *path, int status, const struct sfs_fs *fs)
{
	u64 ro_compat = sfs_unknown_ro_compat(fs);

	if (ro_compat)
		sfs_die(status, "%s: features that this version does not know: ro_compat 0x%llx;"
			" it can be read, not changed", path, (unsigned long long)ro_compat);
}

void sfs_volume_open(const char *path, int status, void *super, struct sfs_fs *ret_fs)
{
	struct sfs_dev *dev = sfs_volume_take(path, status);
	const char *why;
	bool needs;
	int err;

	err = sfs_dev_read(dev, 0, super);
	if (err)
		sfs_die(status, "%s: its superblock cannot be read: %s; fsck.simplefs -y writes a"
			" copy of it there", path, strerror(-err));
	if (!sfs_super_probe(super))
		sfs_die(status, "%s: no simplefs is there", path);
	sfs_refuse_newer(path, status, super);
	why = sfs_super_verify(super, sfs_dev_nblks(dev));
	if (why)
		sfs_die(status, "%s: its superblock is damaged: %s", path, why);
	sfs_super_decode(ret_fs, super);
	ret_fs->f_priv = dev;
	sfs_refuse_writing(path, status, ret_fs);
	if (ret_fs->f_state & SFS_STATE_ERROR)
		sfs_die(status, "%s: damage was seen on it: give it to fsck.simplefs -f", path);
	if (!(ret_fs->f_state & SFS_STATE_CLEAN))
		sfs_die(status, "%s: not unmounted cleanly: fsck.simplefs or a mount mends that",
			path);
	err = sfs_log_needs_replay(ret_fs, &needs);
	if (err)
		sfs_die(status, "%s: its journal cannot be looked at: %s", path, strerror(-err));
	if (needs)
		sfs_die(status, "%s: marked clean, but its journal is not empty: fsck.simplefs or"
			" a mount mends that", path);
}

int sfs_volume_mark(struct sfs_dev *dev, u32 set, u32 clear)
{
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8))) = { 0 };
	struct sfs_super_disk *sup = (struct sfs_super_disk *)super;
	int err;

	err = sfs_dev_read(dev, 0, super);
	if (err)
		return err;
	sup->s_state = (sup->s_state | cpu_to_le32(set)) & ~cpu_to_le32(clear);
	sfs_block_seal(super);
	err = sfs_dev_write(dev, 0, super);
	return err ? err : sfs_dev_sync(dev);
}

int sfs_volume_write_super(struct sfs_fs *fs, void *super)
{
	struct sfs_dev *dev = fs->f_priv;
	int err;

	/* The last word of a program: what the next one writes is newer. */
	if (fs->f_state & SFS_STATE_CLEAN)
		fs->f_sequence_max = min(fs->f_sequence + 1, SFS_SEQUENCE_MAX);
	sfs_super_encode(fs, super);
	sfs_block_seal(super);
	err = sfs_dev_write(dev, 0, super);
	return err ? err : sfs_dev_sync(dev);
}
