// SPDX-License-Identifier: GPL-2.0-only
/*
 * bits.c - bitmaps against an array of bools.
 *
 * usage: bits [SEED]
 */
#include "core.h"
#include "seed.h"

#define NBITS	1024
#define ROUNDS	200000

static bool model[NBITS];

static unsigned int model_next(unsigned int bit, unsigned int end, bool want)
{
	while (bit < end && model[bit] != want)
		bit++;
	return bit;
}

static unsigned int model_count(unsigned int bit, unsigned int end)
{
	unsigned int n = 0;

	for (; bit < end; bit++)
		n += model[bit];
	return n;
}

static void change(u8 *bits)
{
	unsigned int bit = ram_random(NBITS);
	unsigned int n = ram_random(ram_random(2) ? 10 : NBITS - bit + 1);
	bool set = ram_random(2);
	unsigned int i;

	n = min(n, NBITS - bit);
	if (set)
		sfs_bits_set(bits, bit, n);
	else
		sfs_bits_clear(bits, bit, n);
	for (i = bit; i < bit + n; i++)
		model[i] = set;
}

int main(int argc, char **argv)
{
	u8 *bits = calloc(1, NBITS / 8);	/* so that the sanitizer guards the ends */
	unsigned int round;
	unsigned int i;

	ram_seed_from(argc, argv, 1);
	TAP_REQUIRE(bits, "memory");
	for (round = 0; round < ROUNDS; round++) {
		unsigned int bit = ram_random(NBITS + 1);
		unsigned int end = bit + ram_random(NBITS - bit + 1);

		change(bits);
		TAP_REQUIRE(sfs_bits_next_set(bits, bit, end) == model_next(bit, end, true),
			    "seed %" PRIu64 ": next set of %u in [%u, %u)", ram_seed, round, bit, end);
		TAP_REQUIRE(sfs_bits_next_clear(bits, bit, end) == model_next(bit, end, false),
			    "seed %" PRIu64 ": next clear of %u in [%u, %u)", ram_seed, round, bit, end);
		TAP_REQUIRE(sfs_bits_count(bits, bit, end) == model_count(bit, end),
			    "seed %" PRIu64 ": count of %u in [%u, %u)", ram_seed, round, bit, end);
		TAP_REQUIRE(bit == NBITS || sfs_bits_test(bits, bit) == model[bit],
			    "seed %" PRIu64 ": test of %u, bit %u", ram_seed, round, bit);
	}
	for (i = 0; i < NBITS; i++)
		TAP_REQUIRE((bits[i / 8] >> i % 8 & 1) == model[i], "bit %u on disk", i);
	TAP_OK(true, "set, clear, scan, count and test of %d random ranges", ROUNDS);
	sfs_bits_clear(bits, 0, NBITS);
	TAP_EQ(sfs_bits_next_set(bits, 0, NBITS), NBITS, "no set bit in an empty map");
	sfs_bits_set(bits, 0, NBITS);
	TAP_EQ(sfs_bits_next_clear(bits, 0, NBITS), NBITS, "no clear bit in a full map");
	TAP_EQ(sfs_bits_count(bits, 0, NBITS), NBITS, "a full map counts all bits");
	free(bits);
	return tap_done();
}
