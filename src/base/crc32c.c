/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli, RFC 3720 appendix B.4): by the processor's instruction
   where it has one, else eight tables, eight bytes at a time. */
#include "config.h"

#include "wuts/crypto.h"

#include <pthread.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u

static uint32_t tables[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void
fill_tables(void)
{
	uint32_t crc;
	unsigned i, k;

	for (i = 0; i < 256; i++) {
		crc = i;
		for (k = 0; k < 8; k++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? POLYNOMIAL : 0);
		tables[0][i] = crc;
	}
	for (i = 0; i < 256; i++)
		for (k = 1; k < 8; k++)
			tables[k][i] = tables[k - 1][i] >> 8 ^
			    tables[0][tables[k - 1][i] & 0xff];
}

static uint32_t
crc_by_table(uint32_t crc, const uint8_t *p, size_t len)
{
	pthread_once(&tables_once, fill_tables);
	for (; len >= 8; p += 8, len -= 8) {
		crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 |
		    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		crc = tables[7][crc & 0xff] ^ tables[6][crc >> 8 & 0xff] ^
		    tables[5][crc >> 16 & 0xff] ^ tables[4][crc >> 24] ^
		    tables[3][p[4]] ^ tables[2][p[5]] ^ tables[1][p[6]] ^
		    tables[0][p[7]];
	}
	for (; len > 0; len--)
		crc = crc >> 8 ^ tables[0][(crc ^ *p++) & 0xff];
	return crc;
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <nmmintrin.h>

static __attribute__((target("sse4.2"))) uint32_t
crc_by_processor(uint32_t crc, const uint8_t *p, size_t len)
{
	uint64_t wide = crc, word;

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		wide = _mm_crc32_u64(wide, word);
	}
	crc = (uint32_t)wide;
	for (; len > 0; len--)
		crc = _mm_crc32_u8(crc, *p++);
	return crc;
}

static bool
processor_has_crc(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#else
static uint32_t
crc_by_processor(uint32_t crc, const uint8_t *p, size_t len)
{
	return crc_by_table(crc, p, len);
}

static bool
processor_has_crc(void)
{
	return false;
}
#endif

uint32_t
crypto_crc32c(uint32_t crc, const void *data, size_t len)
{
	crc = ~crc;
	crc = processor_has_crc() ? crc_by_processor(crc, data, len) :
	    crc_by_table(crc, data, len);
	return ~crc;
}
