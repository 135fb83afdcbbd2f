// SPDX-License-Identifier: GPL-2.0-only
/*
 * dump.c - dump.simplefs: shows what is on a volume, and says whether it is true.
 *
 * It knows no format: the core prints each object (totext.c), and sfs_check() walks them all.  The
 * volume is opened for reading only.  What is damaged is shown all the same where it can be, and
 * the exit status says so.
 */
#include <sys/stat.h>

#include "look.h"
#include "picture.h"
#include "save.h"

struct sfs_dump {
	const char *path;
	const char *where;		/* an inode, by number or path */
	const char *journal;		/* device of an external journal */
	const char *picture;		/* file for an SVG */
	const char *save;		/* directory for what is on the volume */
	bool raw;			/* without what the journal holds */
	bool json;
	bool any;			/* what a flag leaves behind when only the choice counts */
	u64 number;
	int what;			/* the letter of what to show */
};

#define SFS_WHERE(letter, name, text) {						\
	.o_short = letter, .o_long = name, .o_arg = "WHERE", .o_help = text,	\
	.o_kind = SFS_OPT_TEXT, .o_field = offsetof(struct sfs_dump, where), .o_group = 1 }
#define SFS_NUMBER(letter, name, text) {					\
	.o_short = letter, .o_long = name, .o_arg = "N", .o_help = text,	\
	.o_kind = SFS_OPT_NUMBER, .o_field = offsetof(struct sfs_dump, number), .o_group = 1 }
#define SFS_CHOICE(letter, name, text) {					\
	.o_short = letter, .o_long = name, .o_help = text,			\
	.o_field = offsetof(struct sfs_dump, any), .o_group = 1 }

static const struct sfs_opt sfs_dump_opts[] = {
	SFS_CHOICE('s', "super", "the superblock (this is the default)"),
	SFS_NUMBER('g', "group", "the four bitmaps of group N"),
	SFS_WHERE('i', "inode", "an inode"),
	SFS_WHERE('t', "tree", "an inode's tree, node by node"),
	SFS_WHERE('d', "directory", "the names in a directory"),
	SFS_WHERE('o', "output", "the contents of a file, as they are"),
	SFS_NUMBER('b', "block", "block N, by what its head says it is"),
	SFS_NUMBER('w', "who", "what block N is, and whose"),
	SFS_NUMBER('P', "path", "all paths of inode N"),
	SFS_CHOICE('c', "check", "walk everything, compare, report each difference"),
	{ .o_short = 'p', .o_long = "picture", .o_arg = "FILE", .o_kind = SFS_OPT_TEXT,
	  .o_help = "an SVG of what lies where, and of what is free",
	  .o_field = offsetof(struct sfs_dump, picture), .o_group = 1 },
	{ .o_short = 'S', .o_long = "save", .o_arg = "DIR", .o_kind = SFS_OPT_TEXT,
	  .o_help = "all that can be read, into an empty directory; tells what cannot",
	  .o_field = offsetof(struct sfs_dump, save), .o_group = 1 },
	{ .o_short = 'j', .o_long = "json", .o_help = "print JSON",
	  .o_field = offsetof(struct sfs_dump, json) },
	{ .o_short = 'J', .o_long = "journal", .o_arg = "DEVICE", .o_kind = SFS_OPT_TEXT,
	  .o_help = "the device of an external journal",
	  .o_field = offsetof(struct sfs_dump, journal), .o_group = 2 },
	{ .o_short = 'r', .o_long = "raw", .o_help = "what lies in place, whatever the journal holds",
	  .o_field = offsetof(struct sfs_dump, raw), .o_group = 2 },
	{ .o_long = NULL }
};

static const struct sfs_cli sfs_dump_cli = {
	.c_program = "dump.simplefs",
	.c_usage = "[options] DEVICE|IMAGE",
	.c_about = "Shows what is on a simplefs volume, without writing to it.",
	.c_notes = "WHERE is the number of an inode (0: the root) or an absolute path in the volume.",
	.c_opts = sfs_dump_opts,
	.c_operands_min = 1,
	.c_operands_max = 1,
	.c_exit_usage = SFS_EXIT_USAGE,
	.c_exits = {
		{ SFS_EXIT_OK, "all is well" },
		{ SFS_EXIT_REFUSED, "-S: the host did not take owners, devices or attributes" },
		{ SFS_EXIT_DAMAGED, "damage was found, and reported; -S: not all was saved" },
		{ SFS_EXIT_FAILED, "it could not be read, or is not there" },
		{ SFS_EXIT_USAGE, "the command line is wrong" },
	},
};

static void sfs_parse_args(struct sfs_dump *d, int argc, char **argv)
{
	const struct sfs_opt *picked[SFS_OPT_GROUPS];

	d->path = argv[sfs_cli_parse(&sfs_dump_cli, argc, argv, d, picked)];
	d->what = picked[1] ? picked[1]->o_short : 's';
}

static int sfs_print_super(const struct sfs_dump *d, const u8 *super)
{
	struct sfs_text *out = sfs_text_open(stdout, d->json);

	if (!out)
		return -ENOMEM;
	out->open(out, "super", false);
	sfs_super_totext(out, super);
	out->close(out);
	return sfs_text_close(out);
}

/* After a crash the journal holds newer blocks than lie in place: in memory they are replaced. */
static void sfs_replay_journal(const struct sfs_dump *d, struct sfs_fs *fs, u8 *super)
{
	struct sfs_dev *log_dev = NULL;
	struct sfs_replay replay;
	int err = 0;

	/* The mark of a clean unmount is believed only where there is no log to be seen. */
	if (!(fs->f_compat & SFS_COMPAT_JOURNAL) || d->raw)
		return;
	if (d->journal)
		err = sfs_dev_open(d->journal, false, &log_dev);
	if (err)
		sfs_die(SFS_EXIT_FAILED, "%s: %s", d->journal, sfs_dev_error(err));
	err = sfs_log_replay(fs, log_dev, &replay);
	sfs_dev_close(log_dev);
	if (err == -ENODEV && (fs->f_state & SFS_STATE_CLEAN))
		return;
	if (err == -ENODEV)
		sfs_warn("%s: not unmounted cleanly; without its journal (-J) this may be old",
			 d->path);
	else if (sfs_is_damage(err))
		sfs_die(SFS_EXIT_DAMAGED, "%s: the journal is damaged; --raw looks past it",
			d->path);
	else if (err)
		sfs_die(SFS_EXIT_FAILED, "%s: the journal: %s", d->path, strerror(-err));
	else if (replay.r_needed)
		sfs_warn("%s: not unmounted cleanly; shown as its journal leaves it", d->path);
	err = sfs_dev_read(fs->f_priv, 0, super);
	if (err)
		sfs_die(SFS_EXIT_FAILED, "%s: block 0: %s", d->path, strerror(-err));
}

/*
 * What is in block 0, @super, is no superblock: @why; @unread: the device does not give it.  It can
 * be shown, which ends the program; for all else a copy takes its place, or there is none, which is
 * the end as well.
 */
static void sfs_take_copy(const struct sfs_dump *d, struct sfs_dev *dev, u8 *super, const char *why,
			  bool unread)
{
	bool ours = sfs_super_probe(super);
	u8 found[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	char where[64] = "";
	u64 blk = 0;

	if (!sfs_copies_find(dev, found, &blk))
		snprintf(where, sizeof(where), "; there is a copy in block %llu",
			 (unsigned long long)blk);
	if (ours && d->what == 's')
		(void)sfs_print_super(d, super);
	if (ours && !blk)
		sfs_refuse_newer(d->path, SFS_EXIT_FAILED, super);
	if (unread && (!blk || d->what == 's'))
		sfs_die(SFS_EXIT_FAILED, "%s: its superblock cannot be read%s", d->path, where);
	if (!ours && (!blk || d->what == 's'))
		sfs_die(SFS_EXIT_FAILED, "%s: no simplefs here%s", d->path, where);
	if (!blk || d->what == 's')
		sfs_die(SFS_EXIT_DAMAGED, "%s: corrupt superblock: blk=0, %s%s", d->path, why,
			where);
	sfs_warn("%s: corrupt superblock: blk=0, %s; shown by its copy in block %llu", d->path, why,
		 (unsigned long long)blk);
	memcpy(super, found, SFS_BLOCK_SIZE);
	if (sfs_dev_put(dev, 0, super))
		sfs_die(SFS_EXIT_FAILED, "%s: no memory", d->path);
}

/*
 * The volume's superblock in @super, decoded and checked.  True: what is in block 0 is none, and it
 * is what a copy says.
 */
static bool sfs_open_volume(const struct sfs_dump *d, struct sfs_fs *fs, u8 *super)
{
	const char *why = "cannot be read";
	struct sfs_dev *dev;
	u64 incompat;
	int err;

	err = sfs_dev_open(d->path, false, &dev);
	if (!err && !sfs_dev_nblks(dev))
		sfs_die(SFS_EXIT_FAILED, "%s: shorter than one block", d->path);
	if (err)
		sfs_die(SFS_EXIT_FAILED, "%s: %s", d->path, sfs_dev_error(err));
	memset(super, 0, SFS_BLOCK_SIZE);
	err = sfs_dev_read(dev, 0, super);
	if (!err && sfs_super_probe(super) &&
	    !sfs_head_verify(super, le32_to_cpu(((struct sfs_head *)super)->h_fsid), 0)) {
		if (sfs_super_is_newer(super, &incompat) && d->what == 's')
			(void)sfs_print_super(d, super);
		sfs_refuse_newer(d->path, SFS_EXIT_FAILED, super);
	}
	if (!err)
		why = sfs_super_verify(super, sfs_dev_nblks(dev));
	if (why)
		sfs_take_copy(d, dev, super, why, err);
	else
		sfs_dev_keep_super(dev, super);
	sfs_super_decode(fs, super);
	fs->f_priv = dev;
	sfs_replay_journal(d, fs, super);
	err = sfs_fs_init(fs);
	if (err)
		sfs_die(SFS_EXIT_FAILED, "%s: %s", d->path, strerror(-err));
	return why;
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

static int sfs_print_dir(struct sfs_inode *dir, struct sfs_text *out)
{
	int err;

	if (!S_ISDIR(dir->i_mode))
		return -ENOTDIR;
	out->open(out, "names", true);
	err = sfs_dirent_iterate(dir, 0, sfs_print_name, out);
	out->close(out);
	return err;
}

static int sfs_print_inode(const struct sfs_inode *in, struct sfs_text *out)
{
	struct sfs_inode_disk disk;

	memset(&disk, 0, sizeof(disk));
	sfs_inode_encode(in, &disk);
	out->open(out, "inode", false);
	sfs_inode_totext(out, in->i_ino, &disk);
	out->close(out);
	return 0;
}

static void sfs_print_node(void *arg, const struct sfs_node_disk *node, u64 blk)
{
	struct sfs_text *out = arg;

	out->open(out, NULL, false);
	out->num(out, "blk", blk);
	sfs_node_totext(out, node, blk ? SFS_NODE_BYTES : SFS_ROOT_BYTES);
	out->close(out);
}

static int sfs_print_tree(struct sfs_inode *in, struct sfs_text *out)
{
	int err;

	out->open(out, "nodes", true);
	err = sfs_tree_walk(in, sfs_print_node, out);
	out->close(out);
	return err;
}

/* The inode that -i, -t, -d and -o speak of. */
static int sfs_where(const struct sfs_dump *d, struct sfs_fs *fs, struct sfs_inode *ret_in)
{
	u64 ino;
	char *end;
	int err;

	if (*d->where == '/') {
		err = sfs_path_resolve(fs, d->where, &ino);
		if (err)
			return err;
	} else {
		errno = 0;
		ino = strtoull(d->where, &end, 0);
		if (errno || *end || *d->where < '0' || *d->where > '9')
			sfs_die(SFS_EXIT_USAGE, "neither an inode number nor a path: '%s'",
				d->where);
	}
	memset(ret_in, 0, sizeof(*ret_in));
	return sfs_inode_read(fs, ino ? ino : fs->f_root, ret_in);
}

static int sfs_print_where(const struct sfs_dump *d, struct sfs_fs *fs, struct sfs_text *out)
{
	struct sfs_inode in;
	int err;

	err = sfs_where(d, fs, &in);
	if (err)
		return err;
	switch (d->what) {
	case 't':
		return sfs_print_tree(&in, out);
	case 'd':
		return sfs_print_dir(&in, out);
	default:
		return sfs_print_inode(&in, out);
	}
}

static int sfs_output_file(const struct sfs_dump *d, struct sfs_fs *fs)
{
	u8 data[SFS_BLOCK_SIZE];
	struct sfs_inode in;
	u64 pos;
	int err;

	err = sfs_where(d, fs, &in);
	if (!err && !S_ISREG(in.i_mode))
		err = S_ISDIR(in.i_mode) ? -EISDIR : -EINVAL;
	for (pos = 0; !err && pos < in.i_size; pos += SFS_BLOCK_SIZE) {
		size_t piece = min_t(u64, SFS_BLOCK_SIZE, in.i_size - pos);

		err = sfs_file_read(&in, pos >> SFS_BLOCK_BITS, data);
		if (!err && fwrite(data, 1, piece, stdout) != piece)
			err = -EIO;
	}
	return !err && fflush(stdout) ? -EIO : err;
}

static int sfs_print_group(struct sfs_fs *fs, struct sfs_text *out, u64 group)
{
	static const char *const names[SFS_MAPS] = { "used", "inode", "room", "orphan" };
	struct sfs_buf *buf;
	unsigned int map;
	int first = 0;
	int err;

	if (group >= fs->f_groups || group / SFS_ZONE_GROUPS >= fs->f_zones)
		return -ENOENT;
	for (map = 0; map < SFS_MAPS; map++) {
		err = sfs_map_get(fs, group, map, &buf);
		first = first ? first : err;
		if (err)
			continue;
		out->open(out, names[map], false);
		sfs_bitmap_totext(out, sfs_buf_data(buf), sfs_group_nblks(fs, group));
		out->close(out);
		sfs_buf_put(buf);
	}
	return first;
}

/* A block that is false is shown, too: that is when one looks. */
static int sfs_print_block(struct sfs_fs *fs, struct sfs_text *out, u64 blk)
{
	u8 data[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	const char *why;
	int err;

	if (blk >= sfs_dev_nblks(fs->f_priv))
		return -ENOENT;
	err = sfs_dev_read(fs->f_priv, blk, data);
	if (err)
		return err;
	out->open(out, "block", false);
	sfs_block_totext(out, data);
	out->close(out);
	why = sfs_block_verify_any(fs, data, blk);
	return why ? sfs_corrupt(fs, blk, 0, "block", why) : 0;
}

static int sfs_print(const struct sfs_dump *d, struct sfs_fs *fs, const u8 *super)
{
	struct sfs_text *out;
	int err2;
	int err;

	if (d->what == 's')
		return sfs_print_super(d, super);
	out = sfs_text_open(stdout, d->json);
	if (!out)
		return -ENOMEM;
	if (d->what == 'g')
		err = sfs_print_group(fs, out, d->number);
	else if (d->what == 'b')
		err = sfs_print_block(fs, out, d->number);
	else if (d->what == 'w')
		err = sfs_who(fs, d->number, out);
	else if (d->what == 'P')
		err = sfs_paths(fs, d->number ? d->number : fs->f_root, out);
	else
		err = sfs_print_where(d, fs, out);
	err2 = sfs_text_close(out);
	return err ? err : err2;
}

static struct sfs_text *sfs_problems_out;

static void sfs_print_problem(const char *text)
{
	sfs_problems_out->str(sfs_problems_out, NULL, text, strlen(text));
}

/* The same for a program: what was found goes where the verdict does. */
static long sfs_print_check_json(struct sfs_fs *fs)
{
	void (*report)(const char *text) = sfs_report;
	struct sfs_text *out = sfs_text_open(stdout, true);
	long result;
	int err;

	if (!out)
		return -ENOMEM;
	sfs_problems_out = out;
	out->open(out, "problems", true);
	sfs_report = sfs_print_problem;
	result = sfs_check(fs);
	sfs_report = report;
	out->close(out);
	out->open(out, "check", false);
	sfs_text_word(out, "verdict", result > 0 ? "damaged" : result ? "unread" : "clean");
	out->num(out, "count", result > 0 ? result : 0);
	out->close(out);
	err = sfs_text_close(out);
	return err ? err : result;
}

static long sfs_print_check(const struct sfs_dump *d, struct sfs_fs *fs)
{
	long result;

	if (d->json)
		return sfs_print_check_json(fs);
	result = sfs_check(fs);
	if (result > 0)
		fprintf(stderr, "%s: %ld problems\n", d->path, result);
	else if (!result && (printf("%s: clean\n", d->path) < 0 || fflush(stdout)))
		result = -EIO;
	return result;
}

int main(int argc, char **argv)
{
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_fs fs = { 0 };
	struct sfs_dump d = { 0 };
	int status = SFS_EXIT_OK;
	long result = 0;
	bool lost;

	sfs_parse_args(&d, argc, argv);
	lost = sfs_open_volume(&d, &fs, super);
	if (d.what == 'c')
		result = sfs_print_check(&d, &fs);
	else if (d.what == 'S')
		status = sfs_save(&fs, d.save);
	else if (d.what == 'p')
		result = sfs_picture(&fs, d.picture);
	else if (d.what == 'o')
		result = sfs_output_file(&d, &fs);
	else
		result = sfs_print(&d, &fs, super);
	sfs_fs_exit(&fs);
	sfs_dev_close(fs.f_priv);
	if (d.what == 'S')
		return status;
	if (sfs_is_damage(result) || result > 0 || (lost && !result))
		return SFS_EXIT_DAMAGED;
	if (result < 0)
		sfs_die(SFS_EXIT_FAILED, "%s: %s", d.path, strerror(-result));
	return SFS_EXIT_OK;
}
