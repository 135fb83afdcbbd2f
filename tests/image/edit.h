/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * edit.h - what the parts of "edit" share: edit.c, edit_tree.c.
 */
#ifndef SFS_EDIT_H
#define SFS_EDIT_H

#include "../../src/lib/lib.h"

/* The volume, and the one transaction that there is. */
extern struct sfs_fs fs;
extern struct sfs_trans *t;

/* Ends the program if @err is one. */
void must(int err, const char *what);
u64 number(const char *arg);
/* @path's record, to be changed up to sfs_inode_end(). */
void get_inode(const char *path, struct sfs_inode *in);

/* edit_tree.c: verbs. */
void edit_record(char **arg);
void edit_records(char **arg);
void edit_stretch(char **arg);
void edit_attribute(char **arg);
void edit_tower(char **arg);
void edit_hollow(char **arg);

#endif
