// SPDX-License-Identifier: GPL-2.0-only
/*
 * bits.c - bitmaps as they lie on disk: bit n is bit n % 8 of byte n / 8.
 *
 * Scans go a 64-bit little-endian word at a time.  No locks: the caller owns the bits.
 */
#include "port.h"
#include "format.h"
#include "core.h"

#define SFS_WORD_BITS	64

/* The word that holds @bit; bitmaps are padded to whole words (4032 bytes are). */
static u64 sfs_bits_word(const u8 *bits, unsigned int bit)
{
	__le64 raw;

	memcpy(&raw, bits + bit / SFS_WORD_BITS * 8, sizeof(raw));
	return le64_to_cpu(raw);
}

bool sfs_bits_test(const u8 *bits, unsigned int bit)
{
	return bits[bit / 8] >> (bit % 8) & 1;
}

static void sfs_bits_write(u8 *bits, unsigned int bit, unsigned int n, bool set)
{
	while (n && (bit % 8 || n < 8)) {
		u8 mask = 1u << (bit % 8);

		bits[bit / 8] = set ? bits[bit / 8] | mask : bits[bit / 8] & ~mask;
		bit++;
		n--;
	}
	memset(bits + bit / 8, set ? 0xff : 0, n / 8);
	bit += n & ~7u;
	n %= 8;
	if (n) {
		u8 mask = (1u << n) - 1;

		bits[bit / 8] = set ? bits[bit / 8] | mask : bits[bit / 8] & ~mask;
	}
}

void sfs_bits_set(u8 *bits, unsigned int bit, unsigned int n)
{
	sfs_bits_write(bits, bit, n, true);
}

void sfs_bits_clear(u8 *bits, unsigned int bit, unsigned int n)
{
	sfs_bits_write(bits, bit, n, false);
}

/* @flip: all ones to look for clear bits, 0 for set ones. */
static unsigned int sfs_bits_scan(const u8 *bits, unsigned int bit, unsigned int end, u64 flip)
{
	u64 word;

	if (bit >= end)
		return end;
	word = (sfs_bits_word(bits, bit) ^ flip) & (~0ULL << (bit % SFS_WORD_BITS));
	bit -= bit % SFS_WORD_BITS;
	while (!word) {
		bit += SFS_WORD_BITS;
		if (bit >= end)
			return end;
		word = sfs_bits_word(bits, bit) ^ flip;
	}
	bit += __builtin_ctzll(word);
	return min(bit, end);
}

unsigned int sfs_bits_next_set(const u8 *bits, unsigned int bit, unsigned int end)
{
	return sfs_bits_scan(bits, bit, end, 0);
}

unsigned int sfs_bits_next_clear(const u8 *bits, unsigned int bit, unsigned int end)
{
	return sfs_bits_scan(bits, bit, end, ~0ULL);
}

/* Set bits of a word, by halves, pairs and so on: the kernel has no popcount of libgcc's. */
static unsigned int sfs_word_count(u64 w)
{
	w -= w >> 1 & 0x5555555555555555ULL;
	w = (w & 0x3333333333333333ULL) + (w >> 2 & 0x3333333333333333ULL);
	w = (w + (w >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return w * 0x0101010101010101ULL >> 56;
}

unsigned int sfs_bits_count(const u8 *bits, unsigned int bit, unsigned int end)
{
	unsigned int count = 0;

	while (bit < end) {
		u64 word = sfs_bits_word(bits, bit) & (~0ULL << (bit % SFS_WORD_BITS));
		unsigned int next = bit - bit % SFS_WORD_BITS + SFS_WORD_BITS;

		if (next > end)
			word &= ~0ULL >> (next - end);
		count += sfs_word_count(word);
		bit = next;
	}
	return count;
}
