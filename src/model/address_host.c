/* SPDX-License-Identifier: MIT */
/* The names of hosts that the operator trusts to lead where they should: what
   they resolve to is not asked. Names are compared whole or from a dot on,
   never in the middle of a label. */
#include "config.h"

#include "wuts/address.h"

#include "wuts/fault.h"
#include "wuts/mem.h"
#include "wuts/strbuf.h"

#include "model_private.h"

#include <string.h>
#include <strings.h>

#define SEPARATORS " \t\r\n,"

/* A name, or "*." and a name; neither an address in any spelling. */
static bool
is_pattern(const char *word, size_t len)
{
	if (len > 2 && word[0] == '*' && word[1] == '.') {
		word += 2;
		len -= 2;
	}
	return text_is_host_name(word, len) && !text_ends_in_number(word, len);
}

static char *
pattern_copy(const char *word, size_t len)
{
	struct strbuf copy = STRBUF_INIT;

	if (word[0] == '*') {
		word++;
		len--;
	}
	strbuf_append(&copy, word, len);
	return copy.data;
}

int
address_policy_allow_hosts(struct address_policy *policy, const char *hosts,
    struct fault *fault)
{
	size_t len;

	for (;;) {
		hosts += strspn(hosts, SEPARATORS);
		if ((len = strcspn(hosts, SEPARATORS)) == 0)
			return 0;
		if (!is_pattern(hosts, len)) {
			address_policy_deinit(policy);
			return fault_set(fault, FAULT_CONFIG,
			    "\"%.*s\" is no host name and no *.suffix",
			    len < 80 ? (int)len : 80, hosts);
		}
		policy->hosts = mem_realloc(policy->hosts,
		    policy->nhosts + 1, sizeof(policy->hosts[0]));
		policy->hosts[policy->nhosts++] = pattern_copy(hosts, len);
		hosts += len;
	}
}

bool
address_host_is_allowed(const struct address_policy *policy,
    const char *host, size_t len)
{
	const char *pattern;
	size_t i, pattern_len;

	if (policy == NULL)
		return false;
	/* Fully qualified or not, it is the same name. */
	if (len > 0 && host[len - 1] == '.')
		len--;
	for (i = 0; i < policy->nhosts; i++) {
		pattern = policy->hosts[i];
		pattern_len = strlen(pattern);
		if (pattern[0] == '.' ? len <= pattern_len :
		    len != pattern_len)
			continue;
		if (strncasecmp(host + len - pattern_len, pattern,
		    pattern_len) == 0)
			return true;
	}
	return false;
}
