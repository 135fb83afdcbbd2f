// SPDX-License-Identifier: GPL-2.0-only
/*
 * totext.c - every object on disk can print itself.
 *
 * A printer adds its object's fields to whatever object the caller has opened in the sink; parts
 * are opened as objects of their own.  Keys are the fields' names of format.h without their prefix
 * and never change their meaning, since scripts read them.  What is printed may be damaged - that
 * is when one looks - so nothing here trusts a count or an offset, and nothing is verified.  Pure:
 * no locks, no transactions, no output of its own.
 */
#include "core.h"

/* A field padded with NUL. */
static void sfs_text_padded(struct sfs_text *out, const char *key, const u8 *s,
			    unsigned int nbytes)
{
	const u8 *end = memchr(s, 0, nbytes);

	out->str(out, key, (const char *)s, end ? (unsigned int)(end - s) : nbytes);
}

/* Bytes called zero, shown where a feature that is not known has filled them. */
static void sfs_text_zero(struct sfs_text *out, const char *key, const u8 *p, unsigned int nbytes)
{
	unsigned int i;

	for (i = 0; i < nbytes; i++) {
		if (p[i]) {
			out->bytes(out, key, p, nbytes);
			return;
		}
	}
}

void sfs_head_totext(struct sfs_text *out, const struct sfs_head *head)
{
	const struct sfs_block_ops *ops = sfs_block_ops_of(le32_to_cpu(head->h_magic));

	out->open(out, "head", false);
	out->hex(out, "magic", le32_to_cpu(head->h_magic));
	sfs_text_word(out, "kind", ops ? ops->b_name : "unknown block");
	out->hex(out, "crc", le32_to_cpu(head->h_crc));
	out->num(out, "blk", le64_to_cpu(head->h_blk));
	out->num(out, "owner", le64_to_cpu(head->h_owner));
	out->num(out, "seq", le64_to_cpu(head->h_seq));
	out->hex(out, "fsid", le32_to_cpu(head->h_fsid));
	out->hex(out, "generation", le32_to_cpu(head->h_generation));
	out->hex(out, "live", head->h_live);
	out->close(out);
}

/* A time that is 0 in a superblock is that of something that did not happen yet. */
static void sfs_text_event(struct sfs_text *out, const char *key, s64 ns)
{
	if (ns)
		out->time(out, key, ns);
	else
		sfs_text_word(out, key, "never");
}

/* What s_state and s_errors say, in words; what is neither is in the number alone. */
static void sfs_super_words_totext(struct sfs_text *out, u32 state, u32 errors)
{
	static const char *const answers[] = {
		[SFS_ERRORS_CONTINUE] = "continue",
		[SFS_ERRORS_RO] = "remount-ro",
		[SFS_ERRORS_PANIC] = "panic",
	};

	out->hex(out, "state", state);
	out->open(out, "state_names", true);
	sfs_text_word(out, NULL, state & SFS_STATE_CLEAN ? "clean" : "in use or interrupted");
	if (state & SFS_STATE_ERROR)
		sfs_text_word(out, NULL, "damaged");
	out->close(out);
	out->num(out, "errors", errors);
	if (errors < sizeof(answers) / sizeof(answers[0]) && answers[errors])
		sfs_text_word(out, "errors_name", answers[errors]);
}

static void sfs_super_layout_totext(struct sfs_text *out, const struct sfs_super_disk *s)
{
	out->bytes(out, "ident", s->s_ident, sizeof(s->s_ident));
	out->bytes(out, "uuid", s->s_uuid, sizeof(s->s_uuid));
	sfs_text_padded(out, "label", s->s_label, sizeof(s->s_label));
	out->hex(out, "compat", le64_to_cpu(s->s_compat));
	out->hex(out, "ro_compat", le64_to_cpu(s->s_ro_compat));
	out->hex(out, "incompat", le64_to_cpu(s->s_incompat));
	out->num(out, "block_bits", le32_to_cpu(s->s_block_bits));
	out->num(out, "version", le32_to_cpu(s->s_version));
	out->num(out, "blocks", le64_to_cpu(s->s_blocks));
	out->num(out, "zones", le64_to_cpu(s->s_zones));
	out->num(out, "journal_start", le64_to_cpu(s->s_journal_start));
	out->num(out, "journal_blocks", le32_to_cpu(s->s_journal_blocks));
	out->num(out, "tail", le32_to_cpu(s->s_tail));
	sfs_super_words_totext(out, le32_to_cpu(s->s_state), le32_to_cpu(s->s_errors));
	out->bytes(out, "journal_uuid", s->s_journal_uuid, sizeof(s->s_journal_uuid));
	out->open(out, "hash_key", true);
	out->hex(out, NULL, le64_to_cpu(s->s_hash_key[0]));
	out->hex(out, NULL, le64_to_cpu(s->s_hash_key[1]));
	out->close(out);
}

static void sfs_super_hidden_totext(struct sfs_text *out, const struct sfs_super_disk *s)
{
	unsigned int i;

	out->open(out, "hidden", true);
	for (i = 0; i < SFS_HIDDEN; i++)
		out->num(out, NULL, le64_to_cpu(s->s_hidden[i]));
	out->close(out);
}

void sfs_super_totext(struct sfs_text *out, const void *data)
{
	const struct sfs_super_disk *s = data;

	sfs_super_layout_totext(out, s);
	out->num(out, "root", le64_to_cpu(s->s_root));
	out->num(out, "free", le64_to_cpu(s->s_free));
	out->num(out, "inodes", le64_to_cpu(s->s_inodes));
	out->hex(out, "fsid", le32_to_cpu(s->s_fsid));
	out->num(out, "mounts", le32_to_cpu(s->s_mounts));
	out->time(out, "mkfs_time", (s64)le64_to_cpu(s->s_mkfs_time));
	sfs_text_event(out, "mount_time", (s64)le64_to_cpu(s->s_mount_time));
	out->time(out, "write_time", (s64)le64_to_cpu(s->s_write_time));
	sfs_text_event(out, "check_time", (s64)le64_to_cpu(s->s_check_time));
	sfs_text_event(out, "error_time", (s64)le64_to_cpu(s->s_error_time));
	out->num(out, "error_blk", le64_to_cpu(s->s_error_blk));
	out->num(out, "error_ino", le64_to_cpu(s->s_error_ino));
	out->num(out, "error_count", le32_to_cpu(s->s_error_count));
	sfs_text_padded(out, "error_why", s->s_error_why, sizeof(s->s_error_why));
	out->num(out, "sequence", le64_to_cpu(s->s_sequence));
	sfs_super_hidden_totext(out, s);
	out->num(out, "stripe_unit", le32_to_cpu(s->s_stripe_unit));
	out->num(out, "stripe_width", le32_to_cpu(s->s_stripe_width));
	sfs_text_zero(out, "zero", s->s_zero, sizeof(s->s_zero));
	sfs_text_zero(out, "rest", (const u8 *)(s + 1), SFS_BLOCK_SIZE - sizeof(*s));
}

void sfs_bitmap_totext(struct sfs_text *out, const void *data, unsigned int nbits)
{
	const struct sfs_bitmap_disk *map = data;
	unsigned int bit, end;

	nbits = min(nbits, (unsigned int)SFS_GROUP_BLOCKS);
	out->num(out, "count", le32_to_cpu(map->b_count));
	out->num(out, "bits_set", sfs_bits_count(map->b_bits, 0, nbits));
	out->open(out, "runs", true);
	for (bit = sfs_bits_next_set(map->b_bits, 0, nbits); bit < nbits;
	     bit = sfs_bits_next_set(map->b_bits, end, nbits)) {
		end = sfs_bits_next_clear(map->b_bits, bit, nbits);
		out->open(out, NULL, false);
		out->num(out, "bit", bit);
		out->num(out, "nbits", end - bit);
		out->close(out);
	}
	out->close(out);
}

static void sfs_summary_totext(struct sfs_text *out, const struct sfs_summary_disk *sum)
{
	unsigned int i;

	out->open(out, "counts", true);
	for (i = 0; i < SFS_ZONE_GROUPS; i++) {
		const struct sfs_count_disk *count = &sum->z_count[i];

		out->open(out, NULL, false);
		out->num(out, "free", le32_to_cpu(count->c_free));
		out->num(out, "inode_blks", le32_to_cpu(count->c_inode_blks));
		out->num(out, "room", le32_to_cpu(count->c_room));
		out->num(out, "slots", le32_to_cpu(count->c_slots));
		out->num(out, "orphan_blks", le32_to_cpu(count->c_orphan_blks));
		out->num(out, "run", le32_to_cpu(count->c_run));
		out->close(out);
	}
	out->close(out);
}

/* The flags that are set, in the words of format.h; others are in the number alone. */
static void sfs_flags_totext(struct sfs_text *out, u32 flags)
{
	static const char *const words[] = {
		"orphan", "append", "immutable", "nodump", "noatime", "sync", "dirsync",
		"projinherit", "casefold", "encrypt", "verity", "nodatacow",
	};
	unsigned int i;

	out->open(out, "flag_names", true);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (flags >> i & 1)
			sfs_text_word(out, NULL, words[i]);
	out->close(out);
}

void sfs_inode_totext(struct sfs_text *out, u64 ino, const struct sfs_inode_disk *disk)
{
	const char *type = sfs_type_word(le16_to_cpu(disk->i_mode) >> SFS_TYPE_SHIFT);

	out->num(out, "ino", ino);
	sfs_text_word(out, "type", type ? type : "unknown");
	out->hex(out, "mode", le16_to_cpu(disk->i_mode));
	out->num(out, "uid", le32_to_cpu(disk->i_uid));
	out->num(out, "gid", le32_to_cpu(disk->i_gid));
	out->num(out, "nlink", le32_to_cpu(disk->i_nlink));
	out->num(out, "projid", le32_to_cpu(disk->i_projid));
	out->hex(out, "flags", le32_to_cpu(disk->i_flags));
	if (disk->i_flags)
		sfs_flags_totext(out, le32_to_cpu(disk->i_flags));
	out->hex(out, "generation", le32_to_cpu(disk->i_generation));
	out->hex(out, "rdev", le32_to_cpu(disk->i_rdev));
	out->num(out, "size", le64_to_cpu(disk->i_size));
	out->num(out, "blocks", le64_to_cpu(disk->i_blocks));
	out->time(out, "atime", (s64)le64_to_cpu(disk->i_atime));
	out->time(out, "mtime", (s64)le64_to_cpu(disk->i_mtime));
	out->time(out, "ctime", (s64)le64_to_cpu(disk->i_ctime));
	out->time(out, "btime", (s64)le64_to_cpu(disk->i_btime));
	out->num(out, "change", le64_to_cpu(disk->i_change));
	out->num(out, "parent", le64_to_cpu(disk->i_parent));
	sfs_text_zero(out, "zero16", (const u8 *)&disk->i_zero16, sizeof(disk->i_zero16));
	sfs_text_zero(out, "zero", disk->i_zero, sizeof(disk->i_zero));
	out->open(out, "root", false);
	sfs_node_totext(out, (const struct sfs_node_disk *)disk->i_root, SFS_ROOT_BYTES);
	out->close(out);
}

void sfs_record_totext(struct sfs_text *out, u64 key, const void *rec, unsigned int nbytes)
{
	unsigned int kind = sfs_key_kind(key);
	bool known = kind < SFS_KINDS && sfs_kinds[kind].k_name;

	sfs_text_word(out, "kind", known ? sfs_kinds[kind].k_name : "unknown");
	if (known && sfs_kinds[kind].k_print) {
		sfs_kinds[kind].k_print(out, sfs_key_pos(key), rec, nbytes);
		return;
	}
	out->hex(out, "pos", sfs_key_pos(key));
	out->bytes(out, "data", rec, nbytes);
}

/* A slot's record, or just where the slot says it is when that is nowhere. */
static void sfs_slot_totext(struct sfs_text *out, const struct sfs_node_disk *node,
			    const struct sfs_slot_disk *slot, unsigned int capacity)
{
	unsigned int off = le16_to_cpu(slot->s_off);
	unsigned int nbytes = le16_to_cpu(slot->s_len);

	out->open(out, NULL, false);
	if (off > capacity || nbytes > capacity - off) {
		out->hex(out, "key", le64_to_cpu(slot->s_key));
		out->num(out, "off", off);
		out->num(out, "len", nbytes);
	} else {
		sfs_record_totext(out, le64_to_cpu(slot->s_key), (const u8 *)node + off, nbytes);
	}
	out->close(out);
}

void sfs_node_totext(struct sfs_text *out, const struct sfs_node_disk *node, unsigned int capacity)
{
	const struct sfs_slot_disk *slot = (const void *)(node + 1);
	const struct sfs_entry_disk *entry = (const void *)(node + 1);
	unsigned int count = le16_to_cpu(node->n_count);
	unsigned int each = node->n_level ? sizeof(*entry) : sizeof(*slot);
	unsigned int i;

	out->num(out, "count", count);
	out->num(out, "heap", le16_to_cpu(node->n_heap));
	out->num(out, "dead", le16_to_cpu(node->n_dead));
	out->num(out, "level", node->n_level);
	count = min(count, (capacity - (unsigned int)sizeof(*node)) / each);
	out->open(out, node->n_level ? "entries" : "records", true);
	for (i = 0; i < count; i++) {
		if (!node->n_level) {
			sfs_slot_totext(out, node, &slot[i], capacity);
			continue;
		}
		out->open(out, NULL, false);
		out->hex(out, "key", le64_to_cpu(entry[i].e_key));
		out->num(out, "blk", le64_to_cpu(entry[i].e_blk));
		out->close(out);
	}
	out->close(out);
}

static void sfs_inodes_totext(struct sfs_text *out, const struct sfs_inodes_disk *inodes)
{
	u64 first = le64_to_cpu(inodes->n_head.h_blk) << SFS_INODE_SLOT_BITS;
	unsigned int i;

	out->open(out, "inodes", true);
	for (i = 0; i < SFS_INODE_SLOTS; i++) {
		if (!(inodes->n_head.h_live & (1u << i)))
			continue;
		out->open(out, NULL, false);
		sfs_inode_totext(out, first | i, &inodes->n_slot[i]);
		out->close(out);
	}
	out->close(out);
}

static void sfs_journal_dev_totext(struct sfs_text *out, const struct sfs_journal_dev_disk *dev)
{
	out->bytes(out, "ident", dev->j_ident, sizeof(dev->j_ident));
	out->bytes(out, "uuid", dev->j_uuid, sizeof(dev->j_uuid));
	out->bytes(out, "fs_uuid", dev->j_fs_uuid, sizeof(dev->j_fs_uuid));
	out->num(out, "blocks", le64_to_cpu(dev->j_blocks));
}

void sfs_block_totext(struct sfs_text *out, const void *data)
{
	const struct sfs_head *head = data;

	sfs_head_totext(out, head);
	switch (le32_to_cpu(head->h_magic)) {
	case SFS_MAGIC_SUPER:
	case SFS_MAGIC_COPY:
		sfs_super_totext(out, data);
		break;
	case SFS_MAGIC_USED:
	case SFS_MAGIC_INODE_MAP:
	case SFS_MAGIC_ROOM:
	case SFS_MAGIC_ORPHAN:
		sfs_bitmap_totext(out, data, SFS_GROUP_BLOCKS);
		break;
	case SFS_MAGIC_SUMMARY:
		sfs_summary_totext(out, data);
		break;
	case SFS_MAGIC_INODES:
		sfs_inodes_totext(out, data);
		break;
	case SFS_MAGIC_NODE:
		sfs_node_totext(out, (const struct sfs_node_disk *)(head + 1), SFS_NODE_BYTES);
		break;
	case SFS_MAGIC_JOURNAL_DEV:
		sfs_journal_dev_totext(out, data);
		break;
	}
}
