// SPDX-License-Identifier: GPL-2.0-only
/*
 * source_tar.c - mkfs -d from a tar archive, by libarchive, compressed or not.
 */
#include <archive.h>
#include <archive_entry.h>

#include "source.h"

struct sfs_source_tar {
	struct sfs_source source;	/* first, so that one is the other */
	struct archive *archive;
	const char *path;
};

/* The part of a path that is inside the volume. */
static const char *sfs_inner_path(const char *path)
{
	while (path && (*path == '/' || (path[0] == '.' && (path[1] == '/' || !path[1]))))
		path++;
	return path;
}

static int sfs_tar_next(struct sfs_source *s, struct sfs_entry *ret_entry)
{
	struct sfs_source_tar *tar = (struct sfs_source_tar *)s;
	struct archive_entry *entry;
	int status;

	do {
		status = archive_read_next_header(tar->archive, &entry);
	} while (status == ARCHIVE_RETRY);
	if (status == ARCHIVE_EOF)
		return 0;
	if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
		sfs_warn("%s: is damaged: %s", tar->path, archive_error_string(tar->archive));
		return -EIO;
	}
	ret_entry->name = archive_entry_pathname(entry);
	if (!ret_entry->name) {
		sfs_warn("%s: holds a name that cannot be read", tar->path);
		return -EILSEQ;
	}
	ret_entry->path = sfs_inner_path(ret_entry->name);
	ret_entry->link = sfs_inner_path(archive_entry_hardlink(entry));
	ret_entry->target = archive_entry_symlink(entry);
	ret_entry->st = *archive_entry_stat(entry);
	return 1;
}

static int sfs_tar_data(struct sfs_source *s, const void **ret_data, size_t *ret_nbytes,
			u64 *ret_pos)
{
	struct sfs_source_tar *tar = (struct sfs_source_tar *)s;
	la_int64_t pos;
	int status;

	status = archive_read_data_block(tar->archive, ret_data, ret_nbytes, &pos);
	if (status == ARCHIVE_EOF)
		return 0;
	if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
		sfs_warn("%s: ends within a file: %s", tar->path,
			 archive_error_string(tar->archive));
		return -EIO;
	}
	*ret_pos = pos;
	return 1;
}

static void sfs_tar_close(struct sfs_source *s)
{
	struct sfs_source_tar *tar = (struct sfs_source_tar *)s;

	archive_read_free(tar->archive);
	free(tar);
}

int sfs_source_tar_open(const char *path, struct sfs_source **ret_source)
{
	struct sfs_source_tar *tar = calloc(1, sizeof(*tar));

	if (!tar)
		return -ENOMEM;
	tar->source = (struct sfs_source) { sfs_tar_next, sfs_tar_data, sfs_tar_close };
	tar->path = path;
	tar->archive = archive_read_new();
	if (!tar->archive) {
		free(tar);
		return -ENOMEM;
	}
	archive_read_support_filter_all(tar->archive);
	archive_read_support_format_tar(tar->archive);
	if (archive_read_open_filename(tar->archive, path, 1 << 16)) {
		sfs_warn("%s: neither directory nor archive: %s", path,
			 archive_error_string(tar->archive));
		sfs_tar_close(&tar->source);
		return -EINVAL;
	}
	*ret_source = &tar->source;
	return 0;
}
