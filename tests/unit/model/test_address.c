/* SPDX-License-Identifier: MIT */
/* The table of addresses: the first and last address of every refused range,
   their neighbours, the IPv6 forms that embed IPv4, and the operator's
   exceptions. */
#include "config.h"

#include "wuts/address.h"
#include "wuts/fault.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

static bool
may_connect(const struct address_policy *policy, const char *text)
{
	struct sockaddr_in ipv4 = { .sin_family = AF_INET };
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &ipv4.sin_addr) == 1)
		return address_may_connect(policy,
		    (const struct sockaddr *)(const void *)&ipv4);
	if (inet_pton(AF_INET6, text, &ipv6.sin6_addr) != 1)
		fail_msg("%s is no address", text);
	return address_may_connect(policy,
	    (const struct sockaddr *)(const void *)&ipv6);
}

struct row {
	const char *address;
	bool may;
	const char *sentence;
};

static const struct row rows[] = {
	{ "0.0.0.0", false, "this host" },
	{ "0.255.255.255", false, "the end of this network" },
	{ "1.0.0.0", true, "the first public address" },
	{ "9.255.255.255", true, "below 10/8" },
	{ "10.0.0.0", false, "the first of 10/8" },
	{ "10.255.255.255", false, "the last of 10/8" },
	{ "11.0.0.0", true, "above 10/8" },
	{ "100.63.255.255", true, "below CGNAT" },
	{ "100.64.0.0", false, "the first of CGNAT" },
	{ "100.100.100.200", false, "a cloud's metadata in CGNAT" },
	{ "100.127.255.255", false, "the last of CGNAT" },
	{ "100.128.0.0", true, "above CGNAT" },
	{ "126.255.255.255", true, "below loopback" },
	{ "127.0.0.1", false, "loopback" },
	{ "127.255.255.255", false, "the last of loopback" },
	{ "128.0.0.0", true, "above loopback" },
	{ "168.63.129.15", true, "below Azure's metadata" },
	{ "168.63.129.16", false, "Azure's metadata" },
	{ "168.63.129.17", true, "above Azure's metadata" },
	{ "169.253.255.255", true, "below link-local" },
	{ "169.254.0.0", false, "the first of link-local" },
	{ "169.254.169.254", false, "the usual metadata address" },
	{ "169.254.255.255", false, "the last of link-local" },
	{ "169.255.0.0", true, "above link-local" },
	{ "172.15.255.255", true, "below 172.16/12" },
	{ "172.16.0.0", false, "the first of 172.16/12" },
	{ "172.31.255.255", false, "the last of 172.16/12" },
	{ "172.32.0.0", true, "above 172.16/12" },
	{ "191.255.255.255", true, "below 192.0.0/24" },
	{ "192.0.0.192", false, "a cloud's metadata in 192.0.0/24" },
	{ "192.0.1.0", true, "between the two 192.0 ranges" },
	{ "192.0.2.1", false, "documentation 1" },
	{ "192.0.3.0", true, "above documentation 1" },
	{ "192.88.98.255", true, "below the 6to4 relays" },
	{ "192.88.99.1", false, "the 6to4 relays" },
	{ "192.88.100.0", true, "above the 6to4 relays" },
	{ "192.167.255.255", true, "below 192.168/16" },
	{ "192.168.0.0", false, "the first of 192.168/16" },
	{ "192.168.255.255", false, "the last of 192.168/16" },
	{ "192.169.0.0", true, "above 192.168/16" },
	{ "198.17.255.255", true, "below benchmarking" },
	{ "198.18.0.0", false, "the first of benchmarking" },
	{ "198.19.255.255", false, "the last of benchmarking" },
	{ "198.20.0.0", true, "above benchmarking" },
	{ "198.51.99.255", true, "below documentation 2" },
	{ "198.51.100.7", false, "documentation 2" },
	{ "198.51.101.0", true, "above documentation 2" },
	{ "203.0.112.255", true, "below documentation 3" },
	{ "203.0.113.7", false, "documentation 3" },
	{ "203.0.114.0", true, "above documentation 3" },
	{ "223.255.255.255", true, "the last public address" },
	{ "224.0.0.1", false, "multicast" },
	{ "239.255.255.255", false, "the last of multicast" },
	{ "240.0.0.0", false, "reserved" },
	{ "255.255.255.255", false, "broadcast" },

	{ "::", false, "the unspecified address" },
	{ "::1", false, "IPv6 loopback" },
	{ "::ffff:127.0.0.1", false, "mapped loopback" },
	{ "::ffff:169.254.169.254", false, "mapped metadata" },
	{ "::ffff:10.1.2.3", false, "mapped private" },
	{ "::ffff:8.8.8.8", true, "a mapped public address" },
	{ "::127.0.0.1", false, "compatible loopback" },
	{ "::192.168.1.1", false, "compatible private" },
	{ "::8.8.8.8", true, "a compatible public address" },
	{ "::ffff:0:10.1.2.3", false, "translated private" },
	{ "64:ff9b::10.1.2.3", false, "NAT64 to private" },
	{ "64:ff9b::169.254.169.254", false, "NAT64 to metadata" },
	{ "64:ff9b::8.8.8.8", true, "NAT64 to a public address" },
	{ "64:ff9b::1:8.8.8.8", false, "beside the NAT64 prefix" },
	{ "64:ff9b:1::8.8.8.8", false, "a site's own NAT64" },
	{ "64:ff9b:1:ffff::1", false, "the end of a site's own NAT64" },
	{ "100::1", false, "discard only" },
	{ "2001::1", false, "Teredo" },
	{ "2001:0:4136:e378:8000:63bf:3fff:fdd2", false,
	    "Teredo with a public server and client" },
	{ "2001:2::1", false, "IPv6 benchmarking" },
	{ "2001:10::1", false, "ORCHID" },
	{ "2001:20::1", false, "ORCHID version 2" },
	{ "2001:1ff:ffff::1", false, "the last of the IETF's range" },
	{ "2001:200::1", true, "above the IETF's range" },
	{ "2001:4860:4860::8888", true, "a public resolver" },
	{ "2001:db7:ffff::1", true, "below documentation" },
	{ "2001:db8::1", false, "documentation" },
	{ "2001:db9::1", true, "above documentation" },
	{ "2002:7f00:1::", false, "6to4 of loopback" },
	{ "2002:a9fe:a9fe::1", false, "6to4 of metadata" },
	{ "2002:c0a8:101::1", false, "6to4 of private" },
	{ "2002:808:808::1", true, "6to4 of a public address" },
	{ "2606:4700:4700::1111", true, "another public resolver" },
	{ "3ffe::1", true, "below the second documentation range" },
	{ "3fff::1", false, "the second documentation range" },
	{ "3fff:1000::1", true, "above the second documentation range" },
	{ "4000::1", false, "not given out by anybody yet" },
	{ "1fff::1", false, "below the global unicast range" },
	{ "5f00::1", false, "segment routing" },
	{ "fc00::1", false, "the first of unique local" },
	{ "fd00:ec2::254", false, "a cloud's metadata over IPv6" },
	{ "fdff:ffff::1", false, "the last of unique local" },
	{ "fe80::1", false, "link-local" },
	{ "febf::1", false, "the last of link-local" },
	{ "fec0::1", false, "site-local" },
	{ "ff02::1", false, "IPv6 multicast" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false, "the very last" },
};

static void
only_public_addresses_may_be_connected(void **state)
{
	struct address_policy policy;
	struct fault fault;
	size_t i;

	(void)state;
	fault_clear(&fault);
	assert_int_equal(address_policy_init(&policy, "", &fault), 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (may_connect(&policy, rows[i].address) != rows[i].may)
			fail_msg("%s: %s", rows[i].address, rows[i].sentence);
		if (may_connect(NULL, rows[i].address) != rows[i].may)
			fail_msg("%s without a policy", rows[i].address);
	}
	address_policy_deinit(&policy);
}

static void
other_families_may_never_be_connected(void **state)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct address_policy policy;
	struct fault fault;

	(void)state;
	assert_int_equal(address_policy_init(&policy, "0.0.0.0/0 ::/0",
	    &fault), 0);
	assert_false(address_may_connect(&policy,
	    (const struct sockaddr *)(const void *)&local));
	assert_false(address_may_connect(&policy, &none));
	address_policy_deinit(&policy);
}

static void
the_operator_may_allow_ranges(void **state)
{
	static const struct {
		const char *allow, *address;
		bool may;
		const char *sentence;
	} exceptions[] = {
		{ "127.0.0.1", "127.0.0.1", true, "a single address" },
		{ "127.0.0.1", "127.0.0.2", false, "and only that one" },
		{ "127.0.0.1", "::ffff:127.0.0.1", true,
		    "which the mapped form also is" },
		{ "127.0.0.1", "::1", false, "IPv6 loopback is another" },
		{ "10.1.0.0/16", "10.1.255.255", true, "a range's end" },
		{ "10.1.0.0/16", "10.2.0.0", false, "beyond a range" },
		{ "10.1.2.3/16", "10.1.200.1", true,
		    "bits behind the prefix do not count" },
		{ "10.0.0.0/9", "10.127.255.255", true,
		    "a prefix inside a byte" },
		{ "10.0.0.0/9", "10.128.0.0", false,
		    "beyond a prefix inside a byte" },
		{ "10.1.0.0/16", "64:ff9b::10.1.2.3", true,
		    "an allowed address through NAT64" },
		{ "10.0.0.0/8, 192.168.0.0/16", "192.168.7.7", true,
		    "commas between" },
		{ "10.0.0.0/8\t192.168.0.0/16", "10.7.7.7", true,
		    "blanks between" },
		{ " ,10.0.0.0/8, ", "10.7.7.7", true, "separators around" },
		{ "0.0.0.0/0", "127.0.0.1", true, "all of IPv4" },
		{ "0.0.0.0/0", "::1", false, "which is not IPv6" },
		{ "::/0", "fe80::1", true, "all of IPv6" },
		{ "::/0", "127.0.0.1", false, "which is not IPv4" },
		{ "::/0", "::ffff:127.0.0.1", false,
		    "also not IPv4 in disguise" },
		{ "::1", "::1", true, "IPv6 loopback" },
		{ "fd00::/8", "fd12::1", true, "unique local" },
		{ "fd00::/8", "fc12::1", false, "but not its other half" },
		{ "2002:a00::/24", "2002:a01:203::1", true,
		    "a 6to4 range as such" },
		{ "::ffff:10.0.0.0/104", "10.9.9.9", true,
		    "an IPv4 range in mapped spelling" },
		{ "10.0.0.0/8", "8.8.8.8", true, "public ones stay public" },
	};
	struct address_policy policy;
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
		assert_int_equal(address_policy_init(&policy,
		    exceptions[i].allow, &fault), 0);
		if (may_connect(&policy, exceptions[i].address) !=
		    exceptions[i].may)
			fail_msg("%s with %s: %s", exceptions[i].address,
			    exceptions[i].allow, exceptions[i].sentence);
		address_policy_deinit(&policy);
	}
}

static void
a_word_that_is_no_range_is_named(void **state)
{
	static const char *const words[] = {
		"localhost", "10", "10.0.0", "010.0.0.0/8", "10.0.0.0/",
		"10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8/8",
		"10.0.0.0/0x8", "256.0.0.0", "::/129", "::/0128", "fe80::%1",
		"[::1]", "/8", "1.2.3.4;5.6.7.8",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
	};
	char allow[128];
	struct address_policy policy;
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		fault_clear(&fault);
		assert_in_range(snprintf(allow, sizeof(allow),
		    "10.0.0.0/8 %s 11.0.0.0/8", words[i]), 1,
		    sizeof(allow) - 1);
		if (address_policy_init(&policy, allow, &fault) != -1)
			fail_msg("%s was taken for a range", words[i]);
		assert_int_equal(fault.code, FAULT_CONFIG);
		if (strstr(fault.text, words[i]) == NULL)
			fail_msg("%s is not named: %s", words[i], fault.text);
		assert_null(policy.allowed);
		assert_int_equal(policy.nallowed, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_public_addresses_may_be_connected),
		cmocka_unit_test(other_families_may_never_be_connected),
		cmocka_unit_test(the_operator_may_allow_ranges),
		cmocka_unit_test(a_word_that_is_no_range_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
