/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "spool/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	int epoll_fd;
	struct watches watches;
	int fd, peer;
};

static void
connect_pair(struct fixture *f)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    fds), 0);
	f->fd = fds[0];
	f->peer = fds[1];
}

static void
open_watches(struct fixture *f)
{
	f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	assert_true(f->epoll_fd >= 0);
	watches_init(&f->watches, f->epoll_fd);
	connect_pair(f);
}

static void
close_watches(struct fixture *f)
{
	watches_deinit(&f->watches);
	close(f->fd);
	close(f->peer);
	close(f->epoll_fd);
}

/* How many descriptors epoll tells of now. */
static int
told(const struct fixture *f)
{
	struct epoll_event events[4];

	return epoll_wait(f->epoll_fd, events, 4, 0);
}

static void
say(const struct fixture *f)
{
	assert_int_equal(write(f->peer, "x", 1), 1);
}

static void
nobody_is_told_twice_of_a_connection_that_rests(void **state)
{
	struct fixture f;

	(void)state;
	open_watches(&f);
	watches_keep(&f.watches, f.fd);
	assert_int_equal(watches_want(&f.watches, f.fd, EPOLLIN), 0);
	assert_int_equal(watches_want(&f.watches, f.fd, 0), 0);
	say(&f);
	assert_int_equal(told(&f), 1);
	assert_false(watches_are_for(&f.watches, f.fd));
	assert_int_equal(told(&f), 0);
	/* Whoever wants it again hears what has come since. */
	assert_int_equal(watches_want(&f.watches, f.fd, EPOLLIN), 0);
	assert_int_equal(told(&f), 1);
	assert_true(watches_are_for(&f.watches, f.fd));
	close_watches(&f);
}

static void
what_is_wanted_changes(void **state)
{
	struct fixture f;

	(void)state;
	open_watches(&f);
	watches_keep(&f.watches, f.fd);
	assert_int_equal(watches_want(&f.watches, f.fd, EPOLLOUT), 0);
	assert_int_equal(told(&f), 1);
	assert_int_equal(watches_want(&f.watches, f.fd, EPOLLIN), 0);
	assert_int_equal(told(&f), 0);
	assert_int_equal(watches_want(&f.watches, f.fd, EPOLLIN | EPOLLOUT),
	    0);
	assert_int_equal(told(&f), 1);
	close_watches(&f);
}

static void
a_socket_whose_end_nobody_tells_leaves_at_once(void **state)
{
	struct fixture f;

	(void)state;
	open_watches(&f);
	assert_int_equal(watches_want(&f.watches, f.fd, EPOLLIN), 0);
	assert_int_equal(watches_want(&f.watches, f.fd, 0), 0);
	say(&f);
	assert_int_equal(told(&f), 0);
	close_watches(&f);
}

static void
a_number_that_comes_again_is_a_new_socket(void **state)
{
	struct fixture f;
	int number;

	(void)state;
	open_watches(&f);
	number = f.fd;
	watches_keep(&f.watches, f.fd);
	assert_int_equal(watches_want(&f.watches, f.fd, EPOLLIN), 0);
	watches_forget(&f.watches, f.fd);
	close(f.fd);
	close(f.peer);
	connect_pair(&f);
	assert_int_equal(f.fd, number);
	watches_keep(&f.watches, f.fd);
	assert_int_equal(watches_want(&f.watches, f.fd, EPOLLIN), 0);
	say(&f);
	assert_int_equal(told(&f), 1);
	close_watches(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    nobody_is_told_twice_of_a_connection_that_rests),
		cmocka_unit_test(what_is_wanted_changes),
		cmocka_unit_test(
		    a_socket_whose_end_nobody_tells_leaves_at_once),
		cmocka_unit_test(a_number_that_comes_again_is_a_new_socket),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
