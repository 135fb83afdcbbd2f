// SPDX-License-Identifier: GPL-2.0-only
/*
 * picture.c - dump --picture: the volume as an SVG.
 *
 * A cell is a power of two of blocks, as few as keep the picture below 16384 cells; a row has 252
 * of them, so that every group begins a row, or every row with some group.  Maps say what is used,
 * and each inode what is its own; used blocks that neither explains get a colour of their own.
 */
#include <sys/stat.h>

#include "../lib/progress.h"
#include "picture.h"

/* The name of SVG, which nobody looks up. */
#define SFS_PIC_NAMESPACE	"http:" "//www.w3.org/2000/svg"
#define SFS_PIC_COLUMNS	252u		/* 128 of these are the blocks of a group */
#define SFS_PIC_CELLS	16384u
#define SFS_PIC_ROWS	(SFS_PIC_CELLS / SFS_PIC_COLUMNS + 2)
#define SFS_PIC_BINS	16u		/* free runs, by powers of two */
#define SFS_PIC_FILES	5u		/* files, by extents */
#define SFS_PIC_LEFT	110u
#define SFS_PIC_TOP	96u
#define SFS_PIC_W	4u
#define SFS_PIC_H	9u

enum sfs_pic_kind {
	SFS_PIC_USED,			/* and no other of these */
	SFS_PIC_FIXED,
	SFS_PIC_JOURNAL,
	SFS_PIC_INODES,
	SFS_PIC_NODES,
	SFS_PIC_DATA,
	SFS_PIC_UNWRITTEN,
	SFS_PIC_KINDS
};

static const struct {
	const char *colour;
	const char *text;
} sfs_pic_kinds[SFS_PIC_KINDS] = {
	[SFS_PIC_USED] = { "#d62728", "used, whose is not found" },
	[SFS_PIC_FIXED] = { "#7f7f7f", "head, maps, reserved" },
	[SFS_PIC_JOURNAL] = { "#9467bd", "journal" },
	[SFS_PIC_INODES] = { "#1f77b4", "inodes" },
	[SFS_PIC_NODES] = { "#ff7f0e", "tree nodes" },
	[SFS_PIC_DATA] = { "#2ca02c", "data" },
	[SFS_PIC_UNWRITTEN] = { "#bcbd22", "data, not written yet" },
};

struct sfs_pic_row {
	u64 free;
	u64 runs;
	u64 longest;
};

struct sfs_picture {
	struct sfs_fs *fs;
	FILE *out;
	u64 nblks;			/* that are drawn */
	unsigned int shift;		/* blocks of a cell */
	u32 ncells;
	u64 (*cells)[SFS_PIC_KINDS];
	struct sfs_pic_row rows[SFS_PIC_ROWS];
	u64 bins[SFS_PIC_BINS];		/* free blocks in runs of such lengths */
	u64 files[SFS_PIC_FILES];
	u64 nfiles;
	u64 nextents;
	int err;			/* the first, of what could not be read */
};

static void sfs_pic_note(struct sfs_picture *p, int err)
{
	if (err && !p->err)
		p->err = err;
}

static void sfs_pic_paint(struct sfs_picture *p, u64 blk, u64 nblks, enum sfs_pic_kind kind)
{
	u64 end = min(blk + nblks, p->nblks);

	while (blk < end) {
		u64 next = min(((blk >> p->shift) + 1) << p->shift, end);

		p->cells[blk >> p->shift][kind] += next - blk;
		blk = next;
	}
}

/* ---- what there is ---- */

static struct sfs_pic_row *sfs_pic_row(struct sfs_picture *p, u64 blk)
{
	return &p->rows[(blk >> p->shift) / SFS_PIC_COLUMNS];
}

static void sfs_pic_free_run(struct sfs_picture *p, u64 group, u64 nblks)
{
	/* Of a group in several rows the first one tells. */
	struct sfs_pic_row *row = sfs_pic_row(p, group * SFS_GROUP_BLOCKS);
	unsigned int bin = 0;

	row->free += nblks;
	row->runs++;
	row->longest = max(row->longest, nblks);
	while (bin + 1 < SFS_PIC_BINS && nblks >> (bin + 1))
		bin++;
	p->bins[bin] += nblks;
}

static void sfs_pic_used(struct sfs_picture *p, u64 group, const struct sfs_bitmap_disk *map)
{
	u64 start = group * SFS_GROUP_BLOCKS;
	u32 nbits = sfs_group_nblks(p->fs, group);
	u32 bit = 0;
	u32 end;

	while (bit < nbits) {
		end = sfs_bits_next_set(map->b_bits, bit, nbits);
		if (end > bit)
			sfs_pic_free_run(p, group, end - bit);
		bit = sfs_bits_next_clear(map->b_bits, end, nbits);
		sfs_pic_paint(p, start + end, bit - end, SFS_PIC_USED);
	}
}

/* What a volume has from the start; the journal is part of that. */
static void sfs_pic_fixed(struct sfs_picture *p, u64 group)
{
	u64 start = group * SFS_GROUP_BLOCKS;
	u32 nbits = sfs_group_nblks(p->fs, group);
	struct sfs_bitmap_disk fresh;
	u32 bit;

	memset(&fresh, 0, sizeof(fresh));
	sfs_map_fill(p->fs, sfs_map_blk(group, SFS_MAP_USED), &fresh);
	for (bit = sfs_bits_next_set(fresh.b_bits, 0, nbits); bit < nbits;
	     bit = sfs_bits_next_set(fresh.b_bits, bit + 1, nbits))
		sfs_pic_paint(p, start + bit, 1,
			      start + bit - p->fs->f_journal_start < p->fs->f_journal_blocks ?
			      SFS_PIC_JOURNAL : SFS_PIC_FIXED);
}

static void sfs_pic_node(void *arg, const struct sfs_node_disk *node, u64 blk)
{
	(void)node;
	if (blk)
		sfs_pic_paint(arg, blk, 1, SFS_PIC_NODES);
}

static void sfs_pic_inode(struct sfs_picture *p, struct sfs_inode *in)
{
	static const unsigned int least[SFS_PIC_FILES] = { 1, 2, 3, 8, 32 };
	struct sfs_extent ext = { 0 };
	unsigned int bin = 0;
	u64 n = 0;
	int err;

	sfs_pic_note(p, sfs_tree_walk(in, sfs_pic_node, p));
	while (!(err = sfs_extent_next(in, ext.e_lblk + ext.e_nblks, &ext))) {
		sfs_pic_paint(p, ext.e_blk, ext.e_nblks,
			      ext.e_unwritten ? SFS_PIC_UNWRITTEN : SFS_PIC_DATA);
		n++;
	}
	if (err != -ENOENT)
		sfs_pic_note(p, err);
	if (!n)
		return;
	p->nfiles++;
	p->nextents += n;
	while (bin + 1 < SFS_PIC_FILES && n >= least[bin + 1])
		bin++;
	p->files[bin]++;
}

static void sfs_pic_inode_blk(struct sfs_picture *p, u64 blk)
{
	struct sfs_inode in;
	unsigned int i;
	int err;

	sfs_pic_paint(p, blk, 1, SFS_PIC_INODES);
	for (i = 0; i < SFS_INODE_SLOTS; i++) {
		memset(&in, 0, sizeof(in));
		err = sfs_inode_read(p->fs, blk << SFS_INODE_SLOT_BITS | i, &in);
		if (!err)
			sfs_pic_inode(p, &in);
		else if (err != -ESTALE)
			sfs_pic_note(p, err);
		if (err && err != -ESTALE)
			return;
	}
}

static void sfs_pic_group(struct sfs_picture *p, u64 group)
{
	u64 start = group * SFS_GROUP_BLOCKS;
	u32 nbits = sfs_group_nblks(p->fs, group);
	const struct sfs_bitmap_disk *map;
	struct sfs_buf *buf;
	u32 bit;
	int err;

	sfs_pic_fixed(p, group);
	err = sfs_map_get(p->fs, group, SFS_MAP_USED, &buf);
	sfs_pic_note(p, err);
	if (!err) {
		sfs_pic_used(p, group, sfs_buf_data(buf));
		sfs_buf_put(buf);
	}
	err = sfs_map_get(p->fs, group, SFS_MAP_INODE, &buf);
	sfs_pic_note(p, err);
	if (err)
		return;
	map = sfs_buf_data(buf);
	for (bit = sfs_bits_next_set(map->b_bits, 0, nbits); bit < nbits;
	     bit = sfs_bits_next_set(map->b_bits, bit + 1, nbits))
		sfs_pic_inode_blk(p, start + bit);
	sfs_buf_put(buf);
}

/* ---- the drawing ---- */

/* Text of anybody as XML, which has no way to say most controls. */
static void sfs_pic_text(FILE *out, const u8 *s, unsigned int nbytes)
{
	const u8 *end = s + nbytes;
	unsigned int len;

	for (; s < end && *s; s += len ? len : 1) {
		len = sfs_utf8_len(s, end - s);
		if (len > 1 && memcmp(s, "\xef\xbf", 2))
			fwrite(s, 1, len, out);
		else if (len > 1 || *s < ' ' || *s >= 0x7f)
			fputc('?', out);
		else if (strchr("<>&\"'", *s))
			fprintf(out, "&#%u;", *s);
		else
			fputc(*s, out);
	}
}

/* The kind that a cell has most of; @ret_fill: how much of it is used, in quarters. */
static unsigned int sfs_pic_cell(const struct sfs_picture *p, u32 cell, unsigned int *ret_fill)
{
	u64 size = min(1ULL << p->shift, p->nblks - ((u64)cell << p->shift));
	u64 known = 0;
	u64 count[SFS_PIC_KINDS];
	unsigned int best = SFS_PIC_KINDS;
	u64 used;
	unsigned int k;

	memcpy(count, p->cells[cell], sizeof(count));
	for (k = SFS_PIC_USED + 1; k < SFS_PIC_KINDS; k++)
		known += count[k];
	count[SFS_PIC_USED] -= min(count[SFS_PIC_USED], known);
	used = min(known + count[SFS_PIC_USED], size);
	*ret_fill = used ? 1 + (used * 4 - 1) / size : 0;
	for (k = 0; k < SFS_PIC_KINDS && used; k++)
		if (count[k] && (best == SFS_PIC_KINDS || count[k] > count[best]))
			best = k;
	return best;
}

static void sfs_pic_rect(const struct sfs_picture *p, u32 cell, u32 ncells, unsigned int kind,
			 unsigned int fill)
{
	if (kind == SFS_PIC_KINDS)
		return;
	fprintf(p->out, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" class=\"k%u\"",
		SFS_PIC_LEFT + cell % SFS_PIC_COLUMNS * SFS_PIC_W,
		SFS_PIC_TOP + cell / SFS_PIC_COLUMNS * SFS_PIC_H, ncells * SFS_PIC_W, SFS_PIC_H - 1,
		kind);
	if (fill < 4)
		fprintf(p->out, " opacity=\"0.%u\"", 20 + 20 * fill);
	fputs("/>\n", p->out);
}

static void sfs_pic_draw_row(struct sfs_picture *p, u32 row)
{
	u32 first = row * SFS_PIC_COLUMNS;
	u32 end = min(first + SFS_PIC_COLUMNS, p->ncells);
	u64 blk = (u64)first << p->shift;
	const struct sfs_pic_row *r = &p->rows[row];
	unsigned int y = SFS_PIC_TOP + row * SFS_PIC_H;
	unsigned int kind, kind_now, fill = 0, fill_now = 0;
	u32 cell, from = first;

	fputs("<g class=\"row\">", p->out);
	if (blk % SFS_GROUP_BLOCKS == 0)
		fprintf(p->out, "<title>from block %llu: %llu blocks free in %llu runs, the longest"
			" of %llu</title>\n<text x=\"4\" y=\"%u\">group %llu</text>\n",
			(unsigned long long)blk, (unsigned long long)r->free,
			(unsigned long long)r->runs, (unsigned long long)r->longest,
			y + SFS_PIC_H - 2, (unsigned long long)(blk / SFS_GROUP_BLOCKS));
	fprintf(p->out, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" class=\"free\"/>\n",
		SFS_PIC_LEFT, y, (end - first) * SFS_PIC_W, SFS_PIC_H - 1);
	kind = sfs_pic_cell(p, first, &fill);
	for (cell = first + 1; cell <= end; cell++) {
		kind_now = cell < end ? sfs_pic_cell(p, cell, &fill_now) : SFS_PIC_KINDS + 1;
		if (kind_now == kind && fill_now == fill)
			continue;
		sfs_pic_rect(p, from, cell - from, kind, fill);
		from = cell;
		kind = kind_now;
		fill = fill_now;
	}
	fputs("</g>\n", p->out);
}

static void sfs_pic_bar(const struct sfs_picture *p, unsigned int x, unsigned int y, u64 n,
			u64 most, const char *class, const char *text)
{
	unsigned int height = most ? 50 * n / most : 0;

	fprintf(p->out, "<rect x=\"%u\" y=\"%u\" width=\"24\" height=\"%u\" class=\"%s\">"
		"<title>%llu</title></rect><text x=\"%u\" y=\"%u\">%s</text>\n", x,
		y + 50 - height, height, class, (unsigned long long)n, x, y + 60, text);
}

static void sfs_pic_charts(const struct sfs_picture *p, unsigned int y)
{
	static const char *const names[SFS_PIC_FILES] = { "1", "2", "3-7", "8-31", "32+" };
	char text[16];
	u64 most = 0;
	unsigned int i;

	for (i = 0; i < SFS_PIC_BINS; i++)
		most = max(most, p->bins[i]);
	fprintf(p->out, "<text x=\"%u\" y=\"%u\">free blocks, by the length of their run (from)"
		"</text>\n", SFS_PIC_LEFT, y);
	for (i = 0; i < SFS_PIC_BINS; i++) {
		snprintf(text, sizeof(text), "%u", 1u << i);
		sfs_pic_bar(p, SFS_PIC_LEFT + 32 * i, y + 8, p->bins[i], most, "bar", text);
	}
	for (most = 0, i = 0; i < SFS_PIC_FILES; i++)
		most = max(most, p->files[i]);
	fprintf(p->out, "<text x=\"%u\" y=\"%u\">files, by their extents; %llu files with data have"
		" %llu</text>\n", SFS_PIC_LEFT + 600, y, (unsigned long long)p->nfiles,
		(unsigned long long)p->nextents);
	for (i = 0; i < SFS_PIC_FILES; i++)
		sfs_pic_bar(p, SFS_PIC_LEFT + 600 + 32 * i, y + 8, p->files[i], most, "k5",
			    names[i]);
}

static void sfs_pic_head(const struct sfs_picture *p, unsigned int height)
{
	const struct sfs_fs *fs = p->fs;
	u64 free = 0, runs = 0, longest = 0;
	unsigned int i;

	fprintf(p->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns="
		"\"" SFS_PIC_NAMESPACE "\" width=\"%u\" height=\"%u\">\n<style>\n"
		"text { font: 9px sans-serif } .free { fill: #eee } .bar { fill: #999 }\n",
		SFS_PIC_LEFT + SFS_PIC_COLUMNS * SFS_PIC_W + 10, height);
	for (i = 0; i < SFS_PIC_KINDS; i++)
		fprintf(p->out, ".k%u { fill: %s }\n", i, sfs_pic_kinds[i].colour);
	fputs("</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
	      "<text x=\"4\" y=\"16\" style=\"font-size: 14px\">simplefs ", p->out);
	sfs_pic_text(p->out, (const u8 *)fs->f_label, sizeof(fs->f_label));
	for (i = 0; i < SFS_PIC_ROWS; i++) {
		free += p->rows[i].free;
		runs += p->rows[i].runs;
		longest = max(longest, p->rows[i].longest);
	}
	fprintf(p->out, "</text>\n<text x=\"4\" y=\"34\">%llu blocks of 4096 bytes; %llu free in"
		" %llu runs within groups, the longest of %llu; a cell is %llu blocks</text>\n",
		(unsigned long long)fs->f_blocks,
		(unsigned long long)(free + fs->f_blocks - p->nblks), (unsigned long long)runs,
		(unsigned long long)longest, 1ULL << p->shift);
	if (fs->f_blocks > p->nblks)
		fprintf(p->out, "<text x=\"4\" y=\"48\">not drawn: %llu blocks behind, in zones"
			" that have not begun</text>\n",
			(unsigned long long)(fs->f_blocks - p->nblks));
	for (i = 0; i <= SFS_PIC_KINDS; i++)
		fprintf(p->out, "<rect x=\"%u\" y=\"62\" width=\"9\" height=\"9\" fill=\"%s\"/>"
			"<text x=\"%u\" y=\"70\">%s</text>\n", 4 + 140 * i,
			i < SFS_PIC_KINDS ? sfs_pic_kinds[i].colour : "#eee", 16 + 140 * i,
			i < SFS_PIC_KINDS ? sfs_pic_kinds[i].text : "free");
}

static int sfs_pic_write(struct sfs_picture *p)
{
	u32 nrows = (p->ncells + SFS_PIC_COLUMNS - 1) / SFS_PIC_COLUMNS;
	unsigned int below = SFS_PIC_TOP + nrows * SFS_PIC_H + 24;
	u32 row;

	sfs_pic_head(p, below + 90);
	for (row = 0; row < nrows; row++)
		sfs_pic_draw_row(p, row);
	sfs_pic_charts(p, below);
	fputs("</svg>\n", p->out);
	return fflush(p->out) || ferror(p->out) ? -EIO : 0;
}

int sfs_picture(struct sfs_fs *fs, const char *path)
{
	u64 ngroups = sfs_groups_ready(fs);
	struct sfs_picture p = { .fs = fs };
	u64 group;
	int err;

	p.nblks = min(fs->f_blocks, ngroups * SFS_GROUP_BLOCKS);
	while ((p.nblks - 1) >> p.shift >= SFS_PIC_CELLS)
		p.shift++;
	p.ncells = ((p.nblks - 1) >> p.shift) + 1;
	p.cells = calloc(p.ncells, sizeof(*p.cells));
	if (!p.cells)
		return -ENOMEM;
	for (group = 0; group < ngroups; group++) {
		sfs_progress(1, "groups", group, ngroups);
		sfs_pic_group(&p, group);
	}
	sfs_progress_clear();
	p.out = fopen(path, "we");
	err = p.out ? sfs_pic_write(&p) : -errno;
	if (p.out && fclose(p.out) && !err)
		err = -EIO;
	if (err)
		sfs_warn("%s: the picture cannot be written: %s", path, strerror(-err));
	free(p.cells);
	return err ? -EIO : p.err;
}
