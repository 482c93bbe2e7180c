/* SPDX-License-Identifier: MIT */
/* Events exist if and only if their transaction committed, whatever breaks on
   the way: the connection before COMMIT, inside it, and the claim after it.
   Between service and server stands a small proxy that cuts at COMMIT. */
#include "config.h"

#include "world.h"

#include "wuts/db.h"
#include "wuts/generations.h"
#include "wuts/idempotency_service.h"
#include "wuts/queue.h"

#include "../src/service/service_private.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the proxy: one connection at a time --- */

enum cut {
	CUT_NOTHING,
	CUT_AFTER_COMMIT,	/* done by the server, its answer is lost */
	CUT_BEFORE_COMMIT,	/* the server never gets it */
	CUT_AFTER_COMMIT_AND_STAY_AWAY,
	CUT_BEFORE_COMMIT_AND_STAY_AWAY,
	CUT_BEFORE_COMMIT_AND_THE_CLAIMS_ANSWER
};

struct proxy {
	volatile int *cut;	/* shared with the child */
	int listener;
	pid_t child;
};

static int
unix_socket(const char *path, struct sockaddr_un *address)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int
connect_server(const char *path)
{
	struct sockaddr_un address;
	int fd = unix_socket(path, &address);

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		_exit(3);
	return fd;
}

static int
is_commit(const char *data, ssize_t len)
{
	static const char commit[] = "\x03" "COMMIT";

	return memmem(data, (size_t)len, commit, sizeof(commit) - 1) != NULL;
}

static int
is_execute(const char *data, ssize_t len)
{
	return len > 4 && data[4] == 0x17;
}

/* Data from one side to the other. False: this connection is over. */
static int
carry(int to, const char *buf, ssize_t len)
{
	ssize_t written;

	while (len > 0) {
		written = write(to, buf, (size_t)len);
		if (written <= 0)
			return 0;
		buf += written;
		len -= written;
	}
	return 1;
}

static void
serve(struct proxy *proxy, int client, int server, int was_cut)
{
	struct pollfd fds[2] = { { client, POLLIN, 0 }, { server, POLLIN, 0 } };
	static char buf[1 << 16];
	ssize_t len;
	int cut;

	for (;;) {
		if (poll(fds, 2, -1) < 0)
			return;
		if (fds[0].revents != 0) {
			len = read(client, buf, sizeof(buf));
			cut = *proxy->cut;
			if (len <= 0)
				return;
			if (cut != CUT_NOTHING && is_commit(buf, len)) {
				if (cut == CUT_AFTER_COMMIT ||
				    cut == CUT_AFTER_COMMIT_AND_STAY_AWAY) {
					carry(server, buf, len);
					(void)!read(server, buf, sizeof(buf));
				}
				if (cut <= CUT_BEFORE_COMMIT)
					*proxy->cut = CUT_NOTHING;
				return;
			}
			if (!carry(server, buf, len))
				return;
			if (was_cut && is_execute(buf, len)) {
				(void)!read(server, buf, sizeof(buf));
				return;
			}
		}
		if (fds[1].revents != 0) {
			len = read(server, buf, sizeof(buf));
			if (len <= 0 || !carry(client, buf, len))
				return;
		}
	}
}

static void
proxy_main(struct proxy *proxy, const char *server_path)
{
	int client, server, was_cut = 0;

	for (;;) {
		client = accept(proxy->listener, NULL, NULL);
		if (client < 0)
			_exit(4);
		if (*proxy->cut <= CUT_BEFORE_COMMIT)
			was_cut = 0;
		if (!was_cut ||
		    *proxy->cut == CUT_BEFORE_COMMIT_AND_THE_CLAIMS_ANSWER) {
			server = connect_server(server_path);
			serve(proxy, client, server, was_cut);
			/* The server sees the end before the client can ask
			   again. */
			close(server);
			was_cut = *proxy->cut > CUT_BEFORE_COMMIT;
		}
		close(client);
	}
}

static void
proxy_start(struct world *w, struct proxy *proxy)
{
	char path[100], *server_path = w->settings.database_socket;
	struct sockaddr_un address;

	snprintf(path, sizeof(path), "%s/proxy", w->dir);
	proxy->cut = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(proxy->cut != MAP_FAILED);
	*proxy->cut = CUT_NOTHING;
	proxy->listener = unix_socket(path, &address);
	assert_int_equal(bind(proxy->listener, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	assert_int_equal(listen(proxy->listener, 8), 0);
	proxy->child = fork();
	if (proxy->child == 0) {
		/* Also when an assertion ends the test. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		proxy_main(proxy, server_path);
	}
	assert_true(proxy->child > 0);
	service_close(&w->service);
	w->settings.database_socket = strdup(path);
	w->service = world_service(w);
	free(server_path);
}

static void
proxy_stop(struct proxy *proxy)
{
	assert_int_equal(kill(proxy->child, SIGKILL), 0);
	assert_int_equal(waitpid(proxy->child, NULL, 0), proxy->child);
	close(proxy->listener);
	munmap((void *)(uintptr_t)proxy->cut, sizeof(int));
}

/* --- the change under test: a registration --- */

static int
try_register(struct world *w, const char *name)
{
	struct tenant_registered registered;
	struct tenant_registration input = {
		.tenant_name = name,
		.email = "admin@example.com",
		.password = "correct horse battery"
	};

	fault_clear(&w->fault);
	return tenant_service_register(w->service, &w->master, &input,
	    &registered, &w->fault);
}

static void
assert_tenants_and_events(struct world *w, long n)
{
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM tenant"), n);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users"), n);
	assert_int_equal(world_count_events(w, "tenant.created"), n);
	assert_int_equal(world_count_events(w, "user.created"), n);
}

static void
commit_whose_answer_is_lost_succeeds_with_its_events(void **state)
{
	struct world *w = *state;
	struct proxy proxy;

	proxy_start(w, &proxy);
	assert_int_equal(try_register(w, "First"), 0);
	*proxy.cut = CUT_AFTER_COMMIT;
	assert_ok(w, try_register(w, "Second"));
	assert_tenants_and_events(w, 2);
	assert_ok(w, try_register(w, "Third"));
	assert_tenants_and_events(w, 3);
	proxy_stop(&proxy);
}

static void
commit_that_never_arrived_fails_and_makes_no_event(void **state)
{
	struct world *w = *state;
	struct proxy proxy;

	proxy_start(w, &proxy);
	assert_int_equal(try_register(w, "First"), 0);
	*proxy.cut = CUT_BEFORE_COMMIT;
	assert_int_equal(try_register(w, "Second"), -1);
	assert_int_equal(w->fault.code, FAULT_DATABASE);
	assert_true(w->fault.retry_after_s > 0);
	assert_tenants_and_events(w, 1);
	assert_ok(w, try_register(w, "Second"));
	assert_tenants_and_events(w, 2);
	proxy_stop(&proxy);
}

/* The worker cannot find out, so it lets go, and the reader claims. */
static void
unknown_commit_is_left_to_the_reader(struct world *w, int cut, long tenants)
{
	struct proxy proxy;

	proxy_start(w, &proxy);
	assert_int_equal(try_register(w, "First"), 0);
	*proxy.cut = cut;
	assert_int_equal(try_register(w, "Second"), -1);
	assert_int_equal(w->fault.code, FAULT_DATABASE);
	assert_true(w->fault.retry_after_s > 0);
	assert_int_equal(world_events(w)->claimed, 2);
	assert_tenants_and_events(w, tenants);
	proxy_stop(&proxy);
}

static void
unknown_commit_that_happened_is_delivered_by_the_reader(void **state)
{
	unknown_commit_is_left_to_the_reader(*state,
	    CUT_AFTER_COMMIT_AND_STAY_AWAY, 2);
}

static void
unknown_commit_that_did_not_happen_is_dropped_by_the_reader(void **state)
{
	unknown_commit_is_left_to_the_reader(*state,
	    CUT_BEFORE_COMMIT_AND_STAY_AWAY, 1);
}

/* The claim is done, and nobody knows: it is asked again and must answer the
   same, though its own row is there now. */
static void
claim_whose_answer_is_lost_does_not_invent_an_event(void **state)
{
	unknown_commit_is_left_to_the_reader(*state,
	    CUT_BEFORE_COMMIT_AND_THE_CLAIMS_ANSWER, 1);
}

/* --- a connection lost before COMMIT --- */

struct breaking {
	struct world *w;
	unsigned runs;
	unsigned breaks;	/* kill the connection in so many runs */
	bool fails;
};

static int
breaking_body(struct change *change, void *ctx, struct fault *fault)
{
	struct breaking *breaking = ctx;

	breaking->runs++;
	if (change_lock_tenant(change, fault) < 0 ||
	    change_emit(change, "user.updated", "{}", 2, fault) < 0)
		return -1;
	if (breaking->runs <= breaking->breaks)
		world_kill_connections(breaking->w);
	if (change_audit(change, "user.updated", &change->tenant_id, NULL,
	    NULL, fault) < 0)
		return -1;
	return breaking->fails ? fault_say(fault, REFUSAL_FORBIDDEN, "no") : 0;
}

static void
connection_lost_in_the_body_runs_it_again_with_one_event(void **state)
{
	struct world *w = *state;
	struct breaking breaking = { .w = w, .breaks = 2 };
	struct tenant_registered registered;

	world_tenant(w, "First", &registered);
	assert_ok(w, change_run(w->service, &w->master, &registered.tenant.id,
	    breaking_body, &breaking, &w->fault));
	assert_int_equal(breaking.runs, 3);
	assert_int_equal(world_count_events(w, "user.updated"), 1);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"
	    " WHERE action = 'user.updated'"), 1);
	assert_int_equal(world_events(w)->claimed, 0);
}

static void
refused_change_has_no_event_and_no_audit_row(void **state)
{
	struct world *w = *state;
	struct breaking breaking = { .w = w, .fails = true };
	struct tenant_registered registered;
	uint64_t generation;

	world_tenant(w, "First", &registered);
	generation = generations_get(w->service->generations,
	    &registered.tenant.id);
	assert_refused(w, change_run(w->service, &w->master,
	    &registered.tenant.id, breaking_body, &breaking, &w->fault),
	    REFUSAL_FORBIDDEN);
	assert_int_equal(world_count_events(w, "user.updated"), 0);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"
	    " WHERE action = 'user.updated'"), 0);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM outbox"), 2);
	assert_int_equal(generations_get(w->service->generations,
	    &registered.tenant.id), generation);
	assert_int_equal(world_events(w)->claimed, 0);
}

static void
change_of_no_tenant_is_refused(void **state)
{
	struct world *w = *state;
	struct breaking breaking = { .w = w };
	struct uuid nobody;

	uuid_new_ordered(&nobody);
	assert_refused(w, change_run(w->service, &w->master, &nobody,
	    breaking_body, &breaking, &w->fault), REFUSAL_TENANT_NOT_FOUND);
	assert_int_equal(world_events(w)->n, 0);
}

/* --- an answer kept for an Idempotency-Key, of a change without events --- */

struct creation {
	struct idempotency idempotency;
	struct idempotency_answer answer;
	struct reply reply;
	struct caller caller;
	struct device device;
};

static void
render_device(void *ctx, struct idempotency_answer *answer_r)
{
	const struct creation *creation = ctx;

	answer_r->status = 201;
	answer_r->text = creation->device.name;
	answer_r->len = strlen(creation->device.name);
}

static int
begin_creation(struct world *w, const struct user *user,
    struct creation *creation)
{
	memset(creation, 0, sizeof(*creation));
	creation->reply.idempotency = &creation->idempotency;
	creation->reply.render = render_device;
	creation->reply.ctx = creation;
	creation->caller = world_caller(user);
	fault_clear(&w->fault);
	return idempotency_service_begin(w->service, w->arena,
	    &creation->caller, "key", "/devices", "", 0,
	    &creation->idempotency, &creation->answer, &w->fault);
}

static int
create_device(struct world *w, struct creation *creation)
{
	creation->caller.reply = &creation->reply;
	fault_clear(&w->fault);
	return device_service_create(w->service, &creation->caller, "phone",
	    &creation->device, &w->fault);
}

static void
answer_tells_of_a_lost_commit_that_happened(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct creation creation;
	struct proxy proxy;

	world_tenant(w, "Acme", &tenant);
	proxy_start(w, &proxy);
	assert_int_equal(begin_creation(w, &tenant.admin, &creation), 0);
	*proxy.cut = CUT_AFTER_COMMIT;
	assert_ok(w, create_device(w, &creation));
	assert_int_equal(creation.idempotency.stored, 1);
	assert_int_equal(begin_creation(w, &tenant.admin, &creation), 1);
	assert_int_equal(creation.answer.status, 201);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM device"), 1);
	proxy_stop(&proxy);
}

static void
answer_tells_of_a_lost_commit_that_did_not_happen(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct creation creation;
	struct proxy proxy;

	world_tenant(w, "Acme", &tenant);
	proxy_start(w, &proxy);
	assert_int_equal(begin_creation(w, &tenant.admin, &creation), 0);
	*proxy.cut = CUT_BEFORE_COMMIT;
	assert_int_equal(create_device(w, &creation), -1);
	assert_int_equal(w->fault.code, FAULT_DATABASE);
	assert_int_equal(creation.idempotency.stored, 0);
	idempotency_service_abandon(w->service, &creation.idempotency);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM idempotency"),
	    0);
	assert_int_equal(begin_creation(w, &tenant.admin, &creation), 0);
	assert_ok(w, create_device(w, &creation));
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM device"), 1);
	proxy_stop(&proxy);
}

/* --- a process killed anywhere --- */

static void
register_until_killed(struct world *w, unsigned round)
{
	struct service *service = world_service(w);
	char name[40];
	unsigned i;

	w->service = service;
	for (i = 0;; i++) {
		snprintf(name, sizeof(name), "round %u tenant %u", round, i);
		if (try_register(w, name) < 0)
			_exit(1);
	}
}

static void
process_killed_anywhere_leaves_tenants_and_events_alike(void **state)
{
	struct world *w = *state;
	unsigned round, delay;
	long before, now;
	pid_t child;

	service_close(&w->service);
	for (round = 0; round < 12; round++) {
		before = world_number(w, "SELECT COUNT(*) FROM tenant");
		child = fork();
		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			register_until_killed(w, round);
		}
		/* Let it get going, then strike somewhere. */
		do
			now = world_number(w, "SELECT COUNT(*) FROM tenant");
		while (now < before + 3 && waitpid(child, NULL, WNOHANG) == 0);
		for (delay = (round * 37) % 200; delay > 0; delay--)
			(void)world_number(w, "SELECT 1");
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		/* The server has let go of the dead client's locks. */
		while (world_number(w, "SELECT COUNT(*)"
		    " FROM information_schema.processlist WHERE db = '%s'",
		    w->database) > 1)
			continue;
	}
	now = world_number(w, "SELECT COUNT(*) FROM tenant");
	assert_tenants_and_events(w, now);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM tenant t"
	    " JOIN users u ON u.tenant_id = t.id AND u.role = 'admin'"), now);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"),
	    2 * now);
}

/* --- ready? --- */

static void
readiness_names_what_is_missing(void **state)
{
	struct world *w = *state;

	assert_ok(w, service_check_ready(w->service, &w->fault));
	world_sql(w, "INSERT INTO schema_migration VALUES (99, 'x', NOW(6))");
	assert_refused(w, service_check_ready(w->service, &w->fault),
	    FAULT_DATABASE);
	assert_non_null(strstr(w->fault.said, "schema"));
	world_sql(w, "DELETE FROM schema_migration WHERE version = 99");
	service_close(&w->service);
	w->settings.queue_disk_reserve = (size_t)1 << 60;
	w->service = world_service(w);
	assert_int_equal(service_check_ready(w->service, &w->fault), -1);
	assert_non_null(strstr(w->fault.said, "queue"));
	service_close(&w->service);
	memcpy(w->settings.database_socket, "/nowhere", 9);
	w->service = world_service(w);
	assert_refused(w, service_check_ready(w->service, &w->fault),
	    FAULT_DATABASE);
	assert_non_null(strstr(w->fault.said, "database"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(commit_whose_answer_is_lost_succeeds_with_its_events),
		TEST(commit_that_never_arrived_fails_and_makes_no_event),
		TEST(unknown_commit_that_happened_is_delivered_by_the_reader),
		TEST(unknown_commit_that_did_not_happen_is_dropped_by_the_reader),
		TEST(claim_whose_answer_is_lost_does_not_invent_an_event),
		TEST(connection_lost_in_the_body_runs_it_again_with_one_event),
		TEST(refused_change_has_no_event_and_no_audit_row),
		TEST(change_of_no_tenant_is_refused),
		TEST(answer_tells_of_a_lost_commit_that_happened),
		TEST(answer_tells_of_a_lost_commit_that_did_not_happen),
		TEST(process_killed_anywhere_leaves_tenants_and_events_alike),
		TEST(readiness_names_what_is_missing),
	};

	return cmocka_run_group_tests_name("service/change", tests, NULL,
	    NULL);
}
