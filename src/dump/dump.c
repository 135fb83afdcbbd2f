// SPDX-License-Identifier: GPL-2.0-only
/*
 * dump.c - dump.simplefs: shows what is on a volume, and says whether it is true.
 *
 * It knows no format: the core prints each object (totext.c), and sfs_check() walks them all.  The
 * volume is opened for reading only.
 */
#include <getopt.h>

#include "lib.h"

/* As fsck(8): bits. */
enum {
	SFS_EXIT_OK = 0,
	SFS_EXIT_DAMAGED = 4,
	SFS_EXIT_FAILED = 8,
	SFS_EXIT_USAGE = 16,
};

struct sfs_dump {
	const char *path;
	bool json;
	bool check;
	int what;			/* option letter, 's' for the superblock */
	u64 number;
};

static void sfs_usage(FILE *out)
{
	fprintf(out,
		"usage: dump.simplefs [options] DEVICE|IMAGE\n"
		"  -s, --super          the superblock (default)\n"
		"  -g, --group N        the four bitmaps of group N\n"
		"  -i, --inode N        inode N\n"
		"  -D, --directory N    the names in directory N (0: the root)\n"
		"  -b, --block N        block N, by what its head says it is\n"
		"  -c, --check          walk everything and compare; report each difference\n"
		"  -j, --json           print JSON\n"
		"  -V, --version        print the version\n"
		"  -h, --help           print this\n"
		"Exit: 0 fine, 4 damage found, 8 could not be read, 16 usage.\n");
}

static void sfs_parse_args(struct sfs_dump *d, int argc, char **argv)
{
	static const struct option options[] = {
		{ "super", no_argument, NULL, 's' },
		{ "group", required_argument, NULL, 'g' },
		{ "inode", required_argument, NULL, 'i' },
		{ "directory", required_argument, NULL, 'D' },
		{ "block", required_argument, NULL, 'b' },
		{ "check", no_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	char *end;
	int opt;

	d->what = 's';
	while ((opt = getopt_long(argc, argv, "sg:i:D:b:cjVh", options, NULL)) != -1) {
		switch (opt) {
		case 'g':
		case 'i':
		case 'D':
		case 'b':
			errno = 0;
			d->number = strtoull(optarg, &end, 0);
			if (errno || *end || end == optarg || *optarg == '-')
				sfs_die(SFS_EXIT_USAGE, "not a number: %s", optarg);
			d->what = opt;
			break;
		case 's':
			d->what = 's';
			break;
		case 'c':
			d->check = true;
			break;
		case 'j':
			d->json = true;
			break;
		case 'V':
			printf("dump.simplefs %s\n", SIMPLEFS_VERSION);
			exit(SFS_EXIT_OK);
		case 'h':
			sfs_usage(stdout);
			exit(SFS_EXIT_OK);
		default:
			sfs_usage(stderr);
			exit(SFS_EXIT_USAGE);
		}
	}
	if (argc - optind != 1) {
		sfs_usage(stderr);
		exit(SFS_EXIT_USAGE);
	}
	d->path = argv[optind];
}

/* The volume's superblock in @super, decoded and checked. */
static void sfs_open_volume(const struct sfs_dump *d, struct sfs_fs *fs, u8 *super)
{
	struct sfs_dev *dev;
	const char *why;
	int err;

	err = sfs_dev_open(d->path, false, &dev);
	if (!err)
		err = sfs_dev_read(dev, 0, super);
	if (err)
		sfs_die(SFS_EXIT_FAILED, "%s: %s", d->path, strerror(-err));
	if (!sfs_super_probe(super))
		sfs_die(SFS_EXIT_FAILED, "%s: no simplefs here", d->path);
	why = sfs_super_verify(super, sfs_dev_nblks(dev));
	if (why)
		sfs_die(SFS_EXIT_DAMAGED, "%s: corrupt superblock: blk=0, %s", d->path, why);
	sfs_super_decode(fs, super);
	fs->f_priv = dev;
	err = sfs_fs_init(fs);
	if (err)
		sfs_die(SFS_EXIT_FAILED, "%s: %s", d->path, strerror(-err));
	if (!(fs->f_state & SFS_STATE_CLEAN))
		sfs_warn("%s: not unmounted cleanly; its journal may hold newer blocks than shown",
			 d->path);
}

static bool sfs_print_name(void *arg, const char *name, unsigned int len, u64 ino, u8 type, u64 pos)
{
	struct sfs_text *out = arg;

	out->open(out, NULL, false);
	out->str(out, "name", name, len);
	out->num(out, "ino", ino);
	out->num(out, "type", type);
	out->hex(out, "pos", pos);
	out->close(out);
	return true;
}

static int sfs_print_dir(struct sfs_fs *fs, struct sfs_text *out, u64 ino)
{
	struct sfs_inode dir = { 0 };
	int err;

	err = sfs_inode_read(fs, ino ? ino : fs->f_root, &dir);
	if (err)
		return err;
	out->open(out, "names", true);
	err = sfs_dirent_iterate(&dir, 0, sfs_print_name, out);
	out->close(out);
	return err;
}

static int sfs_print_inode(struct sfs_fs *fs, struct sfs_text *out, u64 ino)
{
	struct sfs_inode_disk disk;
	struct sfs_inode in = { 0 };
	int err;

	err = sfs_inode_read(fs, ino, &in);
	if (err)
		return err;
	memset(&disk, 0, sizeof(disk));
	sfs_inode_encode(&in, &disk);
	out->open(out, "inode", false);
	sfs_inode_totext(out, ino, &disk);
	out->close(out);
	return 0;
}

static int sfs_print_group(struct sfs_fs *fs, struct sfs_text *out, u64 group)
{
	static const char *const names[SFS_MAPS] = { "used", "inode", "room", "orphan" };
	struct sfs_buf *buf;
	unsigned int map;
	int err;

	if (group >= fs->f_groups || group / SFS_ZONE_GROUPS >= fs->f_zones)
		return -ENOENT;
	for (map = 0; map < SFS_MAPS; map++) {
		err = sfs_map_get(fs, group, map, &buf);
		if (err)
			return err;
		out->open(out, names[map], false);
		sfs_bitmap_totext(out, sfs_buf_data(buf), sfs_group_nblks(fs, group));
		out->close(out);
		sfs_buf_put(buf);
	}
	return 0;
}

static int sfs_print_block(struct sfs_fs *fs, struct sfs_text *out, u64 blk)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	const char *why;
	int err;

	err = sfs_dev_read(fs->f_priv, blk, data);
	if (err)
		return err;
	why = sfs_block_verify(fs, data, blk, false);
	if (why)
		return sfs_corrupt(fs, blk, 0, "block", why);
	out->open(out, "block", false);
	sfs_block_totext(out, data);
	out->close(out);
	return 0;
}

static int sfs_print(const struct sfs_dump *d, struct sfs_fs *fs, const u8 *super)
{
	struct sfs_text *out = sfs_text_open(stdout, d->json);
	int err = 0;
	int err2;

	if (!out)
		return -ENOMEM;
	switch (d->what) {
	case 'g':
		err = sfs_print_group(fs, out, d->number);
		break;
	case 'i':
		err = sfs_print_inode(fs, out, d->number);
		break;
	case 'D':
		err = sfs_print_dir(fs, out, d->number);
		break;
	case 'b':
		err = sfs_print_block(fs, out, d->number);
		break;
	default:
		out->open(out, "super", false);
		sfs_super_totext(out, super);
		out->close(out);
	}
	err2 = sfs_text_close(out);
	return err ? err : err2;
}

int main(int argc, char **argv)
{
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_fs fs = { 0 };
	struct sfs_dump d = { 0 };
	long result;

	sfs_program = "dump.simplefs";
	sfs_parse_args(&d, argc, argv);
	sfs_open_volume(&d, &fs, super);
	if (d.check) {
		result = sfs_check(&fs);
		if (result > 0)
			fprintf(stderr, "%s: %ld problems\n", d.path, result);
		else if (!result)
			printf("%s: clean\n", d.path);
	} else {
		result = sfs_print(&d, &fs, super);
	}
	sfs_fs_exit(&fs);
	sfs_dev_close(fs.f_priv);
	if (result == -EFSCORRUPTED || result == -EFSBADCRC || result > 0)
		return SFS_EXIT_DAMAGED;
	if (result < 0)
		sfs_die(SFS_EXIT_FAILED, "%s: %s", d.path, strerror(-result));
	return SFS_EXIT_OK;
}
