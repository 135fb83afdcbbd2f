/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib.h - libsimplefs: what the tools have besides the core (prototypes by file).
 */
#ifndef SFS_LIB_H
#define SFS_LIB_H

#include <stdio.h>

#include "../core/core.h"

/* ---- dev.c, cache.c: a device or image, and its blocks in memory ---- */

/*
 * An open volume; f_priv of its struct sfs_fs.  Blocks changed stay in memory until
 * sfs_dev_flush(): a tool that stops before has written nothing.
 */
struct sfs_dev;

/* @writable opens exclusively: -EBUSY also for an image that is mounted through a loop device. */
int sfs_dev_open(const char *path, bool writable, struct sfs_dev **ret_dev);
/* Somebody has it for himself, as a mount has; -n and others that only read need not care. */
bool sfs_dev_is_busy(const char *path);
void sfs_dev_close(struct sfs_dev *dev);	/* changes not flushed are dropped */
int sfs_dev_fd(const struct sfs_dev *dev);
u64 sfs_dev_nblks(const struct sfs_dev *dev);	/* a part of a block at the end not counted */
/* Changed ones as changed.  -EIO, whatever the device says: that goes to sfs_report(). */
int sfs_dev_read(struct sfs_dev *dev, u64 blk, void *data);
int sfs_dev_write(struct sfs_dev *dev, u64 blk, const void *data);	/* at once */
/*
 * Before block @blk is written with @data, @guard is asked, with @arg: its error is that of the
 * write.  NULL: nobody is.
 */
typedef int (*sfs_guard_fn)(void *arg, u64 blk, const void *data);
void sfs_dev_guard(struct sfs_dev *dev, sfs_guard_fn guard, void *arg);
/* In memory, as if the block had been changed to @data; sfs_dev_flush() writes it. */
int sfs_dev_put(struct sfs_dev *dev, u64 blk, const void *data);
/* Block 0 as it was read: it is not asked for again, if there is memory to keep it. */
void sfs_dev_keep_super(struct sfs_dev *dev, const void *super);
/* Does the device give back @data, which was written and is lasting?  Its own copy is read. */
bool sfs_dev_gives(struct sfs_dev *dev, u64 blk, const void *data);
int sfs_dev_sync(struct sfs_dev *dev);
/* What has been changed in memory is verified again, like a block just read, before it is used. */
void sfs_dev_doubt(struct sfs_dev *dev);
/* An image file, made @nblks long. */
int sfs_dev_grow(struct sfs_dev *dev, u64 nblks);
/*
 * Makes room when @nblks are in memory (0: 256 MiB of them).  @early: changed blocks, but for block
 * 0, may be written to that end by sfs_dev_settle(), for a program whose volume is none until block
 * 0 is there; an error of such a write comes back from the next change and from the flush.
 */
void sfs_dev_bound(struct sfs_dev *dev, unsigned int nblks, bool early);
/*
 * Nothing is half made: every block that nobody holds could be verified.  To be said after each
 * step of a long work, which else stays in memory as a whole.
 */
void sfs_dev_settle(struct sfs_dev *dev);
/* The highest h_seq of all blocks that were read and found sound. */
u64 sfs_dev_newest(const struct sfs_dev *dev);
unsigned int sfs_dev_cached(const struct sfs_dev *dev);	/* blocks in memory */
unsigned int sfs_dev_held(const struct sfs_dev *dev);	/* references to them */
/* Of the first write that failed, or 0: tells a full host from a full volume. */
int sfs_dev_write_error(const struct sfs_dev *dev);
unsigned int sfs_dev_changed(const struct sfs_dev *dev);	/* of them; block 0 not counted */
/* Visits each of those, sealed, in no order that means anything; ends with the first error. */
typedef int (*sfs_changed_fn)(void *arg, u64 blk, const void *data);
int sfs_dev_visit_changed(struct sfs_dev *dev, sfs_changed_fn visit, void *arg);
/*
 * Writes all changed blocks, sealed, but for block 0, and waits for them: first those made here,
 * then the rest.
 */
int sfs_dev_flush(struct sfs_dev *dev);
/* The transaction of a single-threaded program: a name for "now". */
struct sfs_trans *sfs_dev_trans(struct sfs_dev *dev);
/* Where sfs_corrupt() and sfs_shutdown() report to; NULL: stderr.  The text has no newline. */
extern void (*sfs_report)(const char *text);
/* For sfs_report, while it is known what there is to say. */
void sfs_report_nothing(const char *text);

/* ---- array.c ---- */

/*
 * Room for one more behind the @count of @nbytes each in *@array, which has got all of them so: it
 * is doubled whenever it is full.  -ENOMEM.
 */
int sfs_array_grow(void **array, size_t count, size_t nbytes);

/* ---- volume.c ---- */

/*
 * Opens the volume at @path for a program that changes it and knows no journal: nobody else's now,
 * and unmounted cleanly.  Block 0 goes to @super, decoded to @ret_fs with its f_priv.  Where that
 * cannot be, says why and ends the program with @status.
 */
void sfs_volume_open(const char *path, int status, void *super, struct sfs_fs *ret_fs);
/*
 * End the program, with @status, if the volume at @path has features that this version does not
 * know: of @super, which was probed, those with which nobody else may touch it; of @fs, decoded,
 * those with which nobody else may change it.
 */
void sfs_refuse_newer(const char *path, int status, const void *super);
void sfs_refuse_writing(const char *path, int status, const struct sfs_fs *fs);
/*
 * Block 0, through @super, as the fields of @fs say, at once and lasting.  @super is the block as
 * it was last read: what no field says stays.
 */
int sfs_volume_write_super(struct sfs_fs *fs, void *super);

/* The same for two sets of SFS_STATE_* alone: the rest of block 0 stays what it is. */
int sfs_volume_mark(struct sfs_dev *dev, u32 set, u32 clear);

/* ---- copies.c ---- */

/*
 * Block 0 as the newest copy of it says, sealed, whatever is there now: to be checked, as far as it
 * can be known how many zones were begun, and with the highest sequence that there is: what the
 * volume has is not known.  *@ret_blk is where that copy lies.  -ENOENT: there is none.
 */
int sfs_copies_find(struct sfs_dev *dev, void *ret_super, u64 *ret_blk);
/* Does @copy, a sound one, say the same of the volume itself? */
bool sfs_copy_is_true(const void *super, const void *copy);
/*
 * Or all but what a volume is called, and how it takes damage, and perhaps of a smaller volume?
 * That is changed in block 0 first: such a copy has not been reached, and is none that is wrong.
 */
bool sfs_copy_is_behind(const void *super, const void *copy);

/* ---- summaries.c ---- */

/* The summary of @zone, head but not crc included, as its bitmaps would have it; or their error. */
int sfs_summary_make(struct sfs_fs *fs, u64 zone, struct sfs_summary_disk *ret_sum);
/* Is @sum, a sound one, as good as @made?  It need not know all groups, nor the best bounds. */
bool sfs_summary_is_true(const struct sfs_summary_disk *sum, const struct sfs_summary_disk *made);

/* ---- loop.c ---- */

#define SFS_LOOP_NAME	32
/* The image @path is behind a loop device that somebody has for himself, as a mount has. */
bool sfs_loop_is_busy(const char *path, char loop[SFS_LOOP_NAME]);

/* ---- mounted.c ---- */

/*
 * The root of the volume that is mounted at @path, or from the device @path, open, by a mount that
 * is not read-only if there is one; -1: there is none.
 */
int sfs_mounted_open(const char *path);

/* ---- log.c: the jbd2 log as a tool sees it ---- */

/*
 * Fills @data with block @start of its device: the superblock of an empty log of @nblks blocks.
 * What jbd2 calls first block and length it counts from the start of the device.
 */
void sfs_log_make(void *data, u32 start, u32 nblks, const u8 uuid[16]);
/* NULL or why not: block 0 of an external journal's device, for the volume @fs.  Pure. */
const char *sfs_log_dev_verify(const struct sfs_fs *fs, const void *data, u64 dev_nblks);
/*
 * An empty log in place of the one that is there, whose blocks must not fit, lasting.  Interrupted,
 * it leaves a log without a superblock.  Errors as of a replay.
 */
int sfs_log_renew(struct sfs_fs *fs, struct sfs_dev *log_dev);
/* Is the log on the volume not empty?  One on another device is not looked at. */
int sfs_log_needs_replay(struct sfs_fs *fs, bool *ret_needs);

/* ---- replay.c: what a crash left in the log ---- */

struct sfs_replay {
	bool r_found;			/* its superblock is sound; told with an error, too */
	bool r_needed;			/* the log was not empty */
	u32 r_tid;			/* its first transaction */
	u32 r_next;			/* the one behind the last that is whole */
	u64 r_blks;			/* blocks that the log changes */
	u64 r_revoked;			/* copies that a later revocation made void */
	int r_errno;			/* why the kernel stopped journalling, or 0 */
};

/*
 * Puts the newest copy of each block in the log into the cache of @fs's device, and decodes @fs
 * anew when the superblock is among them: nothing is written.  @log_dev is the external journal's
 * device, or NULL: -ENODEV if one is needed.  Before sfs_fs_init().  All or nothing: a log that is
 * damaged, or holds what is no sound block of this volume, gives -EFSCORRUPTED or -EFSBADCRC after
 * a report, and changes nothing but r_found.
 */
int sfs_log_replay(struct sfs_fs *fs, struct sfs_dev *log_dev, struct sfs_replay *ret_replay);
/*
 * Makes a replay lasting: writes all changed blocks, the superblock last, then empties the log.
 */
int sfs_log_finish(struct sfs_fs *fs, struct sfs_dev *log_dev, const struct sfs_replay *replay);

/* ---- log_write.c ---- */

/* How many blocks, block 0 included, one transaction can change.  Errors as of a replay. */
int sfs_log_room(struct sfs_fs *fs, struct sfs_dev *log_dev, u32 *ret_nblks);
/*
 * Makes all changed blocks of @fs's device and block 0, sealed at @super, lasting as one: they
 * go into the log as a transaction, which the kernel or sfs_log_replay() brings home if this is
 * interrupted, then home; then the log is empty again.  The log must be empty before; if it lies
 * on another device, block 0 must have lost SFS_STATE_CLEAN: else nobody would look into it.
 * Nothing was changed after -E2BIG: there is no room for so many; -EFSCORRUPTED after a report:
 * one of them is not sound; -EBUSY: the log is not empty.  After -EIO the next replay tells.
 */
int sfs_log_write(struct sfs_fs *fs, struct sfs_dev *log_dev, const void *super);

/* ---- lock.c ---- */

/*
 * Locks the image or device for this program.  An image is guarded by this alone: it waits ten
 * seconds for others, then -EWOULDBLOCK.  A device is open exclusively, and whoever holds its lock
 * may be who started this program for it: after two seconds it goes on, with a warning.
 * LOCK_BLOCK_DEVICE=0 in the environment: a device is not locked.
 */
int sfs_lock(int fd, const char *path);

/* ---- clock.c ---- */

/* Makes sfs_time_now() stand still at @ns and sfs_random32() count from @seed. */
void sfs_clock_fix(s64 ns, u32 seed);

/* ---- cli.c ---- */

/* Text of anybody, without what a terminal would obey. */
void sfs_put_plain(FILE *file, const char *text);
/* What sfs_dev_open() returned, in words. */
const char *sfs_dev_error(int err);
/* Ends the program with @status if what it has said did not arrive. */
void sfs_told(int status);
/* "16M", "1G", "4096" (in @unit bytes when it has no suffix). -EINVAL, -ERANGE. */
int sfs_parse_size(const char *text, u64 unit, u64 *ret_nbytes);
/* The size of a volume, in blocks, 1 at least; a bare number counts blocks.  Or exits. */
u64 sfs_take_size(const char *text, int status);
__attribute__((format(printf, 2, 3), noreturn))
void sfs_die(int status, const char *fmt, ...);
__attribute__((format(printf, 1, 2)))
void sfs_warn(const char *fmt, ...);
extern const char *sfs_program;
/* Set while something is on the terminal that has to go before a warning. */
extern void (*sfs_clear_line)(void);

/* Exit status of the tools that look at a volume: fsck(8)'s bits, which boot scripts know. */
enum {
	SFS_EXIT_OK = 0,
	SFS_EXIT_REPAIRED = 1,
	SFS_EXIT_DAMAGED = 4,
	SFS_EXIT_FAILED = 8,
	SFS_EXIT_USAGE = 16,
};

/* ---- uuid.c (its users link libuuid) ---- */

/* A UUID, "random", "time" or "clear" (all zeros).  -EINVAL. */
int sfs_parse_uuid(const char *text, u8 uuid[16]);

/* ---- options.c ---- */

enum sfs_opt_kind {
	SFS_OPT_FLAG,			/* bool */
	SFS_OPT_TEXT,			/* const char *; o_max: bytes */
	SFS_OPT_NUMBER,			/* u64 */
	SFS_OPT_SIZE,			/* u64, bytes; a bare number is in o_unit */
	SFS_OPT_CHOICE,			/* int: index in o_words */
	SFS_OPT_LIST,			/* name[=value],...: o_sub */
};

#define SFS_OPT_GROUPS	8

/* One option.  A table ends with one that has no o_long. */
struct sfs_opt {
	char o_short;			/* 0: none */
	const char *o_long;
	const char *o_arg;		/* what --help calls its argument; NULL: it takes none */
	const char *o_help;		/* NULL: not shown (accepted for the sake of callers) */
	enum sfs_opt_kind o_kind;
	size_t o_field;			/* where in the settings the value goes */
	u64 o_min;
	u64 o_max;			/* 0: no limit */
	u64 o_unit;
	const char *o_default;		/* taken first, as if it had been given */
	const char *const *o_words;	/* ends with NULL */
	const struct sfs_opt *o_sub;	/* SFS_OPT_LIST: known by o_long alone */
	unsigned int o_group;		/* 1 to 7: options of one group exclude each other */
	bool o_again;			/* ... but this is the one before it by another name */
};

struct sfs_cli {
	const char *c_program;
	const char *c_usage;		/* "[options] DEVICE" */
	const char *c_about;		/* one sentence */
	const char *c_notes;		/* below the options; may be NULL */
	const struct sfs_opt *c_opts;
	int c_operands_min;
	int c_operands_max;
	int c_exit_usage;		/* status when the command line is wrong */
	struct {
		int status;
		const char *meaning;
	} c_exits[8];			/* ends with a meaning of NULL */
};

/*
 * Reads the command line into @settings; --help, --version and errors end the program.  Returns
 * the index of the first operand.  @ret_picked, if given, has room for SFS_OPT_GROUPS: the option
 * that was given of each group, or NULL.
 */
int sfs_cli_parse(const struct sfs_cli *cli, int argc, char **argv, void *settings,
		  const struct sfs_opt **ret_picked);

/* ---- problem.c: what can be wrong with a volume, in words ---- */

enum sfs_problem_code {
	SFS_PROBLEM_HIDDEN, SFS_PROBLEM_COPY_LOST, SFS_PROBLEM_COPY_OLD, SFS_PROBLEM_SUMMARY,
	SFS_PROBLEM_SUMMARY_LOST, SFS_PROBLEM_HELD_TWICE, SFS_PROBLEM_BEYOND, SFS_PROBLEM_SHARED,
	SFS_PROBLEM_SHARED_PAST, SFS_PROBLEM_WILD, SFS_PROBLEM_WILD_LATE, SFS_PROBLEM_SIZE,
	SFS_PROBLEM_BLOCKS, SFS_PROBLEM_EMPTY, SFS_PROBLEM_ROOM, SFS_PROBLEM_ORPHAN,
	SFS_PROBLEM_STRAY, SFS_PROBLEM_MAP_COUNT, SFS_PROBLEM_MAP_LOST, SFS_PROBLEM_DANGLES,
	SFS_PROBLEM_TYPE, SFS_PROBLEM_PARENT, SFS_PROBLEM_TWO_NAMES, SFS_PROBLEM_DIR_SIZE,
	SFS_PROBLEM_LINKS, SFS_PROBLEM_NAMELESS, SFS_PROBLEM_ROOT, SFS_PROBLEM_LOOP,
	SFS_PROBLEM_TAKEN, SFS_PROBLEM_LEAKED, SFS_PROBLEM_TAKEN_RUN, SFS_PROBLEM_LEAKED_RUN,
	SFS_PROBLEM_FREE_SAID, SFS_PROBLEM_INODES_SAID, SFS_PROBLEM_UNREAD, SFS_PROBLEM_KIND,
	SFS_PROBLEM_NAME_TWICE, SFS_PROBLEM_UNMAPPED, SFS_PROBLEM_MARKED, SFS_PROBLEM_DOOMED,
	SFS_PROBLEM_HOLLOW, SFS_PROBLEM_LOST, SFS_PROBLEM_LEFT, SFS_PROBLEM_USAGE,
	SFS_PROBLEM_USAGE_INODES, SFS_PROBLEM_USAGE_LOST, SFS_PROBLEM_NAMES_HIDDEN,
	SFS_PROBLEM_INODES_GONE, SFS_PROBLEM_INODES_MENDED, SFS_PROBLEM_INODE_GONE,
	SFS_PROBLEM_INODE_MENDED, SFS_PROBLEM_TREE, SFS_PROBLEM_LEAVES_GONE,
	SFS_PROBLEM_LEAF_MENDED, SFS_PROBLEM_RECORD_GONE, SFS_PROBLEM_ROOT_MADE,
	SFS_PROBLEM_EXTENT_CUT,
	SFS_PROBLEMS
};

/* What a repair would take. */
enum sfs_remedy {
	SFS_REMEDY_NONE,		/* something is lost, or cannot be told apart */
	SFS_REMEDY_COUNT,		/* what follows from the inodes is written anew */
	SFS_REMEDY_NAME,		/* names go or come */
	SFS_REMEDY_READ,		/* a device that gives all of its blocks */
	SFS_REMEDIES
};

struct sfs_problem {
	enum sfs_problem_code p_code;
	u64 p_num[4];
	const char *p_name;		/* of p_len bytes, if the problem is with a name */
	unsigned int p_len;
};

enum sfs_remedy sfs_problem_remedy(enum sfs_problem_code code);
void sfs_problem_text(const struct sfs_problem *problem, char *text, size_t room);

/* ---- check.c ---- */

struct sfs_found_inode {
	u64 i_ino;
	u32 i_nlink;			/* as the record says */
	u32 i_names;			/* as directories say; subdirectories count too */
	u64 i_parent;
	u64 i_named_in;			/* directories: where their name is */
	u64 i_said_blocks;
	u64 i_blocks;			/* as its tree says */
	u64 i_said_size;
	u64 i_nbytes;			/* directories: of all names in them; files: what their
					   data tells of a larger size than they say, else 0 */
	u8 i_type;			/* SFS_TYPE_* */
	bool i_is_dir;
	bool i_is_orphan;
	bool i_is_reached;		/* directories: from the root, or told why not */
	bool i_is_walked;		/* directories: on the way up to it */
	bool i_is_read;			/* directories: their names have been counted */
	bool i_has_more;		/* directories: names that were put off */
};

/* A name that says something wrong: d_type 0, it goes; else that is its type. */
struct sfs_found_name {
	u64 n_dir;
	u64 n_ino;
	u64 n_pos;			/* of its key: where it is, whatever else has the name */
	u8 n_type;
	u8 n_len;
	char n_name[SFS_NAME_MAX];
};

struct sfs_found_names {
	struct sfs_found_name *f_name;
	size_t f_n;
};

/* What a file cannot keep as it is: it is copied, if there was sense in it, or made a hole. */
struct sfs_found_run {
	u64 r_ino;
	u64 r_lblk;
	u64 r_blk;
	u64 r_nblks;
	bool r_copy;
};

/* What a check has found.  Without problems of SFS_REMEDY_NONE and _READ it is complete. */
struct sfs_found {
	u8 *f_taken;			/* a bit for each block that an inode holds */
	u8 *f_meta;			/* of these, what is no data */
	u8 *f_twice;			/* and what data is not alone with; NULL: nothing */
	struct sfs_found_run *f_runs;	/* by inode, then by r_lblk */
	size_t f_nruns;
	u64 f_copies;			/* blocks in those to be copied; more than all: more */
	struct sfs_found_inode *f_inodes;	/* rising numbers */
	size_t f_ninodes;
	struct sfs_found_names f_names;
	unsigned int f_tables_lost;	/* bits of tables of usage whose trees cannot be read */
	u64 f_problems[SFS_REMEDIES];
	bool f_gives_up;		/* set before: inodes of a damaged block are gone */
};

/*
 * Walks everything that is in use and compares it with the bitmaps, link counts and counters; each
 * difference goes to sfs_report(), and so does each block that cannot be read: the check goes on
 * without it.  0, whatever was found, or the error that ended the check.  Free @ret_found, zero
 * before, in both cases.
 */
int sfs_check_find(struct sfs_fs *fs, struct sfs_found *ret_found);
void sfs_found_free(struct sfs_found *found);
static inline bool sfs_found_is_taken(const struct sfs_found *found, u64 blk)
{
	return found->f_taken[blk / 8] >> (blk % 8) & 1;
}

/* NULL: no such inode. */
struct sfs_found_inode *sfs_found_inode(const struct sfs_found *found, u64 ino);
/* After all names were counted: has it one? The link count that goes with them. */
bool sfs_found_is_named(const struct sfs_fs *fs, const struct sfs_found_inode *i);
u32 sfs_found_links(const struct sfs_fs *fs, const struct sfs_found_inode *i);
/* An orphan that is to go; a directory that still holds names is not. */
bool sfs_found_is_doomed(const struct sfs_found_inode *i);
/* Has a name and is marked as an orphan, which of what has names only a file can be. */
bool sfs_found_is_marked(const struct sfs_fs *fs, const struct sfs_found_inode *i);
/* The same in a number: of differences, or a negative errno (-EIO: not all could be read). */
long sfs_check(struct sfs_fs *fs);

/* ---- walk.c ---- */

/*
 * The inode at @path, from the root whether it begins with "/" or not.  Follows no symlink; "." is
 * where it stands, ".." a name that nothing has.
 */
int sfs_path_resolve(struct sfs_fs *fs, const char *path, u64 *ret_ino);
/*
 * Visits each node of the tree, parents first; @blk is 0 for the root.  What cannot be read is
 * reported and passed over: the first such error comes back at the end.
 */
typedef void (*sfs_node_fn)(void *arg, const struct sfs_node_disk *node, u64 blk);
int sfs_tree_walk(struct sfs_inode *in, sfs_node_fn visit, void *arg);
/* The same, and each node passed over is told to @lost: what was below it had keys in [lo, hi). */
typedef void (*sfs_lost_fn)(void *arg, u64 blk, u64 lo, u64 hi, int err);
int sfs_tree_walk_lost(struct sfs_inode *in, sfs_node_fn visit, sfs_lost_fn lost, void *arg);
/* Record *@i of a sound node, and the next; false: there are no more, or it is no leaf. */
struct sfs_leaf_record {
	u64 l_key;
	const void *l_rec;
	unsigned int l_nbytes;
};
bool sfs_leaf_next(const struct sfs_node_disk *node, unsigned int *i, struct sfs_leaf_record *ret);
/*
 * Every live inode, in the order of their numbers, until @visit returns false.  What cannot be read
 * is reported and passed over, as above; where a group's map of inode blocks is lost, they are
 * looked for among all its blocks in use.
 */
typedef bool (*sfs_inode_fn)(void *arg, struct sfs_inode *in);
int sfs_each_inode(struct sfs_fs *fs, sfs_inode_fn visit, void *arg);
/* Block @lblk of a regular file; holes and unwritten blocks are zero. */
int sfs_file_read(struct sfs_inode *in, u64 lblk, void *data);

/* ---- text.c ---- */

struct sfs_text_file;
struct sfs_text *sfs_text_open(FILE *file, bool json);
int sfs_text_close(struct sfs_text *text);	/* -EIO when the output failed */

#endif
