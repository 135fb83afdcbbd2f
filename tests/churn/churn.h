/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * churn.h - what the parts of the churn share: the state, the model of a worker, its verdicts.
 *
 * A worker is a process.  All that it knows of its names and files lies in a file outside of the
 * volume, mapped by everyone: the parent compares with it, and so does a later `churn verify`.
 */
#ifndef SFS_CHURN_H
#define SFS_CHURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WORKERS_MAX	8
#define DIRS		3		/* of each worker: ownN, ownN/sub1, ownN/sub2 */
#define NAMES		20		/* in each of them */
#define FILES		12		/* of each worker, by all of their names */
#define FILE_BYTES	(128 << 10)
#define ATTRS		4		/* of each file */
#define SHARED_NAMES	24
#define KINDS_MAX	80
#define BLOCK		4096
#define UNIT		512
#define TARGET_MIN	20		/* of a symlink's target */
#define TARGET_MAX	4000
#define SCATTER_BLOCKS	2048		/* preallocated before the volume is filled */
#define LINKERS		6
#define LINE_BYTES	16		/* of the log: none is split between two blocks */

enum kind {
	NONE,
	FILE_NAME,
	DIR_NAME,
	LINK_NAME,			/* symbolic */
	WHITEOUT_NAME,
};

enum scatter {
	ZEROS,
	STAMPS,
	EITHER,				/* a refused call may have changed it */
};

struct attr {
	bool there;
	uint32_t nbytes;
	uint32_t version;
};

/* The last things that were done to a file, for who has to find out why it is wrong. */
#define TRACE	16

struct trace {
	const struct op *op;
	unsigned long step;
	off_t pos, nbytes, size;	/* size: before it */
};

struct object {
	unsigned int nlink;		/* 0: the slot is free */
	uint32_t serial;		/* no two files of a worker's have the same */
	uint32_t version;		/* of what is written next */
	off_t size;
	struct attr attr[ATTRS];
	struct trace trace[TRACE];
	unsigned int traced;
	uint32_t flags, projid;
	unsigned char data[FILE_BYTES];
};

struct entry {
	uint8_t kind;
	uint8_t file;			/* FILE_NAME: which object */
	uint16_t nbytes;		/* LINK_NAME: of the target */
	uint32_t serial;		/* LINK_NAME: what it is made from */
};

struct worker {
	struct object file[FILES];
	struct entry name[DIRS][NAMES];
	uint32_t serials;		/* given away so far */
	unsigned long steps;
	unsigned long done[KINDS_MAX], refused[KINDS_MAX];
};

struct state {
	uint32_t nworkers;
	unsigned long lines;		/* of the log */
	unsigned long fsyncs, syncs, drops, fills, mounts, scattered, growths;
	uint8_t scatter[SCATTER_BLOCKS];	/* enum scatter: what each block holds */
	unsigned long nblks, inodes;	/* in use at the end */
	bool full;
	bool stop;
	struct worker worker[WORKERS_MAX];
};

/* One thing to do.  What it came to is told by did() or grew(); it may have nothing to do. */
struct op {
	const char *name;
	unsigned int weight;
	void (*run)(int arg);
	int arg;
};

/* ---- churn.c ---- */
extern struct state *state;
extern struct worker *self;
extern unsigned int me;
extern bool full;
extern const struct op *doing;		/* for messages and counts */
extern unsigned int doing_index;
uint32_t rnd(uint32_t below);
void bad(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* True if it succeeded, as it had to.  @want is the errno that the model foresees, or 0. */
bool must(long ret, int want, const char *what);
/* As must(), and counted as what is being done, or as a refusal of it. */
bool did(long ret, int want, const char *what);
/* As did(), but what needs space may find none on a full volume. */
bool grew(long ret, int want, const char *what);

/* ---- churn_stamp.c ---- */
extern unsigned char *bounce;		/* FILE_BYTES, aligned */
void stamp(unsigned char *buf, uint32_t owner, uint32_t file, uint32_t version, off_t pos,
	   size_t nbytes);
void target_make(char *buf, unsigned int owner, uint32_t serial, unsigned int nbytes);
/* Whether it is one that target_make() has made. */
bool target_valid(const char *buf, ssize_t nbytes);
/* @got of @asked bytes came from @pos: they must be the object's. */
/* What is being done reaches to these bytes. */
void trace(struct object *o, off_t pos, off_t nbytes);
void compare(const struct object *o, off_t pos, const unsigned char *buf, ssize_t got,
	     size_t asked, const char *what);

/* ---- churn_name.c ---- */
extern const struct op name_ops[];
extern const unsigned int name_ops_count;
void dir_path(char *path, unsigned int worker, unsigned int dir);
void entry_path(char *path, unsigned int worker, unsigned int dir, unsigned int n);
/* A name of the object's, open; -1 when it has none. */
int object_open(struct object *o, int flags);
struct object *object_pick(void);
/* All names and files of the worker @me, against the model. */
void verify_own(void);

/* ---- churn_file.c ---- */
extern const struct op file_ops[];
extern const unsigned int file_ops_count;
void object_write(struct object *o, int fd, off_t pos, size_t nbytes, const char *what);
void object_compare(struct object *o, int fd);
/*
 * Stores what is in bounce to [@pos, @stop) of @map, page by page, and says how far it came: a page
 * that is not there, in a file cut meanwhile or on a full volume, is a signal.
 */
off_t map_store(unsigned char *map, off_t pos, off_t stop);

/* ---- churn_attr.c ---- */
extern const struct op attr_ops[];
extern const unsigned int attr_ops_count;
/* All attributes of the file, and that there are no others; flags and project. */
void attrs_compare(const struct object *o, int fd);

/* ---- churn_shared.c ---- */
extern const struct op shared_ops[];
extern const unsigned int shared_ops_count;
void verify_shared(void);

/* ---- churn_beside.c: processes that run beside the workers, until they are killed ---- */
void beside_log(void);
void beside_sync(bool drop);
void beside_fill(void);
void beside_greed(void);
void beside_scatter(void);
void beside_links(void);
void beside_grow(const char *device);
void beside_names(void);
void make_passing(void);
void make_scatter(void);
void verify_scatter(void);
void fill_up(void);
void verify_log(void);

#endif
