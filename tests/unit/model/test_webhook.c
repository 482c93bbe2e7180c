/* SPDX-License-Identifier: MIT */
/* Which URLs, headers and secrets a webhook may have. */
#include "config.h"

#include "wuts/address.h"
#include "wuts/fault.h"
#include "wuts/webhook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOST "must name a valid host"
#define HOST_PORT "must name a valid host and port"
#define ADDRESS "must not point to a private, local or reserved address"
#define USERINFO "must not contain user information"
#define FRAGMENT "must not contain a fragment"
#define VISIBLE "must contain visible ASCII characters only"
#define HTTPS "must be an https URL"
#define LABEL63 \
    "a23456789012345678901234567890123456789012345678901234567890123"

/* answer NULL: the URL is good. */
struct url_row {
	const char *url;
	const char *answer;
	const char *sentence;
};

static const struct url_row urls[] = {
	{ "https://example.com", NULL, "a host alone" },
	{ "https://example.com/", NULL, "the root" },
	{ "HTTPS://Example.COM/Hook", NULL, "case does not matter" },
	{ "https://example.com/a/b?c=d&e=%20", NULL, "path and query" },
	{ "https://example.com?x=1", NULL, "a query without a path" },
	{ "https://example.com/?u=http://a@b:c/", NULL,
	    "a query may hold anything" },
	{ "https://example.com/@here", NULL, "an at sign in the path" },
	{ "https://example.com:1/", NULL, "the lowest port" },
	{ "https://example.com:8443/x", NULL, "a port" },
	{ "https://example.com:65535", NULL, "the highest port" },
	{ "https://example.com./", NULL, "a fully qualified name" },
	{ "https://a_b.example.com/", NULL, "an underscore" },
	{ "https://xn--bcher-kva.example/", NULL, "an encoded IDN" },
	{ "https://intranet/hook", NULL, "a single label" },
	{ "https://1.example.com/", NULL, "a number in front" },
	{ "https://example.1a/", NULL, "an end that is no number" },
	{ "https://0xg.example.0xg/", NULL, "an end that is no hex number" },
	{ "https://" LABEL63 ".example/", NULL, "a label of 63" },
	{ "https://localhost.example.com/", NULL,
	    "localhost in front is a usual name" },
	{ "https://notlocalhost/", NULL, "so is a name that ends like it" },
	{ "https://8.8.8.8/", NULL, "a public IPv4 address" },
	{ "https://8.8.8.8:8443/", NULL, "with a port" },
	{ "https://[2606:4700:4700::1111]/", NULL, "a public IPv6 address" },
	{ "https://[2606:4700:4700::1111]:8443/x", NULL, "with a port" },

	{ "", HTTPS, "nothing" },
	{ "example.com", HTTPS, "no scheme" },
	{ "//example.com/", HTTPS, "no scheme, but slashes" },
	{ "https:/example.com", HTTPS, "one slash" },
	{ "https:example.com", HTTPS, "no slash" },
	{ "http://example.com/", HTTPS, "http where it is not allowed" },
	{ "ftp://example.com/", HTTPS, "another scheme" },
	{ "file:///etc/passwd", HTTPS, "a file" },
	{ "gopher://example.com/", HTTPS, "an old scheme" },
	{ "javascript:alert(1)", HTTPS, "a script" },
	{ "httpsx://example.com", HTTPS, "a longer scheme" },
	{ "https://", HOST, "no host" },
	{ "https:///path", HOST, "no host, but a path" },
	{ "https://?x", HOST, "no host, but a query" },
	{ "https://:443/", HOST, "a port only" },
	{ "https://example.com:/", HOST_PORT, "an empty port" },
	{ "https://example.com:0/", HOST_PORT, "port 0" },
	{ "https://example.com:080/", HOST_PORT, "a leading zero" },
	{ "https://example.com:65536/", HOST_PORT, "a port too high" },
	{ "https://example.com:443443443443/", HOST_PORT, "a port too long" },
	{ "https://example.com:http/", HOST_PORT, "a named port" },
	{ "https://example.com:-1/", HOST_PORT, "a signed port" },
	{ "https://example.com:80:80/", HOST_PORT, "two ports" },
	{ "https://user@example.com/", USERINFO, "a user" },
	{ "https://user:pass@example.com/", USERINFO, "a password" },
	{ "https://@example.com/", USERINFO, "an empty user" },
	{ "https://example.com\\@10.0.0.1/", USERINFO, "a backslash trick" },
	{ "https://example.com\\.evil.example/", HOST, "a backslash" },
	{ "https://example.com/#x", FRAGMENT, "a fragment" },
	{ "https://example.com#@10.0.0.1/", FRAGMENT, "a fragment trick" },
	{ "https://example.com/a b", VISIBLE, "a blank" },
	{ " https://example.com/", VISIBLE, "a blank in front" },
	{ "https://example.com/\t", VISIBLE, "a tab" },
	{ "https://example.com/\r\nX: y", VISIBLE, "a line end" },
	{ "https://example.com/\x7f", VISIBLE, "DEL" },
	{ "https://b\xc3\xbc" "cher.example/", VISIBLE, "an IDN not encoded" },
	{ "https://example.com/\xff", VISIBLE, "a stray byte" },
	{ "https://exa%6dple.com/", HOST, "percent signs in the host" },
	{ "https://.example.com/", HOST, "an empty label in front" },
	{ "https://example..com/", HOST, "an empty label inside" },
	{ "https://example.com../", HOST, "two dots at the end" },
	{ "https://./", HOST, "a dot" },
	{ "https://-a.example/", HOST, "a hyphen in front" },
	{ "https://a-.example/", HOST, "a hyphen before a dot" },
	{ "https://example-/", HOST, "a hyphen at the end" },
	{ "https://" LABEL63 "x.example/", HOST, "a label of 64" },
	{ "https://" LABEL63 "." LABEL63 "." LABEL63 "." LABEL63 "/", HOST,
	    "a host of 255" },
	{ "https://exam<ple.com/", HOST, "a bracket in the host" },
	{ "https://a,b.example/", HOST, "a comma in the host" },

	{ "https://127.0.0.1/", ADDRESS, "loopback" },
	{ "https://10.0.0.1:8443/x", ADDRESS, "private, with a port" },
	{ "https://169.254.169.254/latest/", ADDRESS, "metadata" },
	{ "https://192.168.1.1?x", ADDRESS, "private, with a query" },
	{ "https://2130706433/", HOST, "loopback as one number" },
	{ "https://0x7f000001/", HOST, "loopback as one hex number" },
	{ "https://0X7F.1/", HOST, "loopback, hex and short" },
	{ "https://017700000001/", HOST, "loopback as one octal number" },
	{ "https://0177.0.0.1/", HOST, "loopback, octal" },
	{ "https://127.1/", HOST, "loopback, short" },
	{ "https://127.0.0.1./", HOST, "loopback with a dot behind" },
	{ "https://8.8.8.8./", HOST, "any address with a dot behind" },
	{ "https://127.0.0.0x1/", HOST, "a hex number at the end" },
	{ "https://127.0.0.0x/", HOST, "an empty hex number at the end" },
	{ "https://8.8.8.08/", HOST, "a leading zero" },
	{ "https://8.8.8.256/", HOST, "a part too high" },
	{ "https://8.8.8.8.8/", HOST, "five parts" },
	{ "https://example.123/", HOST, "a name that ends in a number" },
	{ "https://123456789012345678901234567890/", HOST, "a long number" },
	{ "https://[::1]/", ADDRESS, "IPv6 loopback" },
	{ "https://[::ffff:127.0.0.1]/", ADDRESS, "mapped loopback" },
	{ "https://[::ffff:7f00:1]:443/", ADDRESS, "mapped, in hex" },
	{ "https://[64:ff9b::a00:1]/", ADDRESS, "NAT64 to private" },
	{ "https://[fd00:ec2::254]/", ADDRESS, "IPv6 metadata" },
	{ "https://[fe80::1%25eth0]/", HOST, "a zone" },
	{ "https://[fe80::1%eth0]/", HOST, "a zone not encoded" },
	{ "https://[2606:4700:4700::1111/", HOST_PORT, "no closing bracket" },
	{ "https://[2606:4700:4700::1111]x/", HOST_PORT,
	    "something behind the bracket" },
	{ "https://[8.8.8.8]/", HOST, "IPv4 in brackets" },
	{ "https://[]/", HOST, "empty brackets" },
	{ "https://[v1.a]/", HOST, "a future address" },
	{ "https://2606:4700:4700::1111/", HOST_PORT, "IPv6 without brackets" },
	{ "https://localhost/", ADDRESS, "localhost" },
	{ "https://LocalHost:8443/", ADDRESS, "localhost in any case" },
	{ "https://localhost./", ADDRESS, "localhost, fully qualified" },
	{ "https://a.localhost/x", ADDRESS, "a name below localhost" },
};

static void
check_rows(const struct url_row *rows, size_t count,
    const struct webhook_policy *policy)
{
	const char *answer;
	size_t i;

	for (i = 0; i < count; i++) {
		answer = webhook_url_check(rows[i].url, policy);
		if (answer == NULL && rows[i].answer == NULL)
			continue;
		if (answer == NULL || rows[i].answer == NULL ||
		    strcmp(answer, rows[i].answer) != 0)
			fail_msg("%s: <%s> %s", rows[i].sentence, rows[i].url,
			    answer == NULL ? "is good" : answer);
	}
}

static void
only_urls_that_mean_one_public_host_are_good(void **state)
{
	struct address_policy addresses = { .nallowed = 0 };
	struct webhook_policy policy = { false, &addresses };

	(void)state;
	check_rows(urls, sizeof(urls) / sizeof(urls[0]), &policy);
}

static void
http_is_good_where_the_operator_allows_it(void **state)
{
	static const struct url_row rows[] = {
		{ "http://example.com/", NULL, "http" },
		{ "https://example.com/", NULL, "https still" },
		{ "http://10.0.0.1/", ADDRESS, "not to any address" },
		{ "http://user@example.com/", USERINFO, "not with a user" },
		{ "ftp://example.com/", "must be an http or https URL",
		    "not another scheme" },
		{ "http:example.com/", "must be an http or https URL",
		    "not without slashes" },
	};
	struct address_policy addresses = { .nallowed = 0 };
	struct webhook_policy policy = { true, &addresses };

	(void)state;
	check_rows(rows, sizeof(rows) / sizeof(rows[0]), &policy);
}

static void
allowed_ranges_may_be_named(void **state)
{
	static const struct url_row rows[] = {
		{ "https://127.0.0.1:8443/", NULL, "loopback" },
		{ "https://localhost:8443/", NULL, "the name of loopback" },
		{ "https://a.localhost/", NULL, "a name below it" },
		{ "https://10.1.2.3/", NULL, "an allowed private range" },
		{ "https://10.2.2.3/", ADDRESS, "not the next one" },
		{ "https://2130706433/", HOST, "still not in odd spelling" },
	};
	struct address_policy addresses;
	struct webhook_policy policy = { false, &addresses };
	struct fault fault;

	(void)state;
	assert_int_equal(address_policy_init(&addresses,
	    "127.0.0.0/8 10.1.0.0/16", &fault), 0);
	check_rows(rows, sizeof(rows) / sizeof(rows[0]), &policy);
	address_policy_deinit(&addresses);
}

static void
localhost_is_good_when_only_its_ipv6_address_is_allowed(void **state)
{
	struct address_policy addresses;
	struct webhook_policy policy = { false, &addresses };
	struct fault fault;

	(void)state;
	assert_int_equal(address_policy_init(&addresses, "::1", &fault), 0);
	assert_null(webhook_url_check("https://localhost/", &policy));
	address_policy_deinit(&addresses);
}

static void
an_allowed_host_may_be_named(void **state)
{
	static const struct url_row rows[] = {
		{ "https://localhost/", NULL, "even loopback's" },
		{ "https://a.localhost/", ADDRESS, "not the names below it" },
		{ "https://127.0.0.1/", ADDRESS, "not its address" },
	};
	struct address_policy addresses;
	struct webhook_policy policy = { false, &addresses };
	struct fault fault;

	(void)state;
	assert_int_equal(address_policy_init(&addresses, "", &fault), 0);
	assert_int_equal(address_policy_allow_hosts(&addresses,
	    "localhost *.in.example", &fault), 0);
	check_rows(rows, sizeof(rows) / sizeof(rows[0]), &policy);
	assert_true(webhook_host_is_allowed("https://localhost:8443/x",
	    &addresses));
	assert_true(webhook_host_is_allowed("HTTP://A.b.IN.example?q=1",
	    &addresses));
	assert_false(webhook_host_is_allowed("https://x/https://localhost/",
	    &addresses));
	assert_false(webhook_host_is_allowed("https://x?a=://localhost/",
	    &addresses));
	assert_false(webhook_host_is_allowed("https://[::1]/", &addresses));
	address_policy_deinit(&addresses);
}

static void
a_url_has_at_most_2048_characters(void **state)
{
	static const char head[] = "https://example.com/";
	struct webhook_policy policy = { false, NULL };
	char *url = malloc(WEBHOOK_URL_MAX + 2);

	(void)state;
	assert_non_null(url);
	memset(url, 'a', WEBHOOK_URL_MAX + 1);
	memcpy(url, head, sizeof(head) - 1);
	url[WEBHOOK_URL_MAX + 1] = '\0';
	assert_string_equal(webhook_url_check(url, &policy),
	    "must be at most 2048 characters");
	url[WEBHOOK_URL_MAX] = '\0';
	assert_null(webhook_url_check(url, &policy));
	free(url);
}

static void
header_names_are_tokens_and_not_ours(void **state)
{
	static const struct {
		const char *name;
		bool good;
		const char *sentence;
	} rows[] = {
		{ "X-Tenant", true, "a usual name" },
		{ "Authorization", true, "the one exception" },
		{ "x", true, "one letter" },
		{ "!#$%&'*+-.^_`|~09az", true, "all of a token" },
		{ "Accept", true, "a standard name that is not ours" },
		{ "Hosts", true, "longer than a reserved one" },
		{ "Content", true, "a prefix without its hyphen" },
		{ "Tea", true, "TE is a whole name" },
		{ "X-WUT", true, "shorter than our prefix" },
		{ "", false, "no name" },
		{ "X Tenant", false, "a blank" },
		{ "X-Tenant:", false, "a colon" },
		{ "X-Tenant\r\nX", false, "a line end" },
		{ "(x)", false, "a delimiter" },
		{ "X-T\xc3\xa9nant", false, "not ASCII" },
		{ "Host", false, "the host" },
		{ "hOST", false, "in any case" },
		{ "Content-Type", false, "the type" },
		{ "content-length", false, "the length" },
		{ "Content-Anything", false, "any other of its kind" },
		{ "Transfer-Encoding", false, "the framing" },
		{ "Connection", false, "the connection" },
		{ "Expect", false, "the handshake" },
		{ "TE", false, "the transfer codings" },
		{ "Upgrade", false, "another protocol" },
		{ "Proxy-Authorization", false, "for a proxy" },
		{ "User-Agent", false, "our name" },
		{ "webhook-id", false, "Standard Webhooks" },
		{ "Webhook-Signature", false, "in any case" },
		{ "X-WUTS-Event", false, "ours" },
		{ "x-wuts-anything", false, "or may become ours" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if ((webhook_header_check(rows[i].name, "x") == NULL) !=
		    rows[i].good)
			fail_msg("%s: %s", rows[i].sentence, rows[i].name);
	}
}

static void
header_values_are_visible_ascii_and_inner_blanks(void **state)
{
	static const struct {
		const char *value;
		bool good;
	} rows[] = {
		{ "x", true }, { "Bearer abc=~!", true }, { "a  b", true },
		{ "", false }, { " ", false }, { " a", false },
		{ "a ", false }, { "a\tb", false }, { "a\r\nb", false },
		{ "a\x7f", false }, { "\xc3\xa9", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if ((webhook_header_check("X-A", rows[i].value) == NULL) !=
		    rows[i].good)
			fail_msg("<%s>", rows[i].value);
	}
}

static void
header_lengths_are_bounded(void **state)
{
	char text[WEBHOOK_HEADER_VALUE_MAX + 2];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[WEBHOOK_HEADER_VALUE_MAX + 1] = '\0';
	assert_non_null(webhook_header_check("X-A", text));
	text[WEBHOOK_HEADER_VALUE_MAX] = '\0';
	assert_null(webhook_header_check("X-A", text));
	text[129] = '\0';
	assert_non_null(webhook_header_check(text, "x"));
	text[128] = '\0';
	assert_null(webhook_header_check(text, "x"));
}

static void
a_secret_has_8_to_128_bytes(void **state)
{
	char secret[WEBHOOK_SECRET_MAX + 2];

	(void)state;
	assert_non_null(webhook_secret_check(""));
	assert_non_null(webhook_secret_check("1234567"));
	assert_null(webhook_secret_check("12345678"));
	memset(secret, 's', sizeof(secret));
	secret[WEBHOOK_SECRET_MAX + 1] = '\0';
	assert_non_null(webhook_secret_check(secret));
	secret[WEBHOOK_SECRET_MAX] = '\0';
	assert_null(webhook_secret_check(secret));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_urls_that_mean_one_public_host_are_good),
		cmocka_unit_test(http_is_good_where_the_operator_allows_it),
		cmocka_unit_test(allowed_ranges_may_be_named),
		cmocka_unit_test(
		    localhost_is_good_when_only_its_ipv6_address_is_allowed),
		cmocka_unit_test(an_allowed_host_may_be_named),
		cmocka_unit_test(a_url_has_at_most_2048_characters),
		cmocka_unit_test(header_names_are_tokens_and_not_ours),
		cmocka_unit_test(
		    header_values_are_visible_ascii_and_inner_blanks),
		cmocka_unit_test(header_lengths_are_bounded),
		cmocka_unit_test(a_secret_has_8_to_128_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
