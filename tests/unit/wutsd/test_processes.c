/* SPDX-License-Identifier: MIT */
/* wutsd as it runs: the program itself, its workers, its signals and its ways
   to a socket. Only /healthz is asked for, which needs no database. */
#include "config.h"

#include "rig.h"

#include "../http/fcgi_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define KEPT 40

static struct rig rig;

static int
tear_down(void **state)
{
	(void)state;
	rig_deinit(&rig);
	return 0;
}

static void
serve_with(unsigned workers, const char *extra)
{
	rig_init(&rig, workers, extra);
	rig_serve(&rig, RIG_OWN, NULL);
}

static void
it_serves_on_a_socket_with_the_mode_configured(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	serve_with(2, "socket_mode = 0606");
	assert_int_equal(stat(rig.socket, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0606);
	assert_int_equal(rig_ask(&rig, "/healthz"), 200);
	assert_int_equal(rig_ask(&rig, "/nowhere"), 404);
	fd = rig_connect(&rig);
	for (int i = 0; i < 3; i++)
		assert_int_equal(rig_get(fd, true, "/healthz"), 200);
	close(fd);
	rig_signal(&rig, SIGTERM);
	assert_int_equal(rig_wait(&rig), 0);
	assert_int_equal(stat(rig.socket, &st), -1);
	assert_int_equal(rig_log_count(&rig, " error "), 0);
}

static void
idle_kept_connections_park_nobody(void **state)
{
	int fds[KEPT];

	(void)state;
	serve_with(2, NULL);
	for (int i = 0; i < KEPT; i++) {
		fds[i] = rig_connect(&rig);
		assert_int_equal(rig_get(fds[i], true, "/healthz"), 200);
		assert_int_equal(rig_ask(&rig, "/healthz"), 200);
	}
	for (int i = KEPT; i-- > 0;) {
		assert_int_equal(rig_get(fds[i], true, "/healthz"), 200);
		close(fds[i]);
	}
	assert_int_equal(rig_ask(&rig, "/healthz"), 200);
}

static void
a_killed_worker_comes_back_and_the_others_serve(void **state)
{
	pid_t first;

	(void)state;
	serve_with(2, NULL);
	first = rig_worker(&rig, 0);
	assert_int_equal(kill(first, SIGKILL), 0);
	rig_log_wait(&rig, "died: signal 9", 1);
	rig_log_wait(&rig, " slot=0 started", 2);
	assert_int_not_equal(rig_worker(&rig, 0), first);
	for (int i = 0; i < 20; i++)
		assert_int_equal(rig_ask(&rig, "/healthz"), 200);
}

static void
a_reload_under_load_refuses_nothing(void **state)
{
	struct rig_load *load;

	(void)state;
	serve_with(2, NULL);
	load = rig_load_start(&rig, 6, 2);
	for (unsigned i = 0; i < 4; i++) {
		rig_load_wait(load, 200);
		rig_configure(&rig, 2 + i % 2, NULL);
		rig_signal(&rig, SIGHUP);
		rig_log_wait(&rig, "ready: ", i + 2);
	}
	rig_load_wait(load, 200);
	assert_int_equal(rig_load_stop(&load), 0);
	assert_int_equal(rig_log_count(&rig, " error "), 0);
	assert_int_equal(rig_log_count(&rig, " warn "), 0);
}

static void
a_bad_configuration_leaves_the_old_one(void **state)
{
	pid_t worker;

	(void)state;
	serve_with(2, NULL);
	worker = rig_worker(&rig, 0);
	rig_configure(&rig, 2, "no_such_setting = 1");
	rig_signal(&rig, SIGHUP);
	rig_log_wait(&rig, "the old configuration stays", 1);
	assert_int_equal(rig_ask(&rig, "/healthz"), 200);
	assert_int_equal(rig_worker(&rig, 0), worker);
}

static void
recycling_under_load_loses_nothing(void **state)
{
	struct rig_load *load;

	(void)state;
	serve_with(2, "worker_max_requests = 100");
	load = rig_load_start(&rig, 6, 2);
	rig_log_wait(&rig, " ended", 6);
	rig_load_wait(load, 200);
	assert_int_equal(rig_load_stop(&load), 0);
	assert_int_equal(rig_log_count(&rig, " error "), 0);
	assert_int_equal(rig_log_count(&rig, " warn "), 0);
}

static void
a_stuck_worker_is_killed_and_replaced(void **state)
{
	const char *const params[] = { "REQUEST_METHOD=GET",
	    "REQUEST_URI=/healthz", "REMOTE_ADDR=192.0.2.1", NULL };
	int fd;

	(void)state;
	serve_with(2, "request_timeout = 3s");
	/* The end of its body never comes. */
	fd = rig_connect(&rig);
	assert_true(fcgi_send_unfinished(fd, params));
	assert_int_equal(rig_ask(&rig, "/healthz"), 200);
	rig_log_wait(&rig, "overdue in a request, killed", 1);
	rig_log_wait(&rig, " started", 3);
	assert_int_equal(rig_ask(&rig, "/healthz"), 200);
	close(fd);
}

static void
a_second_master_is_refused(void **state)
{
	struct rig second;
	char out[1024];

	(void)state;
	serve_with(1, NULL);
	second = rig;
	snprintf(second.config, sizeof(second.config), "%s/conf2", rig.dir);
	rig_configure(&second, 1, NULL);
	assert_int_equal(rig_run(&second, NULL, out, sizeof(out)), 1);
	assert_int_equal(rig_log_count(&rig, "another wutsd"), 1);
	assert_int_equal(rig_ask(&rig, "/healthz"), 200);
}

static void
the_socket_of_a_killed_master_is_replaced(void **state)
{
	(void)state;
	serve_with(2, NULL);
	rig_signal(&rig, SIGKILL);
	assert_int_equal(rig_wait(&rig), 128 + SIGKILL);
	rig_start(&rig, RIG_OWN, NULL);
	rig_log_wait(&rig, "ready: ", 2);
	assert_int_equal(rig_ask(&rig, "/healthz"), 200);
}

static void
what_is_no_socket_is_not_replaced(void **state)
{
	char out[1024];
	FILE *file;

	(void)state;
	rig_init(&rig, 1, NULL);
	file = fopen(rig.socket, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(rig_run(&rig, NULL, out, sizeof(out)), 1);
	assert_int_equal(rig_log_count(&rig, "is not a socket"), 1);
}

static void
a_socket_path_that_is_too_long_is_refused(void **state)
{
	char out[1024], extra[256];

	(void)state;
	memset(extra, 'x', sizeof(extra));
	memcpy(extra, "socket = /tmp/", 14);
	extra[14 + 110] = '\0';
	rig_init(&rig, 1, extra);
	assert_int_equal(rig_run(&rig, NULL, out, sizeof(out)), 1);
	assert_int_equal(rig_log_count(&rig, "107 bytes"), 1);
}

static void
a_socket_on_descriptor_0_makes_it_the_worker(void **state)
{
	(void)state;
	rig_init(&rig, 4, NULL);
	rig_serve(&rig, RIG_STDIN, NULL);
	assert_int_equal(rig_ask(&rig, "/healthz"), 200);
	assert_int_equal(rig_log_count(&rig, "worker pid="), 0);
	rig_signal(&rig, SIGTERM);
	assert_int_equal(rig_wait(&rig), 0);
}

static void
a_socket_on_descriptor_0_may_have_workers(void **state)
{
	const char *const args[] = { "--workers", "3", NULL };

	(void)state;
	rig_init(&rig, 1, NULL);
	rig_serve(&rig, RIG_STDIN, args);
	assert_int_equal(rig_ask(&rig, "/healthz"), 200);
	assert_int_equal(rig_log_count(&rig, "ready: 3 workers"), 1);
	rig_signal(&rig, SIGTERM);
	assert_int_equal(rig_wait(&rig), 0);
}

/* One message to the notification socket. */
static void
take_notice(int fd, char text_r[128])
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	ssize_t n;

	assert_int_equal(poll(&in, 1, 30000), 1);
	n = recv(fd, text_r, 127, 0);
	assert_true(n > 0);
	text_r[n] = '\0';
}

static void
expect_notice(int fd, const char *wanted)
{
	char text[128];

	take_notice(fd, text);
	assert_string_equal(text, wanted);
}

static bool
is_notice(int fd, const char *wanted)
{
	char text[128];

	take_notice(fd, text);
	return strcmp(text, wanted) == 0;
}

/* A service manager's socket, named in the environment. */
static int
listen_for_notices(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/notify", rig.dir);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr,
	    sizeof(addr)), 0);
	setenv("NOTIFY_SOCKET", addr.sun_path, 1);
	return fd;
}

static void
systemd_passes_the_socket_and_is_told(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	rig_init(&rig, 2, NULL);
	fd = listen_for_notices();
	rig_serve(&rig, RIG_ACTIVATED, NULL);
	unsetenv("NOTIFY_SOCKET");
	expect_notice(fd, "READY=1");
	assert_int_equal(rig_ask(&rig, "/healthz"), 200);
	rig_signal(&rig, SIGHUP);
	expect_notice(fd, "RELOADING=1");
	expect_notice(fd, "READY=1");
	rig_signal(&rig, SIGTERM);
	expect_notice(fd, "STOPPING=1");
	assert_int_equal(rig_wait(&rig), 0);
	assert_int_equal(stat(rig.socket, &st), 0);	/* not ours */
	close(fd);
}

static void
the_watchdog_hears_from_the_master_as_often_as_it_wants(void **state)
{
	int fd;

	(void)state;
	rig_init(&rig, 1, "request_timeout = 1s\n");
	fd = listen_for_notices();
	setenv("WATCHDOG_USEC", "30000", 1);
	rig_start(&rig, RIG_OWN, NULL);
	unsetenv("WATCHDOG_USEC");
	unsetenv("NOTIFY_SOCKET");
	expect_notice(fd, "WATCHDOG=1");
	/* Read all the time: the socket holds ten, and then its writer waits. */
	for (unsigned i = 0; !is_notice(fd, "READY=1"); i++)
		assert_in_range(i, 0, 10000);
	expect_notice(fd, "WATCHDOG=1");
	expect_notice(fd, "WATCHDOG=1");
	rig_signal(&rig, SIGTERM);
	assert_int_equal(rig_wait(&rig), 0);
	close(fd);
}

static void
more_workers_than_connections_are_refused(void **state)
{
	static const char *const check[] = { "-t", NULL };
	static const char *const two[] = { "--workers", "2", NULL };
	char out[128];

	(void)state;
	rig_init(&rig, 3, "database_connections = 5\n");
	assert_int_equal(rig_run(&rig, check, out, sizeof(out)), 1);
	rig_start(&rig, RIG_OWN, NULL);
	assert_int_equal(rig_wait(&rig), 1);
	assert_int_equal(rig_log_count(&rig, "room for 2 workers, not for 3"),
	    1);
	rig_serve(&rig, RIG_OWN, two);
	assert_int_equal(rig_ask(&rig, "/healthz"), 200);
	/* The file says three still: the command line counts. */
	rig_signal(&rig, SIGHUP);
	rig_log_wait(&rig, "ready: ", 2);
	assert_int_equal(rig_ask(&rig, "/healthz"), 200);
	rig_signal(&rig, SIGTERM);
	assert_int_equal(rig_wait(&rig), 0);
}

static void
stopping_answers_what_has_arrived(void **state)
{
	const char *const params[] = { "REQUEST_METHOD=GET",
	    "REQUEST_URI=/healthz", "REMOTE_ADDR=192.0.2.1", NULL };
	struct fcgi_answer answer;
	int fds[KEPT];

	(void)state;
	serve_with(1, NULL);
	/* The only worker stands still, so that all of them wait. */
	kill(rig_worker(&rig, 0), SIGSTOP);
	for (int i = 0; i < KEPT; i++) {
		fds[i] = rig_connect(&rig);
		assert_true(fcgi_send(fds[i], i % 2 == 0, params, NULL, 0));
	}
	rig_signal(&rig, SIGTERM);
	rig_log_wait(&rig, "stopping: ", 1);
	kill(rig_worker(&rig, 0), SIGCONT);
	for (int i = 0; i < KEPT; i++) {
		assert_true(fcgi_receive(fds[i], &answer));
		assert_true(answer.is_complete);
		assert_int_equal(answer.status, 200);
		fcgi_answer_free(&answer);
		close(fds[i]);
	}
	assert_int_equal(rig_wait(&rig), 0);
}

static void
the_log_is_reopened_on_demand(void **state)
{
	char moved[128];

	(void)state;
	serve_with(1, NULL);
	snprintf(moved, sizeof(moved), "%s/log.1", rig.dir);
	assert_int_equal(rename(rig.log, moved), 0);
	rig_signal(&rig, SIGUSR1);
	/* The worker is told by the master: ask until it has heard it. */
	for (unsigned i = 0; rig_log_count(&rig, "path=/healthz") == 0; i++) {
		assert_in_range(i, 0, 10000);
		assert_int_equal(rig_ask(&rig, "/healthz"), 200);
	}
}

static void
a_request_leaves_one_line_in_the_log(void **state)
{
	(void)state;
	serve_with(1, NULL);
	assert_int_equal(rig_ask(&rig, "/healthz?token=hidden"), 200);
	rig_log_wait(&rig, " address=192.0.2.1 user=- tenant=- method=GET "
	    "path=/healthz status=200 ms=", 1);
	assert_int_equal(rig_log_count(&rig, "hidden"), 0);
}

static void
the_configuration_can_be_tested(void **state)
{
	const char *const args[] = { "-t", NULL };
	char out[1024];

	(void)state;
	rig_init(&rig, 1, NULL);
	assert_int_equal(rig_run(&rig, args, out, sizeof(out)), 0);
	assert_string_equal(out, "the configuration is good\n");
	rig_configure(&rig, 1, "workers = many");
	assert_int_equal(rig_run(&rig, args, out, sizeof(out)), 1);
	assert_non_null(strstr(out, "workers"));
}

static void
the_routes_can_be_listed(void **state)
{
	const char *const args[] = { "--routes", NULL };
	char out[16384];

	(void)state;
	rig_init(&rig, 1, NULL);
	assert_int_equal(rig_run(&rig, args, out, sizeof(out)), 0);
	assert_non_null(strstr(out, "GET /healthz public ops\n"));
	assert_non_null(strstr(out, "POST /register master wuts\n"));
}

#define TEST(f) cmocka_unit_test_teardown(f, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_serves_on_a_socket_with_the_mode_configured),
		TEST(idle_kept_connections_park_nobody),
		TEST(a_killed_worker_comes_back_and_the_others_serve),
		TEST(a_reload_under_load_refuses_nothing),
		TEST(a_bad_configuration_leaves_the_old_one),
		TEST(recycling_under_load_loses_nothing),
		TEST(a_stuck_worker_is_killed_and_replaced),
		TEST(a_second_master_is_refused),
		TEST(the_socket_of_a_killed_master_is_replaced),
		TEST(what_is_no_socket_is_not_replaced),
		TEST(a_socket_path_that_is_too_long_is_refused),
		TEST(a_socket_on_descriptor_0_makes_it_the_worker),
		TEST(a_socket_on_descriptor_0_may_have_workers),
		TEST(systemd_passes_the_socket_and_is_told),
		TEST(more_workers_than_connections_are_refused),
		TEST(the_watchdog_hears_from_the_master_as_often_as_it_wants),
		TEST(stopping_answers_what_has_arrived),
		TEST(the_log_is_reopened_on_demand),
		TEST(a_request_leaves_one_line_in_the_log),
		TEST(the_configuration_can_be_tested),
		TEST(the_routes_can_be_listed)
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
