// SPDX-License-Identifier: GPL-2.0-only
/*
 * simplefs_id.c - simplefs_id: says to udev whether a device carries a simplefs, and which.
 *
 * One block is read, and nothing is said of it unless its checksum is right and the volume fits on
 * its device: udev runs this on every block device that no other prober knew. A volume of a future
 * kind, with features unknown here, still has a name, so that nobody takes its device for empty;
 * only its sizes are left out. Labels come from strangers: libblkid's encoders make them fit for a
 * property, which ends at a newline, and for the name of a link, which must not leave its folder.
 */
#include <blkid/blkid.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib.h"

enum {
	SFS_ID_MATCH = 0,
	SFS_ID_OTHER = 1,		/* not ours, or not to be read */
	SFS_ID_USAGE = 2,
};

struct sfs_id {
	bool export;
	u8 block[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	u64 nblks;			/* of the device */
};

static void sfs_say_text(const char *key, const char *value)
{
	char text[SFS_LABEL_MAX * 4 + 1];	/* a byte becomes \xNN at most */
	const char *quote;

	if (!*value)
		return;
	/* A value that begins with a quote would lose it, or be refused. */
	if (!blkid_safe_string(value, text, sizeof(text))) {
		quote = *text == '"' || *text == '\'' ? "\"" : "";
		printf("%s=%s%s%s\n", key, quote, text, quote);
	}
	if (!blkid_encode_string(value, text, sizeof(text)))
		printf("%s_ENC=%s\n", key, text);
}

static void sfs_say_uuid(const u8 uuid[16])
{
	char text[37];
	unsigned int n = 0;
	unsigned int i;
	u8 any = 0;

	for (i = 0; i < 16; i++) {
		any |= uuid[i];
		n += sprintf(text + n, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
			     uuid[i]);
	}
	if (any)
		sfs_say_text("ID_FS_UUID", text);
}

static bool sfs_id_super(const struct sfs_id *id)
{
	const struct sfs_super_disk *sup = (const struct sfs_super_disk *)id->block;
	struct sfs_fs fs = { 0 };

	if (!sfs_super_probe(id->block) ||
	    sfs_head_verify(id->block, le32_to_cpu(sup->s_head.h_fsid), 0) ||
	    le64_to_cpu(sup->s_blocks) > id->nblks)
		return false;
	if (!id->export)
		return true;
	sfs_super_decode(&fs, id->block);
	printf("ID_FS_TYPE=simplefs\n"
	       "ID_FS_USAGE=filesystem\n"
	       "ID_FS_VERSION=%u\n", le32_to_cpu(sup->s_version));
	sfs_say_uuid(fs.f_uuid);
	sfs_say_text("ID_FS_LABEL", (const char *)fs.f_label);
	if (sfs_super_verify_fields(sup, id->nblks))
		return true;
	printf("ID_FS_BLOCKSIZE=%u\n"
	       "ID_FS_LASTBLOCK=%llu\n"
	       "ID_FS_SIZE=%llu\n",
	       (unsigned int)SFS_BLOCK_SIZE, (unsigned long long)fs.f_blocks,
	       (unsigned long long)sfs_zones_fresh(&fs, 0) << SFS_BLOCK_BITS);
	return true;
}

/* The device of an external journal: nobody mounts it, but it is taken, and it has a UUID. */
static bool sfs_id_journal(const struct sfs_id *id)
{
	const struct sfs_journal_dev_disk *dev = (const struct sfs_journal_dev_disk *)id->block;
	struct sfs_fs fs = { .f_fsid = le32_to_cpu(dev->j_head.h_fsid) };

	if (sfs_block_verify(&fs, &sfs_journal_dev_ops, id->block, 0) ||
	    le64_to_cpu(dev->j_blocks) > id->nblks)
		return false;
	if (!id->export)
		return true;
	printf("ID_FS_TYPE=simplefs_journal\n"
	       "ID_FS_USAGE=other\n");
	sfs_say_uuid(dev->j_uuid);
	return true;
}

static bool sfs_id_read(struct sfs_id *id, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t nbytes = -1;
	off_t end;

	if (fd < 0)
		return false;
	end = lseek(fd, 0, SEEK_END);
	if (end > 0)
		nbytes = pread(fd, id->block, sizeof(id->block), 0);
	close(fd);
	id->nblks = end >> SFS_BLOCK_BITS;
	return nbytes == sizeof(id->block);
}

int main(int argc, char **argv)
{
	struct sfs_id id = { 0 };

	sfs_program = "simplefs_id";
	id.export = argc == 3 && !strcmp(argv[1], "--export");
	if (argc != 2 + id.export || argv[argc - 1][0] == '-') {
		fprintf(stderr, "usage: simplefs_id [--export] DEVICE\n");
		return SFS_ID_USAGE;
	}
	if (!sfs_id_read(&id, argv[argc - 1]))
		return SFS_ID_OTHER;
	if (!sfs_id_super(&id) && !sfs_id_journal(&id))
		return SFS_ID_OTHER;
	return fflush(stdout) ? SFS_ID_OTHER : SFS_ID_MATCH;
}
