/* SPDX-License-Identifier: MIT */
/* Which network addresses a webhook may reach (spec/wuts.md §4 "webhook_url"):
   public ones, and the ranges that the operator allows. Pure: used for the
   literal in a URL when it is configured, and for the address really connected
   to when it is delivered. */
#ifndef WUTS_ADDRESS_H
#define WUTS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;
struct sockaddr;

struct address_range {
	uint8_t bytes[16];	/* IPv4 as ::ffff:a.b.c.d */
	unsigned prefix;	/* 0..128 */
};

struct address_policy {
	struct address_range *allowed;
	size_t nallowed;
	char **hosts;		/* in lower case; *.suffix as .suffix */
	size_t nhosts;
};

/* The operator's `webhook_allow`: CIDR ranges or single addresses, blanks or
   commas between. -1: FAULT_CONFIG names the word that is no range. */
int address_policy_init(struct address_policy *policy, const char *allow,
    struct fault *fault);
/* And the operator's `webhook_allow_host`: names, and *.suffix for every name
   below a suffix. -1: FAULT_CONFIG names the word that is neither; the policy
   is as deinit leaves it. */
int address_policy_allow_hosts(struct address_policy *policy,
    const char *hosts, struct fault *fault);
void address_policy_deinit(struct address_policy *policy);

/* May a webhook whose URL names this host connect to whatever it resolves to?
   A literal address never is such a name. */
bool address_host_is_allowed(const struct address_policy *policy,
    const char *host, size_t len);

/* Is this address, as text, in one of the ranges? For who may come, not where
   to go: what is no address is in none. */
bool address_is_listed(const struct address_policy *policy,
    const char *address);

/* May a webhook connect there? Only AF_INET and AF_INET6 ever may. Loopback,
   link-local, private, CGNAT, multicast, reserved, documentation and metadata
   addresses may not, nor IPv6 forms that embed such an IPv4 address (mapped,
   compatible, NAT64, 6to4, Teredo), unless a range allows the address. */
bool address_may_connect(const struct address_policy *policy,
    const struct sockaddr *address);

#endif
