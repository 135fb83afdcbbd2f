/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * totext.h - every object on disk can print itself.  A part of core.h.
 */
#ifndef SFS_TOTEXT_H
#define SFS_TOTEXT_H

/*
 * A sink for printed objects: text ("key: value" lines, indented) or JSON, by who implements it.
 * @key is NULL inside an array.
 */
struct sfs_text {
	void (*open)(struct sfs_text *out, const char *key, bool array);
	void (*close)(struct sfs_text *out);
	void (*num)(struct sfs_text *out, const char *key, u64 value);
	void (*hex)(struct sfs_text *out, const char *key, u64 value);
	void (*time)(struct sfs_text *out, const char *key, s64 ns);
	void (*str)(struct sfs_text *out, const char *key, const char *s, unsigned int nbytes);
	void (*bytes)(struct sfs_text *out, const char *key, const u8 *p, unsigned int nbytes);
};

static inline void sfs_text_word(struct sfs_text *out, const char *key, const char *word)
{
	out->str(out, key, word, strlen(word));
}

/* By the files that know a kind of record: position and content, as k_print of btree.h. */
void sfs_xattr_totext(struct sfs_text *out, u64 pos, const void *rec, unsigned int nbytes);
void sfs_inline_totext(struct sfs_text *out, u64 pos, const void *rec, unsigned int nbytes);
void sfs_extent_totext(struct sfs_text *out, u64 pos, const void *rec, unsigned int nbytes);
void sfs_dirent_totext(struct sfs_text *out, u64 pos, const void *rec, unsigned int nbytes);

/* totext.c: add fields to the object that is open. */
void sfs_head_totext(struct sfs_text *out, const struct sfs_head *head);
void sfs_super_totext(struct sfs_text *out, const void *data);
void sfs_bitmap_totext(struct sfs_text *out, const void *data, unsigned int nbits);
void sfs_inode_totext(struct sfs_text *out, u64 ino, const struct sfs_inode_disk *disk);
void sfs_node_totext(struct sfs_text *out, const struct sfs_node_disk *node, unsigned int capacity);
void sfs_record_totext(struct sfs_text *out, u64 key, const void *rec, unsigned int nbytes);
void sfs_block_totext(struct sfs_text *out, const void *data);	/* by its magic */

#endif
