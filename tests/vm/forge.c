// SPDX-License-Identifier: GPL-2.0-only
/*
 * forge.c - file handles that are made up, and those of files that come and go meanwhile.
 *
 * usage: forge numbers|race DIR
 */
#include <pthread.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "handle.h"

/* ---- made up ---- */

static unsigned long seed = 1;

static unsigned long lot(void)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return seed >> 16;
}

/* Opens @n handles with numbers that @next makes; @real is one that is true. */
static unsigned int forge(struct handle *real, unsigned long n,
			  unsigned long (*next)(unsigned long), unsigned int generation)
{
	unsigned int bad = 0;
	struct handle h = *real;
	unsigned long i;
	int err;

	meant(&h)->generation = generation;
	for (i = 0; i < n; i++) {
		set_ino(&h, next(i));
		err = look(&h);
		if (err == -ESTALE || (!err && ino_of(&h) == ino_of(real) &&
				       generation == meant(real)->generation))
			continue;
		if (!bad++)
			printf("# inode %lu, generation %u: %d\n", ino_of(&h), generation, err);
	}
	return bad;
}

static unsigned long each(unsigned long i)
{
	return i;
}

static unsigned long each_block(unsigned long i)
{
	return i << 3 | i % 8;
}

static unsigned long powers(unsigned long i)
{
	return (1UL << i / 3) + i % 3 - 1;
}

static unsigned long zones(unsigned long i)
{
	return (i / 300 * 1032192 + i % 300) << 3;
}

static unsigned long far(unsigned long i)
{
	return lot() << (i % 16);
}

/* Handles of other lengths and types, and of any bytes. */
static unsigned int noise(struct handle *real)
{
	static const unsigned int types[] = { 0, 1, 2, 3, 0x80, PLAIN, CONNECTABLE, 0x83, 0xfe,
					      0xff, CONNECTABLE | USER_FLAG };
	unsigned int i, k, type, bad = 0;
	struct handle h;
	int err;

	for (i = 0; i < 20000; i++) {
		h = *real;
		type = types[lot() % (sizeof(types) / sizeof(types[0]))];
		h.fh.handle_type = type;
		h.fh.handle_bytes = 4 * (lot() % 8);
		for (k = 0; k < lot() % 8; k++)
			h.fh.f_handle[lot() % 28] = lot();
		err = look(&h);
		/* An empty one is none, and not all kernels know flags of a type. */
		if (err == -ESTALE || (err == -EINVAL && (!h.fh.handle_bytes || type > 0xff)))
			continue;
		if (!err && h.fh.handle_bytes >= 12 &&
		    !memcmp(h.fh.f_handle, real->fh.f_handle, 12))
			continue;
		if (!bad++)
			printf("# %u bytes of type %x: %d\n", h.fh.handle_bytes, type, err);
	}
	return bad;
}

static void forged(void)
{
	unsigned int before = said(), i, bad = 0;
	struct handle real, root, h;
	struct statfs st;

	TAP_REQUIRE(!mkdir(at("forged"), 0755) && !statfs(dir, &st), "made");
	for (i = 0; i < 50; i++) {
		char name[32];

		snprintf(name, sizeof(name), "forged/%u", i);
		make(at(name));
	}
	get(at("forged/7"), &real);
	get(dir, &root);
	sync();
	TAP_EQ(forge(&real, 12000, each, meant(&real)->generation), 0, "the first numbers");
	TAP_EQ(forge(&real, 12000, each, 0), 0, "without a generation");
	TAP_EQ(forge(&real, st.f_blocks + 3000, each_block, meant(&real)->generation), 0,
	       "a slot of each block");
	drop_caches();
	TAP_EQ(forge(&real, st.f_blocks + 3000, each_block, meant(&root)->generation + 1), 0,
	       "and with nothing in memory");
	TAP_EQ(forge(&real, 192, powers, 0), 0, "powers of two, and their neighbours");
	TAP_EQ(forge(&real, 3000, zones, 0), 0, "heads of zones");
	TAP_EQ(forge(&real, 20000, far, 0), 0, "numbers by lot");
	TAP_EQ(noise(&real), 0, "bytes by lot");
	for (i = 0; i < 2000; i++) {
		h = real;
		meant(&h)->generation += 1 + lot() % 0xfffffffe;
		bad += look(&h) != -ESTALE;
	}
	TAP_EQ(bad, 0, "other generations of a file");
	TAP_EQ(look(&real), 0, "which is there");
	TAP_EQ(said(), before, "of none of this a word is said");
	make(at("forged/after"));
	TAP_EQ(access(at("forged/after"), F_OK), 0, "and the volume can still be written");
}

/* ---- races ---- */

#define RACERS	2
#define ROUNDS	1500

static struct handle known[RACERS][16];
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;
static volatile bool over;
static unsigned int opened, stale, wrong;

static void *create(void *arg)
{
	unsigned long me = (unsigned long)arg, i;
	char path[512];
	struct handle h;
	int fd;

	for (i = 0; i < ROUNDS; i++) {
		snprintf(path, sizeof(path), "%s/race%lu/%lu", dir, me, i % 16);
		unlink(path);
		fd = i % 7 ? open(path, O_WRONLY | O_CREAT | O_EXCL, 0644) : -!!symlink("to", path);
		if (get_as(path, &h, 0)) {
			printf("# %s has no handle\n", path);
			wrong++;
		}
		if (fd > 0)
			close(fd);
		pthread_mutex_lock(&known_lock);
		known[me][i % 16] = h;
		pthread_mutex_unlock(&known_lock);
	}
	return NULL;
}

/* What nobody uses leaves memory. */
static void forget(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (fd < 0 || write(fd, "2", 1) != 1 || close(fd))
		wrong++;
}

/* What creators have and had, and the slots beside it that they are about to take. */
static void *open_known(void *arg)
{
	unsigned long mine = (unsigned long)arg, n;
	unsigned int open_here = 0, stale_here = 0, wrong_here = 0;
	struct handle h;
	int err;

	for (n = 0; !over; n++) {
		unsigned long pick = n * 7 + mine;

		pthread_mutex_lock(&known_lock);
		h = known[pick % RACERS][pick / 2 % 16];
		pthread_mutex_unlock(&known_lock);
		if (!h.fh.handle_bytes)
			continue;
		if (n % 512 == mine * 256)
			forget();
		if (n % 3)
			set_ino(&h, ino_of(&h) ^ n / 3 % 8);
		err = look(&h);
		open_here += !err;
		stale_here += err == -ESTALE;
		if (err && err != -ESTALE && !wrong_here++)
			printf("# opened: %d\n", err);
	}
	pthread_mutex_lock(&known_lock);
	opened += open_here;
	stale += stale_here;
	wrong += wrong_here;
	pthread_mutex_unlock(&known_lock);
	return NULL;
}

static void race(void)
{
	pthread_t creators[RACERS], openers[RACERS];
	unsigned int before = said();
	unsigned long i;
	char path[512];

	for (i = 0; i < RACERS; i++) {
		snprintf(path, sizeof(path), "%s/race%lu", dir, i);
		TAP_REQUIRE(!mkdir(path, 0755), "made");
	}
	for (i = 0; i < RACERS; i++)
		TAP_REQUIRE(!pthread_create(&creators[i], NULL, create, (void *)i) &&
			    !pthread_create(&openers[i], NULL, open_known, (void *)i), "threads");
	for (i = 0; i < RACERS; i++)
		pthread_join(creators[i], NULL);
	over = true;
	for (i = 0; i < RACERS; i++)
		pthread_join(openers[i], NULL);
	TAP_EQ(wrong, 0, "while files come and go, a handle opens one or is stale");
	TAP_OK(opened > 100 && stale > 100, "both are seen (%u, %u)", opened, stale);
	TAP_EQ(said(), before, "of none of this a word is said");
}

int main(int argc, char **argv)
{
	const char *what = begin(argc, argv);

	if (!strcmp(what, "numbers"))
		forged();
	else if (!strcmp(what, "race"))
		race();
	return tap_done();
}
