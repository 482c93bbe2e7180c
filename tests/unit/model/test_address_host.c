/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "wuts/address.h"

#include "wuts/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct host_row {
	const char *host;
	bool is_allowed;
	const char *sentence;
};

static const struct host_row hosts[] = {
	{ "hooks.example", true, "a name" },
	{ "HOOKS.Example", true, "in any case" },
	{ "hooks.example.", true, "fully qualified" },
	{ "a.hooks.example", false, "a name alone has none below it" },
	{ "xhooks.example", false, "no end of another label" },
	{ "hooks.example.net", false, "no beginning of another name" },
	{ "a.in.example", true, "a name below a suffix" },
	{ "a.b.IN.example", true, "far below" },
	{ "in.example", false, "not the suffix itself" },
	{ ".in.example", false, "nor with nothing below" },
	{ "xin.example", false, "nor a name that ends like it" },
	{ "", false, "nothing" },
	{ ".", false, "the root" },
	{ "other.example", false, "any other" },
	{ "10.0.0.1", false, "an address" },
};

static void
names_are_allowed_whole_and_suffixes_from_a_dot(void **state)
{
	struct address_policy policy;
	struct fault fault;
	size_t i;

	(void)state;
	assert_int_equal(address_policy_init(&policy, "", &fault), 0);
	assert_int_equal(address_policy_allow_hosts(&policy,
	    " hooks.example,*.In.Example\tc.example ", &fault), 0);
	assert_int_equal(policy.nhosts, 3);
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (address_host_is_allowed(&policy, hosts[i].host,
		    strlen(hosts[i].host)) != hosts[i].is_allowed)
			fail_msg("%s: %s", hosts[i].host, hosts[i].sentence);
	}
	address_policy_deinit(&policy);
	assert_false(address_host_is_allowed(&policy, "hooks.example", 13));
	assert_false(address_host_is_allowed(NULL, "hooks.example", 13));
}

static void
what_is_no_name_and_no_suffix_is_refused(void **state)
{
	static const char *const words[] = {
		"*", "*.", "**.example", "a.*.example", "*example", "10.0.0.1",
		"0x7f.1", "*.1", "::1", "[::1]", "10.0.0.0/8", "a_b.example!",
		"a..example", ".example", "https://a.example", "a.example:443",
	};
	char text[64];
	struct address_policy policy;
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		fault_clear(&fault);
		assert_int_equal(address_policy_init(&policy, "10.0.0.0/8",
		    &fault), 0);
		strcpy(text, "good.example ");
		strcat(text, words[i]);
		if (address_policy_allow_hosts(&policy, text, &fault) != -1)
			fail_msg("%s is taken", words[i]);
		assert_int_equal(fault.code, FAULT_CONFIG);
		assert_non_null(strstr(fault.text, words[i]));
		assert_int_equal(policy.nhosts + policy.nallowed, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    names_are_allowed_whole_and_suffixes_from_a_dot),
		cmocka_unit_test(what_is_no_name_and_no_suffix_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
