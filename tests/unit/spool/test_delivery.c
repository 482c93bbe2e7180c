/* SPDX-License-Identifier: MIT */
/* Attempts against a small HTTP server in a thread of the test. */
#include "config.h"

#include "test_support.h"

#include "spool/delivery.h"
#include "spool/signature.h"
#include "spool/target.h"

#include "wuts/address.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY "{\"id\":\"x\",\"data\":{\"n\":1.50}}"
#define DEADLINE_US (60 * CLOCK_SECOND_US)

struct fixture {
	/* the server */
	int listener;
	pthread_t thread;
	const char *answer;	/* NULL: never answers */
	size_t answer_repeats;	/* of its last byte */
	char request[8192];	/* the last one */
	int connections, requests;
	/* the client */
	int epoll_fd;
	struct address_policy policy;
	unsigned callback_timeout_ms;
	struct crypto_keys keys;
	struct delivery_pool *pool;
	struct target *target;
	struct delivery_result result;
	char answer_text[128];	/* of it */
	int results;
};

/* One request into f->request; false: the client has hung up. */
static bool
read_request(struct fixture *f, int fd)
{
	char request[sizeof(f->request)] = "";
	size_t len = 0;
	ssize_t n;

	while (strstr(request, BODY) == NULL) {
		n = read(fd, request + len, sizeof(request) - 1 - len);
		if (n <= 0)
			return false;
		len += (size_t)n;
	}
	memcpy(f->request, request, sizeof(request));
	f->requests++;
	return true;
}

static void
send_answer(const struct fixture *f, int fd)
{
	size_t len = strlen(f->answer);

	(void)!send(fd, f->answer, len, MSG_NOSIGNAL);
	for (size_t i = 0; i < f->answer_repeats; i++)
		if (send(fd, f->answer + len - 1, 1, MSG_NOSIGNAL) < 0)
			return;
}

static void *
serve(void *ctx)
{
	struct fixture *f = ctx;
	int fd;

	/* Ends when the listener is shut down. */
	while ((fd = accept(f->listener, NULL, NULL)) >= 0) {
		f->connections++;
		while (read_request(f, fd))
			if (f->answer != NULL)
				send_answer(f, fd);
		close(fd);
	}
	return NULL;
}

static void
on_result(void *ctx, struct delivery *delivery,
    const struct delivery_result *result)
{
	struct fixture *f = ctx;

	assert_memory_equal(delivery->record.body, BODY, strlen(BODY));
	f->result = *result;
	snprintf(f->answer_text, sizeof(f->answer_text), "%s",
	    result->answer);
	f->results++;
}

/* Callbacks may connect where webhooks may. */
static void
set_policy(struct fixture *f, bool http)
{
	const struct delivery_policy policy = {
		.http = http,
		.addresses = { &f->policy, &f->policy },
		.max_in_flight = 8,
		.callback_connect_timeout_ms = 10000,
		.callback_timeout_ms = f->callback_timeout_ms,
	};

	delivery_pool_set_policy(f->pool, &policy);
}

static int
setup(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct fault fault = { .code = FAULT_NONE };
	struct fixture *f = calloc(1, sizeof(*f));
	socklen_t len = sizeof(in);
	char url[64];

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->listener, (void *)&in, sizeof(in)), 0);
	assert_int_equal(listen(f->listener, 8), 0);
	assert_int_equal(getsockname(f->listener, (void *)&in, &len), 0);
	f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	assert_int_equal(address_policy_init(&f->policy, "127.0.0.0/8",
	    &fault), 0);
	f->pool = delivery_pool_new(f->epoll_fd, "/nonexistent", 8,
	    on_result, f);
	f->callback_timeout_ms = 20000;
	set_policy(f, true);
	test_keys(&f->keys, "0123456789abcdef0123456789abcdef");
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/hook?a=b",
	    ntohs(in.sin_port));
	f->target = test_target(&f->keys, UUID_NIL, url, "[\"*\"]");
	f->answer = "HTTP/1.1 204 No Content\r\n\r\n";
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	delivery_pool_free(&f->pool);
	shutdown(f->listener, SHUT_RDWR);
	pthread_join(f->thread, NULL);
	close(f->listener);
	close(f->epoll_fd);
	target_unref(&f->target);
	address_policy_deinit(&f->policy);
	free(f);
	return 0;
}

static void
start(struct fixture *f, unsigned attempt)
{
	struct delivery *delivery = delivery_get(f->pool);

	delivery->target = target_ref(f->target);
	delivery->record = (struct queue_record){
		.id = test_uuid(9), .event = "message.received",
		.body = BODY, .body_len = strlen(BODY),
	};
	delivery_start(f->pool, delivery, attempt,
	    1614265330 * INT64_C(1000000), clock_mono_us());
}

static const struct delivery_result *
run(struct fixture *f)
{
	int64_t deadline_us = clock_mono_us() + DEADLINE_US;
	struct epoll_event events[8];
	int before = f->results;

	while (f->results == before) {
		int64_t now_us = clock_mono_us();
		int64_t due_us = delivery_pool_due(f->pool);
		int n = epoll_wait(f->epoll_fd, events, 8,
		    due_us <= now_us ? 0 : 10);

		assert_true(now_us < deadline_us);
		for (int i = 0; i < n; i++)
			delivery_pool_socket(f->pool, events[i].data.fd,
			    events[i].events);
		delivery_pool_run(f->pool, clock_mono_us());
	}
	return &f->result;
}

static void
has(const struct fixture *f, const char *line)
{
	if (strstr(f->request, line) == NULL)
		fail_msg("no \"%s\" in:\n%s", line, f->request);
}

static void
an_attempt_carries_its_headers_and_the_exact_body(void **state)
{
	struct fixture *f = *state;
	char standard[SIGNATURE_STANDARD_SIZE], hex[SIGNATURE_HEX_SIZE];
	char line[160];

	start(f, 3);
	assert_int_equal(run(f)->status, 204);
	assert_string_equal(f->result.why, "");
	has(f, "POST /hook?a=b HTTP/1.1\r\n");
	has(f, "\r\nContent-Type: application/json\r\n");
	has(f, "\r\nUser-Agent: wuts-spool/" PACKAGE_VERSION "\r\n");
	has(f, "\r\nwebhook-id: 01920000-0000-7000-8000-000000000009\r\n");
	has(f, "\r\nwebhook-timestamp: 1614265330\r\n");
	has(f, "\r\nX-WUTS-Event: message.received\r\n");
	has(f, "\r\nX-WUTS-Delivery: 01920000-0000-7000-8000-000000000009\r\n");
	has(f, "\r\nX-WUTS-Attempt: 3\r\n");
	has(f, "\r\nAuthorization: Basic dTpw\r\n");
	has(f, "\r\nX-Empty:\r\n");
	has(f, "\r\n\r\n" BODY);
	assert_null(strstr(f->request, "Expect"));
	signature_standard(target_hmac(f->target),
	    "01920000-0000-7000-8000-000000000009", 1614265330, BODY,
	    strlen(BODY), standard);
	snprintf(line, sizeof(line), "\r\nwebhook-signature: %s\r\n",
	    standard);
	has(f, line);
	signature_hex(target_hmac(f->target), BODY, strlen(BODY), hex);
	snprintf(line, sizeof(line), "\r\nX-WUTS-Signature: %s\r\n", hex);
	has(f, line);
}

static void
a_connection_is_used_again(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 5; i++) {
		start(f, 1);
		assert_int_equal(run(f)->status, 204);
	}
	assert_int_equal(f->requests, 5);
	assert_int_equal(f->connections, 1);
}

static void
a_redirect_is_not_followed(void **state)
{
	struct fixture *f = *state;

	f->answer = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n"
	    "Content-Length: 0\r\n\r\n";
	start(f, 1);
	assert_int_equal(run(f)->status, 302);
	assert_int_equal(f->requests, 1);
}

static void
retry_after_is_reported(void **state)
{
	struct fixture *f = *state;

	f->answer = "HTTP/1.1 503 Later\r\nRetry-After: 120\r\n"
	    "Content-Length: 0\r\n\r\n";
	start(f, 1);
	assert_int_equal(run(f)->status, 503);
	assert_int_equal(f->result.retry_after_s, 120);
	f->answer = "HTTP/1.1 500 Broken\r\nRetry-After: 120\r\n"
	    "Content-Length: 0\r\n\r\n";
	start(f, 1);
	assert_int_equal(run(f)->status, 500);
	assert_int_equal(f->result.retry_after_s, 0);
}

static void
an_endless_answer_is_cut_but_its_status_counts(void **state)
{
	struct fixture *f = *state;

	f->answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nx";
	f->answer_repeats = SIZE_MAX;
	start(f, 1);
	assert_int_equal(run(f)->status, 200);
}

static void
an_answer_that_drips_costs_no_more_than_the_timeout(void **state)
{
	struct fixture *f = *state;

	/* The rest of the announced length never comes. */
	f->answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx";
	f->target->webhook.timeout_s = 1;
	start(f, 1);
	assert_int_equal(run(f)->status, 200);
	assert_in_range(f->result.duration_us, 900000, 8000000);
}

static void
what_is_no_http_is_called_so(void **state)
{
	struct fixture *f = *state;

	f->answer = "SSH-2.0-OpenSSH_9.2\r\n";
	start(f, 1);
	assert_int_equal(run(f)->status, 0);
	assert_string_equal(f->result.error, "the answer was not HTTP");
}

static void
what_the_receiver_says_is_kept(void **state)
{
	struct fixture *f = *state;

	f->answer = "HTTP/1.1 400 Bad\r\nContent-Length: 12\r\n\r\n"
	    "wrong\nfield\x80";
	start(f, 1);
	assert_int_equal(run(f)->status, 400);
	assert_string_equal(f->answer_text, "wrong field?");
	assert_string_equal(f->result.error, "");
	f->answer = "HTTP/1.1 204 No Content\r\n\r\n";
	start(f, 1);
	assert_int_equal(run(f)->status, 204);
	assert_string_equal(f->answer_text, "");
}

static void
a_receiver_that_does_not_answer_costs_the_timeout(void **state)
{
	struct fixture *f = *state;

	f->answer = NULL;
	f->target->webhook.timeout_s = 1;
	start(f, 1);
	assert_int_equal(run(f)->status, 0);
	assert_true(f->result.duration_us >= 900000);
	assert_non_null(strstr(f->result.why, "timed out"));
	assert_string_equal(f->result.error, "no answer in time");
}

static void
a_forbidden_address_is_not_connected_to(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct fixture *f = *state;

	address_policy_deinit(&f->policy);
	assert_int_equal(address_policy_init(&f->policy, "", &fault), 0);
	start(f, 1);
	assert_int_equal(run(f)->status, 0);
	assert_non_null(strstr(f->result.why, "127.0.0.1"));
	assert_string_equal(f->result.error,
	    "the host has no address that may be connected to");
	assert_int_equal(f->connections, 0);
}

static void
a_kept_connection_does_not_outlive_its_policy(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct fixture *f = *state;

	start(f, 1);
	assert_int_equal(run(f)->status, 204);
	address_policy_deinit(&f->policy);
	assert_int_equal(address_policy_init(&f->policy, "", &fault), 0);
	set_policy(f, true);
	start(f, 1);
	assert_int_equal(run(f)->status, 0);
	assert_non_null(strstr(f->result.why, "127.0.0.1"));
	assert_int_equal(f->requests, 1);
}

static void
a_kept_connection_that_the_new_policy_allows_is_used_again(void **state)
{
	struct fixture *f = *state;

	start(f, 1);
	assert_int_equal(run(f)->status, 204);
	set_policy(f, true);
	start(f, 1);
	assert_int_equal(run(f)->status, 204);
	assert_int_equal(f->connections, 1);
}

static void
plain_http_needs_permission(void **state)
{
	struct fixture *f = *state;

	set_policy(f, false);
	start(f, 1);
	assert_int_equal(run(f)->status, 0);
	assert_int_equal(f->connections, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static struct target *
callback_of(const struct fixture *f, const char *wa_id)
{
	struct onprem onprem = {
		.tenant_id = f->target->webhook.tenant_id,
		.settings.callback_persist = true,
	};

	snprintf(onprem.settings.webhook_url,
	    sizeof(onprem.settings.webhook_url), "%s",
	    f->target->webhook.url);
	snprintf(onprem.wa_id, sizeof(onprem.wa_id), "%s", wa_id);
	return target_new_callback(&onprem);
}

static void
a_callback_has_its_own_headers(void **state)
{
	struct fixture *f = *state;
	struct target *target = callback_of(f, "");
	char first[64];
	const char *id;

	f->answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	target_unref(&f->target);
	f->target = target;
	start(f, 1);
	assert_int_equal(run(f)->status, 200);
	has(f, "\r\nContent-Type: application/json\r\n");
	has(f, "\r\nX-WA-Account-Id:\r\n");
	has(f, "\r\nX-Request-Id: ");
	assert_null(strstr(f->request, "webhook-"));
	assert_null(strstr(f->request, "X-WUTS"));
	id = strstr(f->request, "X-Request-Id: ") + 14;
	assert_int_equal(strspn(id, "0123456789abcdef"), 32);
	snprintf(first, sizeof(first), "%.32s", id);
	start(f, 1);
	assert_int_equal(run(f)->status, 200);
	assert_null(strstr(f->request, first));
}

static void
a_callback_has_its_own_time(void **state)
{
	struct fixture *f = *state;
	struct target *target = callback_of(f, "1");

	target_unref(&f->target);
	f->target = target;
	f->answer = NULL;
	f->callback_timeout_ms = 1000;
	set_policy(f, true);
	start(f, 1);
	assert_int_equal(run(f)->status, 0);
	assert_int_equal(f->result.code, CURLE_OPERATION_TIMEDOUT);
	assert_in_range(f->result.duration_us, 900000, 8000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_attempt_carries_its_headers_and_the_exact_body),
		TEST(a_connection_is_used_again),
		TEST(a_redirect_is_not_followed),
		TEST(retry_after_is_reported),
		TEST(an_endless_answer_is_cut_but_its_status_counts),
		TEST(an_answer_that_drips_costs_no_more_than_the_timeout),
		TEST(what_is_no_http_is_called_so),
		TEST(what_the_receiver_says_is_kept),
		TEST(a_receiver_that_does_not_answer_costs_the_timeout),
		TEST(a_forbidden_address_is_not_connected_to),
		TEST(a_kept_connection_does_not_outlive_its_policy),
		TEST(a_kept_connection_that_the_new_policy_allows_is_used_again),
		TEST(plain_http_needs_permission),
		TEST(a_callback_has_its_own_headers),
		TEST(a_callback_has_its_own_time),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_ALL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
