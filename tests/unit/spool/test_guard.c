/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "spool/guard.h"

#include "wuts/address.h"
#include "wuts/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static struct curl_sockaddr
address_of(int family, const char *text)
{
	struct curl_sockaddr address = {
		.family = family, .socktype = SOCK_STREAM,
	};
	struct sockaddr_in in = { .sin_family = AF_INET };

	assert_int_equal(family, AF_INET);
	assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
	address.addrlen = sizeof(in);
	memcpy(&address.addr, &in, sizeof(in));
	return address;
}

static curl_socket_t
open_for(const char *allow, const char *text, struct guard *guard)
{
	struct fault fault = { .code = FAULT_NONE };
	struct curl_sockaddr address = address_of(AF_INET, text);
	struct address_policy policy;
	curl_socket_t fd;

	assert_int_equal(address_policy_init(&policy, allow, &fault), 0);
	*guard = (struct guard){ .policy = &policy };
	fd = guard_open_socket(guard, CURLSOCKTYPE_IPCXN, &address);
	address_policy_deinit(&policy);
	return fd;
}

static void
a_private_address_gets_no_socket_and_is_named(void **state)
{
	struct guard guard;

	(void)state;
	assert_int_equal(open_for("", "10.1.2.3", &guard), CURL_SOCKET_BAD);
	assert_string_equal(guard.refused, "10.1.2.3");
	assert_int_equal(open_for("", "127.0.0.1", &guard), CURL_SOCKET_BAD);
	assert_int_equal(open_for("10.0.0.0/8", "169.254.169.254", &guard),
	    CURL_SOCKET_BAD);
}

static void
a_public_or_allowed_address_gets_a_socket(void **state)
{
	struct guard guard;
	curl_socket_t fd;

	(void)state;
	fd = open_for("", "8.8.8.8", &guard);
	assert_true(fd >= 0);
	close(fd);
	assert_string_equal(guard.refused, "");
	fd = open_for("10.0.0.0/8", "10.1.2.3", &guard);
	assert_true(fd >= 0);
	close(fd);
}

static void
an_allowed_host_may_have_any_address(void **state)
{
	struct curl_sockaddr address = address_of(AF_INET, "169.254.169.254");
	struct guard guard = { .is_host_allowed = true };
	curl_socket_t fd;

	(void)state;
	fd = guard_open_socket(&guard, CURLSOCKTYPE_IPCXN, &address);
	assert_true(fd >= 0);
	close(fd);
	assert_string_equal(guard.refused, "");
	address.addr.sa_family = AF_UNIX;
	assert_int_equal(guard_open_socket(&guard, CURLSOCKTYPE_IPCXN,
	    &address), CURL_SOCKET_BAD);
}

static void
no_other_kind_of_socket_is_opened(void **state)
{
	struct curl_sockaddr address = { .family = AF_UNIX,
	    .socktype = SOCK_STREAM };
	struct fault fault = { .code = FAULT_NONE };
	struct address_policy policy;
	struct guard guard = { .policy = &policy };

	(void)state;
	assert_int_equal(address_policy_init(&policy, "0.0.0.0/0 ::/0",
	    &fault), 0);
	address.addr.sa_family = AF_UNIX;
	assert_int_equal(guard_open_socket(&guard, CURLSOCKTYPE_IPCXN,
	    &address), CURL_SOCKET_BAD);
	address = address_of(AF_INET, "8.8.8.8");
	assert_int_equal(guard_open_socket(&guard, CURLSOCKTYPE_ACCEPT,
	    &address), CURL_SOCKET_BAD);
	address_policy_deinit(&policy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_private_address_gets_no_socket_and_is_named),
		cmocka_unit_test(a_public_or_allowed_address_gets_a_socket),
		cmocka_unit_test(an_allowed_host_may_have_any_address),
		cmocka_unit_test(no_other_kind_of_socket_is_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
