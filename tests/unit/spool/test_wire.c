/* SPDX-License-Identifier: MIT */
/* Messages arrive whole and in order, however the socket cuts them. */
#include "config.h"

#include "spool/shard_private.h"

#include "wuts/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct pair {
	struct wire here, there;
};

static int
set_up(void **state)
{
	struct pair *pair = mem_calloc(1, sizeof(*pair));
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	wire_init(&pair->here, fds[0]);
	wire_init(&pair->there, fds[1]);
	*state = pair;
	return 0;
}

static int
tear_down(void **state)
{
	struct pair *pair = *state;

	wire_deinit(&pair->here);
	wire_deinit(&pair->there);
	free(pair);
	return 0;
}

static void
say(struct wire *wire, uint32_t number, const char *text, size_t len)
{
	const struct wire_target head = { .endpoint = number };

	wire_begin(wire, WIRE_TARGET, &head, sizeof(head));
	wire_add_text(wire, "between");
	wire_add(wire, text, len);
	wire_end(wire);
}

static void
assert_hears(struct wire *wire, uint32_t number, const char *text,
    size_t len)
{
	struct wire_message message;
	struct wire_target head;

	assert_true(wire_next(wire, &message));
	assert_int_equal(message.type, WIRE_TARGET);
	assert_true(wire_take(&message, &head, sizeof(head)));
	assert_int_equal(head.endpoint, number);
	assert_string_equal(wire_take_text(&message), "between");
	assert_int_equal(message.len, len);
	assert_memory_equal(message.data, text, len);
	assert_null(wire_take_text(&message));
	assert_false(wire_take(&message, &head, len + 1));
}

static void
messages_arrive_in_order(void **state)
{
	struct pair *pair = *state;

	for (uint32_t i = 0; i < 100; i++)
		say(&pair->here, i, "text", i % 5);
	assert_false(wire_is_flushed(&pair->here));
	assert_int_equal(wire_flush(&pair->here), 0);
	assert_true(wire_is_flushed(&pair->here));
	assert_int_equal(wire_receive(&pair->there), 0);
	for (uint32_t i = 0; i < 100; i++)
		assert_hears(&pair->there, i, "text", i % 5);
	assert_int_equal(wire_receive(&pair->there), 0);
	assert_int_equal(pair->there.in_done, pair->there.in.len);
}

static void
a_message_larger_than_the_socket_arrives_whole(void **state)
{
	struct pair *pair = *state;
	struct wire_message message;
	size_t all, len = (size_t)3 << 20;
	char *text = mem_calloc(1, len);
	int rounds = 0;

	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + i % 23);
	say(&pair->here, 7, text, len);
	say(&pair->here, 8, "more", 4);
	all = pair->here.out.len;
	while (!wire_is_flushed(&pair->here)) {
		assert_int_equal(wire_flush(&pair->here), 0);
		assert_false(wire_next(&pair->there, &message));
		assert_int_equal(wire_receive(&pair->there), 0);
		rounds++;
	}
	assert_true(rounds > 1);
	while (pair->there.in.len < all)
		assert_int_equal(wire_receive(&pair->there), 0);
	assert_hears(&pair->there, 7, text, len);
	assert_hears(&pair->there, 8, "more", 4);
	free(text);
}

static void
a_part_of_a_message_is_none(void **state)
{
	struct pair *pair = *state;
	struct wire_message message;

	say(&pair->here, 1, "text", 4);
	for (size_t i = 0; i + 1 < pair->here.out.len; i++) {
		assert_int_equal(send(pair->here.fd,
		    pair->here.out.data + i, 1, 0), 1);
		assert_int_equal(wire_receive(&pair->there), 0);
		assert_false(wire_next(&pair->there, &message));
	}
	pair->here.out_done = pair->here.out.len - 1;
	assert_int_equal(wire_flush(&pair->here), 0);
	assert_int_equal(wire_receive(&pair->there), 0);
	assert_hears(&pair->there, 1, "text", 4);
}

static void
what_was_said_before_the_end_is_heard(void **state)
{
	struct pair *pair = *state;

	say(&pair->here, 1, "last", 4);
	assert_int_equal(wire_flush(&pair->here), 0);
	wire_deinit(&pair->here);
	assert_int_equal(wire_receive(&pair->there), 0);
	assert_hears(&pair->there, 1, "last", 4);
	assert_int_equal(wire_receive(&pair->there), -1);
	say(&pair->there, 2, "nobody hears", 12);
	assert_int_equal(wire_flush(&pair->there), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define PAIRED(test) \
		cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		PAIRED(messages_arrive_in_order),
		PAIRED(a_message_larger_than_the_socket_arrives_whole),
		PAIRED(a_part_of_a_message_is_none),
		PAIRED(what_was_said_before_the_end_is_heard)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
