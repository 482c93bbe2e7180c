/* SPDX-License-Identifier: MIT */
/* The memory is exact on one machine: once a change has returned, no process
   answers as before. One process changes, others ask all the time. The states
   are numbered; an answer is judged when no change began meanwhile. */
#include "config.h"

#include "world.h"

#include "wuts/api_key_service.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASKERS 2
#define STATES 40

/* What the processes share. */
struct board {
	_Atomic unsigned begun;		/* changes to this state have begun */
	_Atomic unsigned done;		/* … and have returned */
	_Atomic unsigned judged[ASKERS];
	_Atomic unsigned stale[ASKERS];
	struct uuid tenant_id, user_id;
	struct caller admin;
	char tokens[STATES + 1][API_KEY_TEXT_LEN + 1];	/* of each state */
	struct uuid keys[STATES + 1];
};

/* One thing that is changed and asked for. */
struct subject {
	void (*change)(struct world *w, struct board *board, unsigned state);
	/* Is the answer that of this state? */
	bool (*ask)(struct world *w, const struct board *board,
	    unsigned state);
};

static int
find(struct world *w, const char *token, struct identity *identity_r)
{
	fault_clear(&w->fault);
	return identity_service_find(w->service, token, strlen(token),
	    identity_r, &w->fault);
}

static void
change_user(struct world *w, const struct board *board,
    const struct user_change *change)
{
	struct user before, after;

	assert_ok(w, user_service_change(w->service, &w->master,
	    &board->user_id, change, NULL, &before, &after, &w->fault));
}

/* --- the active flag: odd states are inactive --- */

static void
active_change(struct world *w, struct board *board, unsigned state)
{
	struct user_change change = {
		.has_active = true, .active = state % 2 == 0
	};

	change_user(w, board, &change);
}

static bool
active_ask(struct world *w, const struct board *board, unsigned state)
{
	struct identity identity;

	return find(w, board->tokens[0], &identity) == (state % 2 == 0);
}

/* --- the role, by the token --- */

static void
role_change(struct world *w, struct board *board, unsigned state)
{
	struct user_change change = {
		.has_role = true,
		.role = state % 2 == 0 ? ROLE_USER : ROLE_MANAGER
	};

	change_user(w, board, &change);
}

static bool
role_ask(struct world *w, const struct board *board, unsigned state)
{
	struct identity identity;

	return find(w, board->tokens[0], &identity) == 1 &&
	    identity.role == (state % 2 == 0 ? ROLE_USER : ROLE_MANAGER);
}

/* --- the role, as GET shows it --- */

static bool
get_ask(struct world *w, const struct board *board, unsigned state)
{
	struct user user;

	return user_service_get(w->service, &board->admin, &board->user_id,
	    &user, &w->fault) == 0 &&
	    user.role == (state % 2 == 0 ? ROLE_USER : ROLE_MANAGER);
}

/* --- the token: each state has its own --- */

static void
token_change(struct world *w, struct board *board, unsigned state)
{
	char token[UUID_TEXT_LEN + 1];

	assert_ok(w, user_service_rotate_token(w->service, &w->master,
	    &board->user_id, token, &w->fault));
	memcpy(board->tokens[state], token, sizeof(token));
}

static bool
token_ask(struct world *w, const struct board *board, unsigned state)
{
	struct identity identity;

	return (state == 0 ||
	    find(w, board->tokens[state - 1], &identity) == 0) &&
	    find(w, board->tokens[state], &identity) == 1;
}

/* --- an API key: made in even states, deleted in odd ones --- */

static void
key_change(struct world *w, struct board *board, unsigned state)
{
	struct api_key_input input = {
		.tenant_id = board->tenant_id, .name = "k"
	};
	struct api_key key;

	if (state % 2 == 0) {
		assert_ok(w, api_key_service_create(w->service, &w->master,
		    &input, &key, board->tokens[state], &w->fault));
		board->keys[state] = key.id;
		return;
	}
	memcpy(board->tokens[state], board->tokens[state - 1],
	    sizeof(board->tokens[state]));
	assert_ok(w, api_key_service_delete(w->service, &w->master,
	    &board->tenant_id, &board->keys[state - 1], &w->fault));
}

static bool
key_ask(struct world *w, const struct board *board, unsigned state)
{
	struct identity identity;

	return find(w, board->tokens[state], &identity) == (state % 2 == 0);
}

/* --- the matrix --- */

static void
matrix_change(struct world *w, struct board *board, unsigned state)
{
	(void)board;
	assert_int_equal(role_service_allow(w->service, &w->master,
	    ROLE_MANAGER, ROLE_USER, ROLE_MANAGER, state % 2 == 0,
	    &w->fault), 1);
}

static bool
matrix_ask(struct world *w, const struct board *board, unsigned state)
{
	struct role_matrix matrix;

	(void)board;
	return role_service_matrix(w->service, &matrix, &w->fault) == 0 &&
	    role_may_change(&matrix, ROLE_MANAGER, ROLE_USER,
	    ROLE_MANAGER) == (state % 2 == 0);
}

/* --- the race --- */

static void
keep_asking(struct world *w, struct board *board,
    const struct subject *subject, unsigned number)
{
	unsigned state;
	bool right;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	w->service = world_service(w);
	for (;;) {
		state = atomic_load(&board->done);
		right = subject->ask(w, board, state);
		if (atomic_load(&board->begun) != state)
			continue;
		if (!right)
			atomic_fetch_add(&board->stale[number], 1);
		atomic_fetch_add(&board->judged[number], 1);
	}
}

/* Every asker has judged this state at least twice: the second answer comes
   from memory. */
static void
wait_for_askers(struct board *board, const pid_t *askers)
{
	unsigned seen[ASKERS];
	int i;

	for (i = 0; i < ASKERS; i++)
		seen[i] = atomic_load(&board->judged[i]);
	for (i = 0; i < ASKERS; i++)
		while (atomic_load(&board->judged[i]) < seen[i] + 3)
			assert_int_equal(sched_yield() + waitpid(askers[i],
			    NULL, WNOHANG), 0);
}

static void
run(struct world *w, const struct subject *subject)
{
	struct tenant_registered tenant;
	struct user_registered user;
	pid_t askers[ASKERS];
	struct board *board;
	unsigned state;
	int i;

	world_tenant(w, "Acme", &tenant);
	world_user(w, &tenant.tenant.id, "u@example.com", ROLE_USER, &user);
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(board != MAP_FAILED);
	board->tenant_id = tenant.tenant.id;
	board->user_id = user.user.id;
	board->admin = world_caller(&tenant.admin);
	memcpy(board->tokens[0], user.token, sizeof(user.token));
	if (subject->change == key_change)
		key_change(w, board, 0);
	for (i = 0; i < ASKERS; i++) {
		askers[i] = fork();
		assert_true(askers[i] >= 0);
		if (askers[i] == 0)
			keep_asking(w, board, subject, (unsigned)i);
	}
	for (state = 1; state <= STATES; state++) {
		wait_for_askers(board, askers);
		atomic_store(&board->begun, state);
		subject->change(w, board, state);
		atomic_store(&board->done, state);
	}
	wait_for_askers(board, askers);
	for (i = 0; i < ASKERS; i++) {
		assert_int_equal(kill(askers[i], SIGKILL), 0);
		assert_int_equal(waitpid(askers[i], NULL, 0), askers[i]);
		assert_int_equal(atomic_load(&board->stale[i]), 0);
	}
	munmap(board, sizeof(*board));
}

static void
inactive_user_is_nobody_at_once(void **state)
{
	const struct subject subject = { active_change, active_ask };

	run(*state, &subject);
}

static void
role_is_the_new_one_at_once(void **state)
{
	const struct subject subject = { role_change, role_ask };

	run(*state, &subject);
}

static void
row_is_the_new_one_at_once(void **state)
{
	const struct subject subject = { role_change, get_ask };

	run(*state, &subject);
}

static void
rotated_token_is_nobodys_at_once(void **state)
{
	const struct subject subject = { token_change, token_ask };

	run(*state, &subject);
}

static void
deleted_key_is_nobodys_at_once(void **state)
{
	const struct subject subject = { key_change, key_ask };

	run(*state, &subject);
}

static void
edited_matrix_is_in_force_at_once(void **state)
{
	const struct subject subject = { matrix_change, matrix_ask };

	run(*state, &subject);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(inactive_user_is_nobody_at_once),
		TEST(role_is_the_new_one_at_once),
		TEST(row_is_the_new_one_at_once),
		TEST(rotated_token_is_nobodys_at_once),
		TEST(deleted_key_is_nobodys_at_once),
		TEST(edited_matrix_is_in_force_at_once),
	};

	return cmocka_run_group_tests_name("service/exact", tests, NULL,
	    NULL);
}
