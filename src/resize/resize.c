// SPDX-License-Identifier: GPL-2.0-only
/*
 * resize.c - resize.simplefs: makes a volume as large as its device.
 *
 * One that is mounted is asked to do it itself (SFS_IOC_GROW).  The rest is for one that is not.
 *
 * A volume is a number in the superblock, and zones are made when they are needed.  What knows the
 * old end are the used maps of zones that exist: those of the last one call the new blocks taken.
 * First of all the maps of groups that the last zone only gets now are made, whatever is there, and
 * its summary sends everybody to the maps.  Then the superblock is written, with the new size and
 * the word that the volume has to be checked, then its copies, then the other maps, that summary,
 * and the superblock as it stays.  A volume left in between is whole, and larger; fsck.simplefs,
 * also that of the next boot, frees the blocks that no map calls free.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/types.h>

#include "ioctl.h"
#include "lib.h"

enum {
	SFS_RESIZE_OK = 0,
	SFS_RESIZE_FAILED = 1,
	SFS_RESIZE_USAGE = 2,
	SFS_RESIZE_HALF = 3,
};

struct sfs_resize {
	const char *path;
	u64 want;			/* blocks of the device that may be used */
	u64 was;			/* blocks of the volume as it was */
	u64 end;			/* of these, the first that was never given out */
	u64 ngroups;			/* that had maps then */
	u64 nfree;			/* free blocks of zones not made, and of maps so far */
	struct sfs_fs fs;
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
};

static const struct sfs_opt sfs_resize_opts[] = {
	{ .o_long = NULL }
};

static const struct sfs_cli sfs_resize_cli = {
	.c_program = "resize.simplefs",
	.c_usage = "[options] MOUNTPOINT|DEVICE|IMAGE [SIZE]",
	.c_about = "Makes a simplefs volume larger, mounted or not: as large as its device, or SIZE.",
	.c_notes = "SIZE is in blocks of 4096 bytes, or bytes with a suffix: 512M, 20G, 1T.\n"
		   "An image file is made longer if SIZE asks for it.",
	.c_opts = sfs_resize_opts,
	.c_operands_min = 1,
	.c_operands_max = 2,
	.c_exit_usage = SFS_RESIZE_USAGE,
	.c_exits = {
		{ SFS_RESIZE_OK, "the volume has the size" },
		{ SFS_RESIZE_FAILED, "nothing was changed" },
		{ SFS_RESIZE_USAGE, "the command line is wrong" },
		{ SFS_RESIZE_HALF, "it could not be finished: fsck.simplefs -y does that" },
	},
};

static void sfs_parse_args(struct sfs_resize *r, int argc, char **argv)
{
	int i = sfs_cli_parse(&sfs_resize_cli, argc, argv, r, NULL);

	r->path = argv[i];
	r->want = i + 1 < argc ? sfs_take_size(argv[i + 1], SFS_RESIZE_USAGE) : 0;
}

/* The whole device if no size was given; a file need not be so long yet. */
static void sfs_choose_size(struct sfs_resize *r)
{
	struct sfs_dev *dev = r->fs.f_priv;
	u64 has = sfs_dev_nblks(dev);
	struct stat st;

	if (!r->want)
		r->want = has;
	if (r->want < r->fs.f_blocks)
		sfs_die(SFS_RESIZE_FAILED, "%s: has %llu blocks, and cannot be made smaller",
			r->path, (unsigned long long)r->fs.f_blocks);
	if (r->want > has && !(!fstat(sfs_dev_fd(dev), &st) && S_ISREG(st.st_mode)))
		sfs_die(SFS_RESIZE_FAILED, "%s: the device has no more than %llu blocks", r->path,
			(unsigned long long)has);
}

/* Reads what will be changed: what is damaged stays as it is. */
static void sfs_check_maps(struct sfs_resize *r)
{
	u64 ngroups = sfs_groups_ready(&r->fs);
	u64 zone = r->fs.f_zones - 1;
	struct sfs_buf *buf;
	u64 group;
	int err;

	for (group = 0; group < ngroups; group++) {
		err = sfs_map_get(&r->fs, group, SFS_MAP_USED, &buf);
		if (err)
			sfs_die(SFS_RESIZE_FAILED, "%s: a map of it cannot be read: %s", r->path,
				strerror(-err));
		sfs_buf_put(buf);
	}
	err = sfs_buf_get(&r->fs, sfs_summary_blk(zone), &sfs_summary_ops, zone, &buf);
	if (err)
		sfs_die(SFS_RESIZE_FAILED, "%s: a summary of it cannot be read: %s", r->path,
			strerror(-err));
	sfs_buf_put(buf);
}

/*
 * The map as it is on a fresh volume of the new size, and in it what is taken before the old end;
 * on a volume that has become large that leaves more room at its start to nobody.
 */
static void sfs_map_extend(struct sfs_resize *r, u64 group, struct sfs_bitmap_disk *map)
{
	u64 start = group * SFS_GROUP_BLOCKS;
	unsigned int kept = r->end > start ? min_t(u64, r->end - start, SFS_GROUP_BLOCKS) : 0;
	struct sfs_bitmap_disk fresh = { 0 };
	unsigned int bit = 0;
	u32 nfree;

	sfs_map_fill(&r->fs, sfs_map_blk(group, SFS_MAP_USED), &fresh);
	while ((bit = sfs_bits_next_set(map->b_bits, bit, kept)) < kept)
		sfs_bits_set(fresh.b_bits, bit++, 1);
	nfree = SFS_GROUP_BLOCKS - sfs_bits_count(fresh.b_bits, 0, SFS_GROUP_BLOCKS);
	fresh.b_count = cpu_to_le32(nfree);
	memcpy(map, &fresh, sizeof(*map));
	r->nfree += nfree;
}

/* Of groups that begin to exist, at once; under the old size nobody looks at them. */
static int sfs_make_maps(struct sfs_resize *r)
{
	u64 n = sfs_groups_ready(&r->fs) - r->ngroups;
	unsigned int m;
	int err = 0;

	/* All of one zone, where maps of a kind lie one behind the other. */
	for (m = 0; n && m < SFS_MAPS && !err; m++)
		err = sfs_buf_format(&r->fs, sfs_map_blk(r->ngroups, m), n, sfs_head_fill,
				     NULL);
	return err ? err : sfs_buf_flush(&r->fs);
}

/* The last zone's summary, at once. */
static int sfs_write_summary(struct sfs_resize *r, struct sfs_summary_disk *sum)
{
	struct sfs_dev *dev = r->fs.f_priv;
	int err;

	sfs_block_stamp(&r->fs, sum);
	sfs_block_seal(sum);
	err = sfs_dev_write(dev, sfs_summary_blk(r->fs.f_zones - 1), sum);
	return err ? err : sfs_dev_sync(dev);
}

/* The last zone's counts are those of its maps alone, while these change. */
static int sfs_forget_counts(struct sfs_resize *r)
{
	u64 zone = r->fs.f_zones - 1;
	struct sfs_summary_disk sum;
	unsigned int i;
	int err;

	err = sfs_dev_read(r->fs.f_priv, sfs_summary_blk(zone), &sum);
	if (err)
		return err;
	memset(sum.z_count, 0, sizeof(sum.z_count));
	for (i = 0; i < SFS_ZONE_GROUPS; i++) {
		u64 group = zone * SFS_ZONE_GROUPS + i;

		if (group < r->ngroups && sfs_group_usable(&r->fs, group))
			sum.z_count[i].c_free = cpu_to_le32(SFS_COUNT_UNKNOWN);
	}
	return sfs_write_summary(r, &sum);
}

static int sfs_write_counts(struct sfs_resize *r)
{
	struct sfs_summary_disk sum;
	int err;

	err = sfs_summary_make(&r->fs, r->fs.f_zones - 1, &sum);
	/* A map that is not changed may be damaged: then it stays with the maps. */
	if (sfs_is_bad_block(err))
		return 0;
	return err ? err : sfs_write_summary(r, &sum);
}

static int sfs_write_maps(struct sfs_resize *r)
{
	struct sfs_dev *dev = r->fs.f_priv;
	struct sfs_trans *t = sfs_dev_trans(dev);
	u64 ngroups = sfs_groups_ready(&r->fs);
	struct sfs_buf *buf;
	u64 group;
	int err = 0;

	sfs_dev_bound(dev, 0, true);
	for (group = 0; group < ngroups && !err; group++) {
		err = sfs_map_get(&r->fs, group, SFS_MAP_USED, &buf);
		if (err)
			return err;
		err = sfs_buf_access(t, &r->fs, buf);
		if (!err) {
			sfs_map_extend(r, group, sfs_buf_data(buf));
			err = sfs_buf_dirty(t, &r->fs, buf);
		}
		sfs_buf_put(buf);
		sfs_dev_settle(dev);
	}
	return err ? err : sfs_dev_flush(dev);
}

/* The superblock with the new size, and the word that the volume has to be checked. */
static void sfs_announce(struct sfs_resize *r)
{
	const char *why;

	r->fs.f_state = SFS_STATE_ERROR;	/* not clean, and a full check is due */
	sfs_space_set(&r->fs, 0);	/* any other number may be too large */
	sfs_super_encode(&r->fs, r->super);
	why = sfs_super_verify_fields((struct sfs_super_disk *)r->super, r->want);
	if (why)
		sfs_die(SFS_RESIZE_FAILED, "%s: a volume of that size would be none: %s", r->path, why);
}

static int sfs_write_volume(struct sfs_resize *r)
{
	int err = sfs_volume_write_super(&r->fs, r->super);

	/* A copy must not be smaller than what maps say. */
	if (!err)
		err = sfs_copies_write(&r->fs);
	r->nfree = sfs_zones_fresh(&r->fs, r->fs.f_zones);
	if (!err)
		err = sfs_write_maps(r);
	if (!err)
		err = sfs_write_counts(r);
	if (err)
		return err;
	r->fs.f_state = SFS_STATE_CLEAN;
	sfs_space_set(&r->fs, r->nfree);
	return sfs_volume_write_super(&r->fs, r->super);
}

static void sfs_grow_volume(struct sfs_resize *r)
{
	struct sfs_dev *dev = r->fs.f_priv;
	int err = 0;

	if (sfs_fs_init(&r->fs))
		sfs_die(SFS_RESIZE_FAILED, "%s: no memory for its groups", r->path);
	sfs_announce(r);
	if (r->want > sfs_dev_nblks(dev))
		err = sfs_dev_grow(dev, r->want);
	if (err)
		sfs_die(SFS_RESIZE_FAILED, "%s: the file cannot be made longer: %s", r->path,
			strerror(-err));
	err = sfs_make_maps(r);
	if (!err)
		err = sfs_forget_counts(r);
	if (err)
		sfs_die(SFS_RESIZE_FAILED, "%s: a new map cannot be written: %s", r->path,
			strerror(-err));
	err = sfs_write_volume(r);
	if (err)
		sfs_die(SFS_RESIZE_HALF, "%s: cannot be written: %s; fsck.simplefs -y finishes it",
			r->path, strerror(-err));
	sfs_fs_exit(&r->fs);
}

static void sfs_tell(const struct sfs_resize *r, u64 blocks, u64 was)
{
	if (blocks == was)
		printf("%s: has %llu blocks already\n", r->path, (unsigned long long)was);
	else
		printf("%s: %llu blocks, were %llu\n", r->path, (unsigned long long)blocks,
		       (unsigned long long)was);
}

/* Why the kernel has refused it. */
static const char *sfs_refusal(int err)
{
	switch (err) {
	case EINVAL:
		return "it has more blocks than that, and cannot be made smaller";
	case ENOSPC:
		return "its device has not so many blocks";
	case EFSCORRUPTED:
	case EFSBADCRC:
		return "damage was seen on it: unmount it and give it to fsck.simplefs -f";
	case ENOTTY:
		return "the kernel's simplefs is older than this program: unmount it";
	default:
		return strerror(err);
	}
}

/* False: it is not mounted. */
static bool sfs_grow_mounted(const struct sfs_resize *r)
{
	struct sfs_grow_args args = { .g_blocks = r->want ? r->want : SFS_GROW_DEVICE };
	int fd = sfs_mounted_open(r->path);

	if (fd < 0)
		return false;
	if (ioctl(fd, SFS_IOC_GROW, &args))
		sfs_die(errno == EIO ? SFS_RESIZE_HALF : SFS_RESIZE_FAILED,
			"%s: mounted, and cannot be made larger: %s", r->path, sfs_refusal(errno));
	close(fd);
	sfs_tell(r, args.g_blocks, args.g_was);
	return true;
}

static void sfs_grow_unmounted(struct sfs_resize *r)
{
	sfs_volume_open(r->path, SFS_RESIZE_FAILED, r->super, &r->fs);
	sfs_choose_size(r);
	sfs_check_maps(r);
	r->ngroups = sfs_groups_ready(&r->fs);
	r->was = r->fs.f_blocks;
	r->end = r->fs.f_blocks - r->fs.f_tail;
	sfs_geometry_size(&r->fs, r->want);
	if (r->fs.f_blocks != r->was)
		sfs_grow_volume(r);
	sfs_tell(r, r->fs.f_blocks, r->was);
	sfs_dev_close(r->fs.f_priv);
}

int main(int argc, char **argv)
{
	static struct sfs_resize r;

	sfs_parse_args(&r, argc, argv);
	if (!sfs_grow_mounted(&r))
		sfs_grow_unmounted(&r);
	if (fflush(stdout) || ferror(stdout))
		sfs_warn("%s: has the size, and that cannot be told", r.path);
	return SFS_RESIZE_OK;
}
