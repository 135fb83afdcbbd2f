// SPDX-License-Identifier: GPL-2.0-only
/*
 * hash.c - crc32c and siphash-2-4 for user space, as the kernel's libraries compute them.
 *
 * The checksum is Castagnoli's, reflected, without inversions, eight look-ups for eight bytes.
 */
#include "port-user.h"

#define SFS_CRC32C_POLY	0x82f63b78u

static u32 sfs_crc_table[8][256];

__attribute__((constructor))
static void sfs_crc_init(void)
{
	unsigned int i;
	unsigned int n;

	for (i = 0; i < 256; i++) {
		u32 crc = i;

		for (n = 0; n < 8; n++)
			crc = crc >> 1 ^ (crc & 1 ? SFS_CRC32C_POLY : 0);
		sfs_crc_table[0][i] = crc;
	}
	for (n = 1; n < 8; n++) {
		for (i = 0; i < 256; i++) {
			u32 crc = sfs_crc_table[n - 1][i];

			sfs_crc_table[n][i] = crc >> 8 ^ sfs_crc_table[0][crc & 0xff];
		}
	}
}

u32 sfs_crc32c(u32 seed, const void *p, size_t nbytes)
{
	const u8 *b = p;
	u32 crc = seed;

	for (; nbytes >= 8; nbytes -= 8, b += 8) {
		__le64 raw;
		u64 word;
		unsigned int n;
		u32 next = 0;

		memcpy(&raw, b, sizeof(raw));
		word = le64_to_cpu(raw) ^ crc;
		for (n = 0; n < 8; n++)
			next ^= sfs_crc_table[7 - n][word >> (8 * n) & 0xff];
		crc = next;
	}
	while (nbytes--)
		crc = crc >> 8 ^ sfs_crc_table[0][(crc ^ *b++) & 0xff];
	return crc;
}

static u64 sfs_rotl(u64 x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static void sfs_sip_round(u64 v[4])
{
	v[0] += v[1];
	v[1] = sfs_rotl(v[1], 13) ^ v[0];
	v[0] = sfs_rotl(v[0], 32);
	v[2] += v[3];
	v[3] = sfs_rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = sfs_rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = sfs_rotl(v[1], 17) ^ v[2];
	v[2] = sfs_rotl(v[2], 32);
}

static void sfs_sip_word(u64 v[4], u64 word)
{
	v[3] ^= word;
	sfs_sip_round(v);
	sfs_sip_round(v);
	v[0] ^= word;
}

u64 sfs_siphash(const u64 key[2], const void *p, size_t nbytes)
{
	const u8 *b = p;
	u64 last = (u64)nbytes << 56;
	u64 v[4] = {
		0x736f6d6570736575ULL ^ key[0], 0x646f72616e646f6dULL ^ key[1],
		0x6c7967656e657261ULL ^ key[0], 0x7465646279746573ULL ^ key[1],
	};
	size_t left = nbytes;
	unsigned int n;

	for (; left >= 8; left -= 8, b += 8) {
		__le64 raw;

		memcpy(&raw, b, sizeof(raw));
		sfs_sip_word(v, le64_to_cpu(raw));
	}
	for (n = 0; n < left; n++)
		last |= (u64)b[n] << (8 * n);
	sfs_sip_word(v, last);
	v[2] ^= 0xff;
	for (n = 0; n < 4; n++)
		sfs_sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
