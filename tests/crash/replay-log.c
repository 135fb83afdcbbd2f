// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay-log.c - tries every crash that the record of a machine's disks allows.
 *
 * usage: replay-log [options] RECORD SEED COUNT VOLUME [LOGDEVICE]
 *   -e N      crash after every Nth write or flush only (1)
 *   -r N      random subsets of what no flush has covered, at each (2)
 *   -f        the disks lie: a flush covers nothing
 *   -n        there is no journal: a crash may leave anything, and nobody may fall over it
 *   -w DIR:N  write N of the images to DIR, for others to mount
 *   -k DIR    keep the images of the first crash that shows something wrong
 *   -m        RECORD is the device of marks alone: what is judged is the volume as it is
 *   -c N      the record is of a crowd of N; crashes begin when all of them have
 *   -z N      it is of a volume of several zones, with N pieces of land (wide.h); of each random
 *             crash block 0 is also lost, and a copy takes its place
 *
 * The images given are the disks before the machine started.  A disk holds for sure what a flush
 * has covered; of the writes since, a crash leaves any: all, none, one, all but one, a random half,
 * one of them torn between two sectors.  Each such image is replayed and checked as fsck would do
 * it, in memory; then its names must be those after some operation that is not older than the last
 * promise, and each byte of each file must be one that was promised or that was written since
 * (model.h).
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "judge.h"
#include "nbd-log.h"

#define DISKS		2		/* and a third that holds the marks */
#define SHOW_MAX	20

enum variant { V_ALL, V_NONE, V_ONE, V_BUT_ONE, V_TORN, V_RANDOM };
static const char *const variant_names[] = { "all", "none", "one", "all but one", "torn", "random" };

struct disk {
	u8 *safe;			/* what flushes have covered */
	u8 *work;			/* what a crash leaves; the same between two crashes */
	size_t nbytes;
	char path[32];			/* of work */
	const struct nbd_log_entry **pending;
	size_t npending;
};

static struct disk disk[DISKS];
static int disks;
static int count;
static bool no_journal, lying, marks_only;
static const char *keep_dir, *write_dir;
static int want_images, made_images;

static u64 random_state = 1;
static size_t crashes, bad, points;
static size_t tried[V_RANDOM + 1];
static size_t behind, lost;		/* crashes with copies of former labels; without block 0 */

static u32 random_below(u32 below)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(((random_state >> 32) * below) >> 32);
}

static void hear(const char *text)
{
	wrong("%s", text);
}

/* ---- one image ---- */

/* Block 0 is what a copy says, as fsck would have it; false: none says anything. */
static bool lose_super(struct sfs_dev *dev)
{
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	u64 blk;

	lost++;
	return !sfs_copies_find(dev, super, &blk) && !sfs_dev_put(dev, 0, super);
}

static void check_volume(struct sfs_dev *dev, struct sfs_dev *log_dev, bool lose)
{
	u8 super[SFS_BLOCK_SIZE] __attribute__((aligned(8)));
	struct sfs_fs fs = { .f_priv = dev };
	struct sfs_replay replay;
	const char *why;
	unsigned int nbehind = 0;
	long result = 0;

	if (lose && !lose_super(dev))
		return wrong("no copy of the superblock takes its place");
	if (sfs_dev_read(dev, 0, super))
		return wrong("the superblock cannot be read");
	why = sfs_super_verify(super, sfs_dev_nblks(dev));
	if (why)
		return wrong("superblock: %s", why);
	sfs_super_decode(&fs, super);
	if (!(fs.f_state & SFS_STATE_CLEAN) && !no_journal)
		result = sfs_log_replay(&fs, log_dev, &replay);
	if (!result)
		result = sfs_fs_init(&fs);
	if (!result) {
		result = sfs_check(&fs);
		judge_names(&fs);
		if (models[0]->wide.pieces)
			judge_labels(&fs, &nbehind);
		behind += nbehind != 0;
	}
	if (result)
		wrong("check: %ld", result);
	sfs_fs_exit(&fs);
}

/* ---- one crash ---- */

/* The volume may be far larger than what is in it. */
static bool write_data(int fd, const struct disk *d)
{
	int work = open(d->path, O_RDONLY);
	off_t at = 0, end;
	bool good = work >= 0;

	while (good && (at = lseek(work, at, SEEK_DATA)) >= 0 &&
	       (end = lseek(work, at, SEEK_HOLE)) >= 0) {
		for (; good && at < end; at += SFS_BLOCK_SIZE)
			good = pwrite(fd, d->work + at, SFS_BLOCK_SIZE, at) == SFS_BLOCK_SIZE;
	}
	close(work);
	return good;
}

static void write_image(const char *dir, const char *name, int n)
{
	char path[512];
	int i;

	for (i = 0; i < disks; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s-%d.%d", dir, name, n, i);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (fd < 0 || ftruncate(fd, disk[i].nbytes) || !write_data(fd, &disk[i]) ||
		    close(fd)) {
			perror(path);
			exit(2);
		}
	}
}

static void check_disks(bool lose)
{
	struct sfs_dev *dev, *log_dev = NULL;

	if (sfs_dev_open(disk[0].path, false, &dev) ||
	    (disks > 1 && sfs_dev_open(disk[1].path, false, &log_dev))) {
		perror("open");
		exit(2);
	}
	check_volume(dev, log_dev, lose);
	sfs_dev_close(log_dev);
	sfs_dev_close(dev);
}

static void crash(size_t entry, enum variant v)
{
	int i;

	said[0] = '\0';
	check_disks(false);
	if (!said[0] && v == V_RANDOM && models[0]->wide.pieces)
		check_disks(true);
	crashes++;
	tried[v]++;
	if (!said[0] || no_journal)
		return;
	if (bad++ < SHOW_MAX) {
		printf("# entry %zu, %s, after operation", entry, variant_names[v]);
		for (i = 0; i < nmodels; i++)
			printf("%s %d (%s)", i ? "," : "", models[i]->done,
			       models[i]->done > models[i]->floor ? "not promised" : "promised");
		printf(": %s\n", said);
	}
	if (keep_dir && bad == 1)
		write_image(keep_dir, "bad", entry);
}

/* @nbytes of @e from @from on, to the disk as the crash leaves it. */
static void apply(u8 *to, const struct nbd_log_entry *e, size_t from, size_t nbytes)
{
	memcpy(to + e->offset + from, (const u8 *)(e + 1) + from, nbytes);
}

static bool survives(enum variant v, bool chosen)
{
	switch (v) {
	case V_ALL:
	case V_TORN:
		return true;
	case V_NONE:
		return false;
	case V_ONE:
		return chosen;
	case V_BUT_ONE:
		return !chosen;
	default:
		return random_below(2);
	}
}

static void leave(enum variant v)
{
	size_t total = disk[0].npending + disk[1].npending;
	size_t chosen = total ? random_below(total) : 0;
	size_t n, at = 0;
	int i;

	for (i = 0; i < disks; i++)
		for (n = 0; n < disk[i].npending; n++, at++) {
			const struct nbd_log_entry *e = disk[i].pending[n];
			size_t cut = e->nbytes;

			if (!survives(v, at == chosen))
				continue;
			if (v == V_TORN && at == chosen)
				cut = random_below(e->nbytes / SECTOR) * SECTOR;
			if (cut == e->nbytes || random_below(2))
				apply(disk[i].work, e, 0, cut);
			else
				apply(disk[i].work, e, cut, e->nbytes - cut);
		}
}

static void restore(void)
{
	size_t n;
	int i;

	for (i = 0; i < disks; i++)
		for (n = 0; n < disk[i].npending; n++) {
			const struct nbd_log_entry *e = disk[i].pending[n];

			memcpy(disk[i].work + e->offset, disk[i].safe + e->offset, e->nbytes);
		}
}

static void try_crashes(size_t entry, unsigned int randoms, bool image)
{
	size_t npending = disk[0].npending + disk[1].npending;
	/* With none pending, all crashes are one; with one, two. */
	unsigned int n = npending > 1 ? V_RANDOM + randoms : npending + 1;
	unsigned int v;

	points++;
	for (v = 0; v < n; v++) {
		enum variant kind = v < V_RANDOM ? v : V_RANDOM;

		leave(kind);
		crash(entry, kind);
		restore();
	}
	if (!image)
		return;
	leave(V_RANDOM);
	write_image(write_dir, "image", made_images++);
	restore();
}

/* ---- the record ---- */

/* A worker, as far as the record has been read. */
static struct hand {
	struct model_op op;
	bool begun;
	int *outcomes;			/* of each operation; read ahead */
	int others[CROWD_WORKERS];	/* a sync: what each had done when it began */
} hands[CROWD_WORKERS];

static int worker_of(const struct nbd_log_entry *e)
{
	int w = e->offset / MODEL_MARKS_BYTES;

	w -= models[0]->worker;
	if (w < 0 || w >= nmodels) {
		fprintf(stderr, "replay-log: a mark of nobody's\n");
		exit(2);
	}
	return w;
}

/* Before the record is gone through: what operations will have come to. */
static void note_outcome(const struct nbd_log_entry *e)
{
	struct hand *h = &hands[worker_of(e)];
	struct model_mark mark;
	int n;

	memcpy(&mark, e + 1, sizeof(mark));
	if (!h->outcomes) {
		h->outcomes = malloc((count + 2) * sizeof(*h->outcomes));
		for (n = 0; n < count + 2; n++)
			h->outcomes[n] = MODEL_UNKNOWN;
	}
	if (mark.n >= 0 && mark.n <= count)
		h->outcomes[mark.n] = mark.outcome;
}

static int operations_done(int w)
{
	return models[w]->done - (hands[w].begun && models[w]->done > MODEL_ROOT);
}

/* What others had done before a sync began is there, too. */
static void end_sync(const struct hand *h)
{
	int w;

	/* Marks alone do not tell who was when how far. */
	for (w = 0; w < nmodels && !marks_only; w++)
		if (h->others[w] > models[w]->floor)
			models[w]->floor = h->others[w];
}

static void take_mark(const struct nbd_log_entry *e)
{
	int w = worker_of(e), i;
	struct hand *h = &hands[w];
	struct model *m = models[w];
	struct model_mark mark;

	memcpy(&mark, e + 1, sizeof(mark));
	if (h->begun) {
		model_end(m, &h->op, h->outcomes[m->done]);
		if (h->op.kind == OP_SYNC)
			end_sync(h);
	}
	if (m->done != mark.n) {
		fprintf(stderr, "replay-log: mark %d where %d is due\n", mark.n, m->done);
		exit(2);
	}
	h->begun = mark.n < count;
	if (h->begun) {
		model_choose(m, &h->op);
		model_begin(m, &h->op, h->outcomes[m->done + 1]);
		for (i = 0; i < nmodels; i++)
			h->others[i] = operations_done(i);
	}
}

/* Alone, before the first mark too: the mount. */
static bool all_have_begun(void)
{
	int w;

	for (w = 0; w < nmodels && (hands[w].begun || models[w]->done > MODEL_ROOT); w++)
		;
	return w == nmodels || !models[0]->worker;
}

static void take_entry(const struct nbd_log_entry *e)
{
	struct disk *d = &disk[e->disk];
	size_t n;

	if (e->kind == NBD_LOG_WRITE) {
		if (!(d->npending & (d->npending - 1)))
			d->pending = realloc(d->pending, (2 * d->npending + 1) *
					     sizeof(*d->pending));
		d->pending[d->npending++] = e;
		return;
	}
	for (n = 0; n < d->npending && !lying; n++) {
		apply(d->safe, d->pending[n], 0, d->pending[n]->nbytes);
		apply(d->work, d->pending[n], 0, d->pending[n]->nbytes);
	}
	if (!lying)
		d->npending = 0;
}

static void read_record(const u8 *record, size_t nbytes, size_t every, unsigned int randoms)
{
	const struct nbd_log_entry *e;
	size_t at = 0, entry = 0, images = 0;
	size_t total = 0;

	for (at = 0; at + sizeof(*e) <= nbytes; at += sizeof(*e) + e->nbytes, total++) {
		e = (const struct nbd_log_entry *)(record + at);
		if (e->disk == DISKS && e->kind == NBD_LOG_WRITE)
			note_outcome(e);
	}
	for (at = 0; at + sizeof(*e) <= nbytes; at += sizeof(*e) + e->nbytes, entry++) {
		bool image = want_images && (entry + 1) * want_images / total > images;

		e = (const struct nbd_log_entry *)(record + at);
		if (e->magic != NBD_LOG_MAGIC || e->nbytes > nbytes - at - sizeof(*e)) {
			fprintf(stderr, "replay-log: the record is damaged at %zu\n", at);
			exit(2);
		}
		if (e->disk == DISKS && e->kind == NBD_LOG_WRITE)
			take_mark(e);
		else if (e->disk < disks)
			take_entry(e);
		if ((entry % every == 0 || image) && !marks_only && all_have_begun())
			try_crashes(entry, randoms, image);
		images += image;
	}
	/* In the end all of it is there, whether there was a journal or not. */
	no_journal = false;
	leave(V_ALL);
	crash(entry, V_ALL);
}

/* The same the other way. */
static void copy_data(int fd, u8 *to, const u8 *from)
{
	off_t at = 0, end;

	while ((at = lseek(fd, at, SEEK_DATA)) >= 0 && (end = lseek(fd, at, SEEK_HOLE)) >= 0) {
		memcpy(to + at, from + at, end - at);
		at = end;
	}
}

static void open_disk(const char *path)
{
	struct disk *d = &disk[disks++];
	struct stat st;
	int fd = open(path, O_RDONLY);
	int work = memfd_create("disk", 0);

	if (fd < 0 || fstat(fd, &st) || work < 0 || ftruncate(work, st.st_size)) {
		perror(path);
		exit(2);
	}
	d->nbytes = st.st_size;
	d->safe = mmap(NULL, d->nbytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
	d->work = mmap(NULL, d->nbytes, PROT_READ | PROT_WRITE, MAP_SHARED, work, 0);
	if (d->safe == MAP_FAILED || d->work == MAP_FAILED) {
		perror(path);
		exit(2);
	}
	copy_data(fd, d->work, d->safe);
	snprintf(d->path, sizeof(d->path), "/proc/self/fd/%d", work);
	close(fd);
}

static const u8 *open_record(const char *path, size_t *ret_nbytes)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	void *p;

	if (fd < 0 || fstat(fd, &st)) {
		perror(path);
		exit(2);
	}
	p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) {
		perror(path);
		exit(2);
	}
	*ret_nbytes = st.st_size;
	return p;
}

/* A record made of a device of marks. */
static const u8 *open_marks(const char *path, size_t *ret_nbytes)
{
	size_t each = sizeof(struct nbd_log_entry) + MODEL_MARK_BYTES;
	size_t device_nbytes, total = 0;
	const u8 *device = open_record(path, &device_nbytes);
	u8 *record = malloc(nmodels * (count + 1) * each);
	off_t pos;
	int i, n;

	for (i = 0; i < nmodels; i++)
		for (n = MODEL_ROOT; n <= count; n++) {
			pos = models[i]->worker * MODEL_MARKS_BYTES + n * MODEL_MARK_BYTES;
			if (pos + MODEL_MARK_BYTES > (off_t)device_nbytes ||
			    ((const struct model_mark *)(device + pos))->n != n)
				break;
			*(struct nbd_log_entry *)(record + total) = (struct nbd_log_entry) {
				NBD_LOG_MAGIC, DISKS, NBD_LOG_WRITE, pos, MODEL_MARK_BYTES,
			};
			memcpy(record + total + each - MODEL_MARK_BYTES, device + pos,
			       MODEL_MARK_BYTES);
			total += each;
		}
	*ret_nbytes = total;
	return record;
}

static void tell(void)
{
	int i;

	printf("# %zu points:", points);
	for (i = 0; i <= V_RANDOM; i++)
		printf(" %s %zu%s", variant_names[i], tried[i], i < V_RANDOM ? "," : "\n");
	if (models[0]->wide.pieces)
		printf("# %zu with copies of a former label, %zu without block 0\n", behind, lost);
	printf("%zu crashes, %zu bad\n", crashes, bad);
}

static void usage(void)
{
	fprintf(stderr, "usage: replay-log [-fmn] [-e N] [-r N] [-w DIR:N] [-k DIR] [-c N] [-z N] RECORD"
		" SEED COUNT VOLUME [LOGDEVICE]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	size_t every = 1, nbytes;
	unsigned int randoms = 2;
	const u8 *record;
	bool whole = true;
	int workers = 0, pieces = 0;
	int opt, i;

	while ((opt = getopt(argc, argv, "fmne:r:w:k:c:z:")) != -1) {
		switch (opt) {
		case 'f':
			lying = true;
			break;
		case 'm':
			marks_only = true;
			break;
		case 'n':
			no_journal = true;
			break;
		case 'e':
			every = atoi(optarg);
			break;
		case 'r':
			randoms = atoi(optarg);
			break;
		case 'w':
			write_dir = strsep(&optarg, ":");
			want_images = optarg ? atoi(optarg) : 1;
			break;
		case 'k':
			keep_dir = optarg;
			break;
		case 'c':
			workers = atoi(optarg);
			break;
		case 'z':
			pieces = atoi(optarg);
			break;
		default:
			usage();
		}
	}
	if (argc - optind < 4 || argc - optind > 3 + DISKS || !every ||
	    workers < 0 || workers > CROWD_WORKERS || pieces < 0 || pieces > WIDE_PIECES)
		usage();
	judge_start(atoi(argv[optind + 1]), workers, pieces);
	count = atoi(argv[optind + 2]);
	record = marks_only ? open_marks(argv[optind], &nbytes) :
			      open_record(argv[optind], &nbytes);
	for (i = optind + 3; i < argc; i++)
		open_disk(argv[i]);
	sfs_report = hear;
	read_record(record, nbytes, every, randoms);
	tell();
	for (i = 0; i < nmodels; i++)
		whole &= models[i]->done == count;
	return !whole && !marks_only ? 2 : bad ? 1 : 0;
}
