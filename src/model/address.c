/* SPDX-License-Identifier: MIT */
/* The table of address ranges and the operator's exceptions to it. An address
   is 16 bytes here, IPv4 as ::ffff:a.b.c.d, so that every spelling of one IPv4
   address meets the same rows. What no row names is refused. */
#include "config.h"

#include "wuts/address.h"

#include "wuts/fault.h"
#include "wuts/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define IPV4_AT 12	/* where ::ffff:a.b.c.d holds its IPv4 address */
#define IPV4_PREFIX 96
#define SEPARATORS " \t\r\n,"

enum verdict {
	REFUSED,
	PUBLIC,
	EMBEDS_IPV4	/* as the IPv4 address at offset `at` */
};

struct row {
	struct address_range range;
	enum verdict verdict;
	size_t at;
};

#define V4(a, b, c, d, bits) { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, \
	(a), (b), (c), (d) }, IPV4_PREFIX + (bits) }
#define V6_16(a, bits) V6_32(a, 0, bits)
#define V6_32(a, b, bits) V6_64(a, b, 0, 0, bits)
#define V6_64(a, b, c, d, bits) { { (a) >> 8, (a) & 0xff, (b) >> 8, \
	(b) & 0xff, (c) >> 8, (c) & 0xff, (d) >> 8, (d) & 0xff }, (bits) }
#define V6_LOW(e, f, g, h, bits) { { 0, 0, 0, 0, 0, 0, 0, 0, (e) >> 8, \
	(e) & 0xff, (f) >> 8, (f) & 0xff, (g) >> 8, (g) & 0xff, (h) >> 8, \
	(h) & 0xff }, (bits) }

/* The first row that holds the address decides. From the IANA registries of
   special-purpose addresses. */
static const struct row rows[] = {
	{ V4(0, 0, 0, 0, 8), REFUSED, 0 },		/* this network */
	{ V4(10, 0, 0, 0, 8), REFUSED, 0 },		/* private */
	{ V4(100, 64, 0, 0, 10), REFUSED, 0 },		/* CGNAT */
	{ V4(127, 0, 0, 0, 8), REFUSED, 0 },		/* loopback */
	{ V4(168, 63, 129, 16, 32), REFUSED, 0 },	/* Azure's metadata */
	{ V4(169, 254, 0, 0, 16), REFUSED, 0 },		/* link-local */
	{ V4(172, 16, 0, 0, 12), REFUSED, 0 },		/* private */
	{ V4(192, 0, 0, 0, 24), REFUSED, 0 },		/* IETF protocols */
	{ V4(192, 0, 2, 0, 24), REFUSED, 0 },		/* documentation */
	{ V4(192, 88, 99, 0, 24), REFUSED, 0 },		/* 6to4 relays */
	{ V4(192, 168, 0, 0, 16), REFUSED, 0 },		/* private */
	{ V4(198, 18, 0, 0, 15), REFUSED, 0 },		/* benchmarking */
	{ V4(198, 51, 100, 0, 24), REFUSED, 0 },	/* documentation */
	{ V4(203, 0, 113, 0, 24), REFUSED, 0 },		/* documentation */
	{ V4(224, 0, 0, 0, 4), REFUSED, 0 },		/* multicast */
	{ V4(240, 0, 0, 0, 4), REFUSED, 0 },		/* reserved */
	{ V4(0, 0, 0, 0, 0), PUBLIC, 0 },

	{ V6_LOW(0, 0, 0, 0, 128), REFUSED, 0 },	/* unspecified */
	{ V6_LOW(0, 0, 0, 1, 128), REFUSED, 0 },	/* loopback */
	{ V6_LOW(0, 0, 0, 0, 96), EMBEDS_IPV4, 12 },	/* compatible */
	{ V6_LOW(0xffff, 0, 0, 0, 96), EMBEDS_IPV4, 12 },	/* SIIT */
	{ V6_32(0x64, 0xff9b, 96), EMBEDS_IPV4, 12 },	/* NAT64 */
	{ V6_64(0x64, 0xff9b, 1, 0, 48), REFUSED, 0 },	/* a site's NAT64 */
	{ V6_16(0x100, 64), REFUSED, 0 },		/* discard */
	{ V6_16(0x2001, 23), REFUSED, 0 },	/* IETF protocols, Teredo */
	{ V6_32(0x2001, 0xdb8, 32), REFUSED, 0 },	/* documentation */
	{ V6_16(0x2002, 16), EMBEDS_IPV4, 2 },		/* 6to4 */
	{ V6_16(0x3fff, 20), REFUSED, 0 },		/* documentation */
	{ V6_16(0x5f00, 16), REFUSED, 0 },		/* segment routing */
	{ V6_16(0xfc00, 7), REFUSED, 0 },		/* unique local */
	{ V6_16(0xfe80, 10), REFUSED, 0 },		/* link-local */
	{ V6_16(0xfec0, 10), REFUSED, 0 },		/* site-local */
	{ V6_16(0xff00, 8), REFUSED, 0 },		/* multicast */
	{ V6_16(0x2000, 3), PUBLIC, 0 },
};

static const uint8_t ipv4_in_ipv6[IPV4_AT] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

static void
bytes_of_ipv4(const void *ipv4, uint8_t bytes_r[16])
{
	memcpy(bytes_r, ipv4_in_ipv6, IPV4_AT);
	memcpy(bytes_r + IPV4_AT, ipv4, 4);
}

static bool
range_has(const struct address_range *range, const uint8_t bytes[16])
{
	unsigned whole = range->prefix / 8, rest = range->prefix % 8;

	/* A short prefix of IPv6, such as ::/0, says nothing about IPv4. */
	if (range->prefix < IPV4_PREFIX &&
	    memcmp(bytes, ipv4_in_ipv6, IPV4_AT) == 0)
		return false;
	if (memcmp(range->bytes, bytes, whole) != 0)
		return false;
	return rest == 0 ||
	    ((range->bytes[whole] ^ bytes[whole]) >> (8 - rest)) == 0;
}

static bool
is_allowed(const struct address_policy *policy, const uint8_t bytes[16])
{
	size_t i;

	if (policy == NULL)
		return false;
	for (i = 0; i < policy->nallowed; i++) {
		if (range_has(&policy->allowed[i], bytes))
			return true;
	}
	return false;
}

static const struct row *
row_find(const uint8_t bytes[16])
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (range_has(&rows[i].range, bytes))
			return &rows[i];
	}
	return NULL;
}

bool
address_may_connect(const struct address_policy *policy,
    const struct sockaddr *address)
{
	const struct row *row;
	uint8_t bytes[16], outer[16];

	if (address->sa_family == AF_INET)
		bytes_of_ipv4(&((const struct sockaddr_in *)
		    (const void *)address)->sin_addr, bytes);
	else if (address->sa_family == AF_INET6)
		memcpy(bytes, &((const struct sockaddr_in6 *)
		    (const void *)address)->sin6_addr, sizeof(bytes));
	else
		return false;

	/* At most one step inwards: IPv4 embeds nothing. */
	for (;;) {
		if (is_allowed(policy, bytes))
			return true;
		row = row_find(bytes);
		if (row == NULL || row->verdict != EMBEDS_IPV4)
			return row != NULL && row->verdict == PUBLIC;
		memcpy(outer, bytes, sizeof(outer));
		bytes_of_ipv4(outer + row->at, bytes);
	}
}

bool
address_is_listed(const struct address_policy *policy, const char *address)
{
	uint8_t ipv4[4], bytes[16];

	if (inet_pton(AF_INET, address, ipv4) == 1)
		bytes_of_ipv4(ipv4, bytes);
	else if (inet_pton(AF_INET6, address, bytes) != 1)
		return false;
	return is_allowed(policy, bytes);
}

/* One to three decimal digits, no leading zero. */
static bool
prefix_parse(const char *text, unsigned max, unsigned *prefix_r)
{
	unsigned value = 0;
	const char *p;

	for (p = text; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || p - text == 3)
			return false;
		value = value * 10 + (unsigned)(*p - '0');
	}
	if (p == text || value > max || (text[0] == '0' && text[1] != '\0'))
		return false;
	*prefix_r = value;
	return true;
}

/* word is cut at its slash. */
static bool
range_parse(char *word, struct address_range *range_r)
{
	char *slash = strchr(word, '/');
	uint8_t ipv4[4];

	if (slash != NULL)
		*slash++ = '\0';
	if (inet_pton(AF_INET, word, ipv4) == 1) {
		bytes_of_ipv4(ipv4, range_r->bytes);
		range_r->prefix = 32;
		if (slash != NULL &&
		    !prefix_parse(slash, 32, &range_r->prefix))
			return false;
		range_r->prefix += IPV4_PREFIX;
		return true;
	}
	if (inet_pton(AF_INET6, word, range_r->bytes) != 1)
		return false;
	range_r->prefix = 128;
	return slash == NULL || prefix_parse(slash, 128, &range_r->prefix);
}

int
address_policy_init(struct address_policy *policy, const char *allow,
    struct fault *fault)
{
	char word[INET6_ADDRSTRLEN + sizeof("/128")];
	size_t len;

	memset(policy, 0, sizeof(*policy));
	for (;;) {
		allow += strspn(allow, SEPARATORS);
		if ((len = strcspn(allow, SEPARATORS)) == 0)
			return 0;
		policy->allowed = mem_realloc(policy->allowed,
		    policy->nallowed + 1, sizeof(policy->allowed[0]));
		if (len < sizeof(word)) {
			memcpy(word, allow, len);
			word[len] = '\0';
		}
		if (len >= sizeof(word) || !range_parse(word,
		    &policy->allowed[policy->nallowed])) {
			address_policy_deinit(policy);
			return fault_set(fault, FAULT_CONFIG,
			    "\"%.*s\" is no address and no CIDR range",
			    len < 80 ? (int)len : 80, allow);
		}
		policy->nallowed++;
		allow += len;
	}
}

void
address_policy_deinit(struct address_policy *policy)
{
	for (size_t i = 0; i < policy->nhosts; i++)
		free(policy->hosts[i]);
	free(policy->hosts);
	free(policy->allowed);
	memset(policy, 0, sizeof(*policy));
}
