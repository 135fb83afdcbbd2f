// SPDX-License-Identifier: GPL-2.0-only
/*
 * source_tar.c - mkfs -d from a tar archive, by libarchive, compressed or not.
 */
#include <archive.h>
#include <archive_entry.h>
#include <linux/fs.h>

#include "attrs.h"
#include "tar_acl.h"

struct sfs_source_tar {
	struct sfs_source source;	/* first, so that one is the other */
	struct archive *archive;
	const char *path;
	struct sfs_attrs attrs;
};

/* libarchive does not always have a reason. */
static const char *sfs_tar_error(const struct sfs_source_tar *tar)
{
	const char *why = archive_error_string(tar->archive);

	return why ? why : "more should follow";
}

/* The part of a path that is inside the volume. */
static const char *sfs_inner_path(const char *path)
{
	while (path && (*path == '/' || (path[0] == '.' && (path[1] == '/' || !path[1]))))
		path++;
	return path;
}

/*
 * Extended attributes, access control lists, flags.  What is wrong with the words of a list, of
 * which libarchive leaves out the entry, is in its last message alone.
 */
static int sfs_tar_attrs(struct sfs_source_tar *tar, struct archive_entry *from,
			 struct sfs_entry *entry)
{
	const char *message = archive_error_string(tar->archive);
	unsigned long set, clear;
	const char *name;
	const void *value;
	size_t nbytes;
	int err = 0;

	if (message && (strstr(message, "SCHILY.acl.") || strstr(message, "Solaris ACL"))) {
		sfs_warn("%s: its access control list cannot be read: %s", entry->name, message);
		return -EINVAL;
	}
	archive_entry_xattr_reset(from);
	while (!err && !archive_entry_xattr_next(from, &name, &value, &nbytes))
		err = sfs_attrs_add(&tar->attrs, entry, name, value, nbytes);
	if (!err)
		err = sfs_tar_acls(from, entry, &tar->attrs);
	archive_entry_fflags(from, &set, &clear);
	if (set & (FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL))
		entry->lost |= 1 << SFS_LOST_FLAG;
	sfs_attrs_give(&tar->attrs, entry);
	return err;
}

/* An archive can say what struct stat has no room for; -1 is nobody. */
static bool sfs_is_owner(la_int64_t id)
{
	return id >= 0 && id < (u32)-1;
}

static int sfs_tar_next(struct sfs_source *s, struct sfs_entry *ret_entry)
{
	struct sfs_source_tar *tar = (struct sfs_source_tar *)s;
	struct archive_entry *entry;
	const char *why;
	int status;
	int err = 0;

	sfs_attrs_clear(&tar->attrs);
	do {
		status = archive_read_next_header(tar->archive, &entry);
	} while (status == ARCHIVE_RETRY);
	if (status == ARCHIVE_EOF)
		return 0;
	if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
		why = sfs_tar_error(tar);
		/* Attributes of a file that are more than libarchive takes. */
		sfs_warn("%s: %s: %s", tar->path, strstr(why, "too large") ?
			 "cannot be read" : "is damaged", why);
		return -EIO;
	}
	*ret_entry = (struct sfs_entry) { .name = archive_entry_pathname(entry) };
	if (!ret_entry->name) {
		sfs_warn("%s: holds a name that cannot be read", tar->path);
		return -EILSEQ;
	}
	if (!sfs_is_owner(archive_entry_uid(entry)) || !sfs_is_owner(archive_entry_gid(entry))) {
		sfs_warn("%s: has an owner or a group that no file can have", ret_entry->name);
		return -EOVERFLOW;
	}
	ret_entry->path = sfs_inner_path(ret_entry->name);
	ret_entry->link = sfs_inner_path(archive_entry_hardlink(entry));
	ret_entry->target = archive_entry_symlink(entry);
	ret_entry->st = *archive_entry_stat(entry);
	/* Those of a file come with its first name. */
	if (!ret_entry->link)
		err = sfs_tar_attrs(tar, entry, ret_entry);
	return err ? err : 1;
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
			 sfs_tar_error(tar));
		return -EIO;
	}
	*ret_pos = pos;
	return 1;
}

static void sfs_tar_close(struct sfs_source *s)
{
	struct sfs_source_tar *tar = (struct sfs_source_tar *)s;

	archive_read_free(tar->archive);
	sfs_attrs_free(&tar->attrs);
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
			 sfs_tar_error(tar));
		sfs_tar_close(&tar->source);
		return -EINVAL;
	}
	*ret_source = &tar->source;
	return 0;
}
