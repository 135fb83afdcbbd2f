// SPDX-License-Identifier: GPL-2.0-only
/*
 * problem.c - what can be wrong with a volume: for each, the words and what a repair would take.
 *
 * In the texts {0}, {1}, {2} are the problem's numbers and {name} is its name.
 */
#include "lib.h"

struct sfs_problem_row {
	enum sfs_remedy remedy;
	const char *text;
};

static const struct sfs_problem_row sfs_problems[SFS_PROBLEMS] = {
	[SFS_PROBLEM_HELD_TWICE] = { SFS_REMEDY_NONE,
		"block {0} is held twice, also by inode {1}" },
	[SFS_PROBLEM_COPY_LOST] = { SFS_REMEDY_COUNT,
		"copy of the superblock in block {0} is lost" },
	[SFS_PROBLEM_COPY_OLD] = { SFS_REMEDY_COUNT,
		"copy of the superblock in block {0} is not what the superblock says" },
	[SFS_PROBLEM_SUMMARY] = { SFS_REMEDY_COUNT,
		"summary of zone {0} is not what its maps say" },
	[SFS_PROBLEM_SUMMARY_LOST] = { SFS_REMEDY_COUNT, "summary of zone {0} is lost" },
	[SFS_PROBLEM_HIDDEN] = { SFS_REMEDY_NONE, "hidden inode {0} is not in use, or no file" },
	[SFS_PROBLEM_BEYOND] = { SFS_REMEDY_NONE,
		"block {0} of inode {1} lies where nothing has been written yet" },
	[SFS_PROBLEM_BLOCKS] = { SFS_REMEDY_COUNT, "inode {0} holds {1} blocks and says {2}" },
	[SFS_PROBLEM_EMPTY] = { SFS_REMEDY_COUNT, "inode block {0} is empty" },
	[SFS_PROBLEM_ROOM] = { SFS_REMEDY_COUNT, "room map is wrong about inode block {0}" },
	[SFS_PROBLEM_ORPHAN] = { SFS_REMEDY_COUNT, "orphan map is wrong about inode block {0}" },
	[SFS_PROBLEM_STRAY] = { SFS_REMEDY_COUNT,
		"block {0} is no inode block, but has room or orphans" },
	[SFS_PROBLEM_MAP_COUNT] = { SFS_REMEDY_COUNT,
		"{name} map of group {0} counts {1} and says {2}" },
	[SFS_PROBLEM_MAP_LOST] = { SFS_REMEDY_COUNT, "{name} map of group {0} is lost" },
	[SFS_PROBLEM_DANGLES] = { SFS_REMEDY_NAME,
		"name {name} in directory {0}: inode {1} is not in use" },
	[SFS_PROBLEM_TYPE] = { SFS_REMEDY_COUNT,
		"name {name} in directory {0} has type {1} and should have {2}" },
	[SFS_PROBLEM_PARENT] = { SFS_REMEDY_COUNT,
		"directory {0} is named in {1} and has parent {2}" },
	[SFS_PROBLEM_TWO_NAMES] = { SFS_REMEDY_NAME,
		"name {name} in directory {0}: directory {1} has its name in {2}" },
	[SFS_PROBLEM_DIR_SIZE] = { SFS_REMEDY_COUNT,
		"directory {0} holds {1} bytes of names and says {2}" },
	[SFS_PROBLEM_LINKS] = { SFS_REMEDY_COUNT, "inode {0} has {1} links and says {2}" },
	[SFS_PROBLEM_NAMELESS] = { SFS_REMEDY_NAME, "inode {0} has no name and is no orphan" },
	[SFS_PROBLEM_ROOT] = { SFS_REMEDY_NONE, "the root is not in use, or no directory" },
	[SFS_PROBLEM_LOOP] = { SFS_REMEDY_NAME,
		"name {name} in directory {0}: directory {1} is above that" },
	[SFS_PROBLEM_TAKEN] = { SFS_REMEDY_COUNT, "block {0} is taken, the used map says it is free" },
	[SFS_PROBLEM_LEAKED] = { SFS_REMEDY_COUNT, "block {0} is free, the used map says it is taken" },
	[SFS_PROBLEM_TAKEN_RUN] = { SFS_REMEDY_COUNT,
		"blocks {0} to {1} are taken, the used map says they are free" },
	[SFS_PROBLEM_LEAKED_RUN] = { SFS_REMEDY_COUNT,
		"blocks {0} to {1} are free, the used map says they are taken" },
	[SFS_PROBLEM_FREE_SAID] = { SFS_REMEDY_COUNT,
		"superblock says {1} free blocks, there are {0}" },
	[SFS_PROBLEM_INODES_SAID] = { SFS_REMEDY_COUNT,
		"superblock says {1} inodes, there are {0}" },
	[SFS_PROBLEM_SHARED] = { SFS_REMEDY_NAME,
		"blocks {0} to {1} are held by inode {3} and again by inode {2}, which gets a copy" },
	[SFS_PROBLEM_SHARED_PAST] = { SFS_REMEDY_NAME,
		"blocks {0} to {1} are held by inode {3} and again by inode {2}, not as data: a hole there" },
	[SFS_PROBLEM_WILD] = { SFS_REMEDY_NAME,
		"blocks {0} to {1} are metadata of inode {3} and held by inode {2}: a hole there" },
	[SFS_PROBLEM_WILD_LATE] = { SFS_REMEDY_NAME,
		"blocks {0} to {1}, where nothing has been written yet, are held by inode {2}: a hole there" },
	[SFS_PROBLEM_SIZE] = { SFS_REMEDY_COUNT,
		"file {0} has data for {1} bytes and says {2}" },
	[SFS_PROBLEM_KIND] = { SFS_REMEDY_NONE, "inode {0} holds a record that does not fit its type" },
	[SFS_PROBLEM_HOLLOW] = { SFS_REMEDY_NONE, "inode {0} has a tree without a record" },
	[SFS_PROBLEM_NAME_TWICE] = { SFS_REMEDY_NAME,
		"name {name} is in directory {0} twice, for inode {1} and again for {2}" },
	[SFS_PROBLEM_UNMAPPED] = { SFS_REMEDY_COUNT,
		"inode block {0} is in use and not in the inode map" },
	[SFS_PROBLEM_MARKED] = { SFS_REMEDY_COUNT,
		"inode {0} has a name, is no file and is marked as an orphan" },
	[SFS_PROBLEM_DOOMED] = { SFS_REMEDY_NAME, "directory {0} is an orphan and holds names" },
	[SFS_PROBLEM_LEFT] = { SFS_REMEDY_COUNT,
		"inode {0} is an orphan on a volume that was unmounted cleanly" },
	[SFS_PROBLEM_NAMES_HIDDEN] = { SFS_REMEDY_NAME,
		"name {name} in directory {0} leads to hidden inode {1}" },
	[SFS_PROBLEM_USAGE] = { SFS_REMEDY_COUNT,
		"{name} {0} holds {1} bytes, its table says {2}" },
	[SFS_PROBLEM_USAGE_INODES] = { SFS_REMEDY_COUNT,
		"{name} {0} has {1} inodes, its table says {2}" },
	[SFS_PROBLEM_USAGE_LOST] = { SFS_REMEDY_COUNT, "table of usage in inode {0}: {name}" },
	[SFS_PROBLEM_LOST] = { SFS_REMEDY_NONE,
		"name {name} in directory {0}: inode {1} is lost with its block" },
	[SFS_PROBLEM_INODES_GONE] = { SFS_REMEDY_NAME,
		"inode block {0} is given up, with inodes {1} to {2}" },
	[SFS_PROBLEM_INODES_MENDED] = { SFS_REMEDY_NAME, "inode block {0} is mended" },
	[SFS_PROBLEM_INODE_GONE] = { SFS_REMEDY_NAME, "inode {0} is given up: {name}" },
	[SFS_PROBLEM_INODE_MENDED] = { SFS_REMEDY_NAME, "inode {0} is mended: {name}" },
	[SFS_PROBLEM_TREE] = { SFS_REMEDY_NAME,
		"tree of inode {0} is made anew, leaves found: {1}" },
	[SFS_PROBLEM_LEAVES_GONE] = { SFS_REMEDY_NAME,
		"leaves of inode {0} that are lost, and all in them: {1}" },
	[SFS_PROBLEM_LEAF_MENDED] = { SFS_REMEDY_NAME,
		"leaf of inode {0} in block {1} is mended" },
	[SFS_PROBLEM_RECORD_GONE] = { SFS_REMEDY_NAME,
		"record of inode {0} in block {1} is given up: {name}" },
	[SFS_PROBLEM_EXTENT_CUT] = { SFS_REMEDY_NAME,
		"extents of inode {0} overlap at its block {1}: the first ends there" },
	[SFS_PROBLEM_ROOT_MADE] = { SFS_REMEDY_NAME, "the root, inode {0}, is made anew" },
	[SFS_PROBLEM_UNREAD] = { SFS_REMEDY_READ,
		"name {name} in directory {0}: inode {1} cannot be read" },
};

enum sfs_remedy sfs_problem_remedy(enum sfs_problem_code code)
{
	return sfs_problems[code].remedy;
}

/* A name as it can be shown: what is not printable ASCII becomes '?'. */
static size_t sfs_problem_name(const struct sfs_problem *problem, char *text, size_t room)
{
	size_t n;

	for (n = 0; n < problem->p_len && n < room; n++) {
		char c = problem->p_name[n];

		text[n] = c >= ' ' && c <= '~' ? c : '?';
	}
	return n;
}

void sfs_problem_text(const struct sfs_problem *problem, char *text, size_t room)
{
	const char *from = sfs_problems[problem->p_code].text;
	size_t at = 0;

	while (*from && at + 1 < room) {
		if (*from != '{') {
			text[at++] = *from++;
			continue;
		}
		if (from[1] == 'n') {
			at += sfs_problem_name(problem, text + at, room - 1 - at);
		} else {
			int n = snprintf(text + at, room - at, "%llu",
					 (unsigned long long)problem->p_num[from[1] - '0']);

			at = min_t(size_t, at + n, room - 1);
		}
		from = strchr(from, '}') + 1;
	}
	text[at] = '\0';
}
