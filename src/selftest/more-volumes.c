// SPDX-License-Identifier: GPL-2.0-only
/*
 * more-volumes.c - the other ways to begin and end a mount: after a crash, with the journal
 * elsewhere or nowhere, and not at all.
 *
 * A crash is a copy of the image taken while it is mounted and at rest: what a plug pulled then
 * would have left.  What must be refused is made from good images by damaging one block.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib.h"
#include "selftest.h"
#include "steps.h"

/* Something of everything on a fresh volume, and whole after a remount. */
static void sfs_use_volume(struct sfs_volume *v)
{
	char name[32];
	bool good = true;
	int i;

	if (!sfs_volume_mount(v, 0, NULL))
		return;
	for (i = 0; i < 60 && good; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		good = WANT(sfs_pattern_file(name, i, 1000 * i, i % 16 == 0));
	}
	WANT(!mkdir("dir", 0755) && !rename("file-1", "dir/file-1") && !unlink("file-2"));
	WANT(!symlink("dir/file-1", "link") && !truncate("file-50", 5000));
	WANT(sfs_sync_here());
	if (!sfs_volume_unmount(v) || !sfs_volume_check(v) || !sfs_volume_mount(v, 0, NULL))
		return;
	WANT(sfs_pattern_is("link", 1, 1000) && sfs_pattern_is("file-59", 59, 59000));
	sfs_volume_unmount(v);
}

void sfs_step_journal_none(struct sfs_worker *w)
{
	struct sfs_volume v;

	sfs_volume_name(w, "plain", &v);
	if (sfs_volume_make(&v, SFS_JOURNAL_NONE))
		sfs_use_volume(&v);
	if (v.v_mounted)
		sfs_volume_unmount(&v);
	sfs_volume_detach(&v);
}

/* Fails with @error, or any when that is 0; never mounts. */
static void sfs_expect_refusal(struct sfs_volume *v, unsigned long flags, const char *data,
			       int error)
{
	char text[128];

	if (mkdir(v->v_mnt, 0700) && !WANT(errno == EEXIST))
		return;
	if (mount(v->v_dev, v->v_mnt, SFS_MODULE, flags, data)) {
		if (!error || errno == error)
			return;
		snprintf(text, sizeof(text), "mount -o %s: %s, expected: %s", data,
			 strerror(errno), strerror(error));
	} else {
		v->v_mounted = true;
		snprintf(text, sizeof(text), "mount -o %s: done, though it must not be", data);
	}
	sfs_refuse(text);
}

void sfs_step_journal_outside(struct sfs_worker *w)
{
	struct sfs_volume v;
	char data[64];

	sfs_volume_name(w, "split", &v);
	if (sfs_volume_make(&v, SFS_JOURNAL_OUTSIDE))
		sfs_use_volume(&v);
	if (sfs_volume_attach(&v)) {
		sfs_expect_refusal(&v, 0, "", EINVAL);
		/* Below /dev, where no name is remembered for its absence: on most other
		 * filesystems the kernel would keep a dentry, and that is not the module's. */
		sfs_expect_refusal(&v, 0, "journal_path=/dev/simplefs-nowhere", ENOENT);
		/* A device, but without a journal: the volume's own is taken. */
		snprintf(data, sizeof(data), "journal_path=%s", v.v_dev);
		sfs_expect_refusal(&v, 0, data, 0);
	}
	if (v.v_mounted)
		sfs_volume_unmount(&v);
	sfs_volume_detach(&v);
}

/* What a crash leaves: a synced file, and an unlinked one that is still open. */
static bool sfs_crash(struct sfs_worker *w, struct sfs_volume *copy)
{
	int gone = open("gone", O_RDWR | O_CREAT, 0644);
	bool good;

	good = WANT(gone >= 0 && sfs_pattern_write(gone, 20, 300000) && !fsync(gone)) &&
	       WANT(!unlink("gone") && sfs_pattern_file("safe", 21, 123456, true)) &&
	       sfs_volume_copy(&w->w_volume, copy->v_image);
	close(gone);
	return good;
}

void sfs_step_recovery(struct sfs_worker *w)
{
	struct sfs_volume v;

	sfs_volume_name(w, "copy", &v);
	v.v_log[0] = '\0';
	if (!sfs_crash(w, &v))
		return;
	/* As it lies there: nothing may be written. */
	if (sfs_volume_mount(&v, MS_RDONLY, "norecovery"))
		sfs_volume_unmount(&v);
	if (sfs_volume_mount(&v, 0, NULL)) {
		WANT(sfs_pattern_is("safe", 21, 123456));
		FAILS(access("gone", F_OK), ENOENT);
		WANT(sfs_pattern_file("new", 22, 50000, true));
		sfs_volume_unmount(&v);
		sfs_volume_check(&v);
	}
	if (v.v_mounted)
		sfs_volume_unmount(&v);
	sfs_volume_detach(&v);
	WANT(!chdir(w->w_volume.v_mnt));
}

/*
 * Block @blk becomes noise, through the device: what an earlier mount has read and found good must
 * not be believed.
 */
static bool sfs_damage(const struct sfs_volume *v, u64 blk)
{
	unsigned char noise[64];
	int fd = open(v->v_dev, O_WRONLY | O_CLOEXEC);
	bool good;

	memset(noise, 0xa5, sizeof(noise));
	/* Past the head: what that says of the block's kind and place stays true. */
	good = WANT(fd >= 0 && pwrite(fd, noise, sizeof(noise), blk * SFS_BLOCK_SIZE + 32) ==
			       sizeof(noise));
	if (fd >= 0)
		close(fd);
	return good;
}

static void sfs_refuse_damaged(const struct sfs_worker *w, struct sfs_volume *v, u64 blk)
{
	if (sfs_volume_copy(&w->w_volume, v->v_image) && sfs_volume_mount(v, 0, NULL) &&
	    sfs_volume_unmount(v) && sfs_damage(v, blk)) {
		sfs_expect_refusal(v, 0, "errors=continue", 0);
		sfs_expect_refusal(v, MS_RDONLY, "errors=continue", 0);
	}
	sfs_volume_detach(v);
}

static bool sfs_read_fs(const struct sfs_volume *v, struct sfs_fs *fs)
{
	static unsigned char super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	int fd = open(v->v_image, O_RDONLY | O_CLOEXEC);
	bool good = WANT(fd >= 0 && pread(fd, super, sizeof(super), 0) == sizeof(super));

	if (fd >= 0)
		close(fd);
	if (good)
		sfs_super_decode(fs, super);
	return good;
}

void sfs_step_refused(struct sfs_worker *w)
{
	static const struct {
		unsigned long flags;
		const char *data;
	} options[] = {
		{ 0, "no-such-option" }, { 0, "errors=perhaps" }, { 0, "norecovery" },
		{ 0, "journal_path=/a,journal_path=/b,errors=never" },
	};
	struct sfs_fs fs = { 0 };
	struct sfs_volume v;
	size_t i;

	sfs_volume_name(w, "bad", &v);
	v.v_log[0] = '\0';
	if (!sfs_read_fs(&w->w_volume, &fs))
		return;
	sfs_refuse_damaged(w, &v, 0);
	sfs_refuse_damaged(w, &v, sfs_ino_blk(fs.f_root));
	if (sfs_volume_copy(&w->w_volume, v.v_image) && sfs_volume_attach(&v)) {
		for (i = 0; i < sizeof(options) / sizeof(*options); i++)
			sfs_expect_refusal(&v, options[i].flags, options[i].data, EINVAL);
	}
	sfs_volume_detach(&v);
	/* Nothing at all is there. */
	if (WANT(!truncate(v.v_image, 0) && !truncate(v.v_image, 2 << 20)) && sfs_volume_attach(&v))
		sfs_expect_refusal(&v, 0, "", EINVAL);
	if (v.v_mounted)
		sfs_volume_unmount(&v);
	sfs_volume_detach(&v);
}
