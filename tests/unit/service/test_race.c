/* SPDX-License-Identifier: MIT */
/* Whatever a tenant's own callers do to each other at the same moment, an
   active admin remains. WUTS_RACE_PAIRS: how many pairs of mutual demotions,
   deactivations and deletions (300). */
#include "config.h"

#include "world.h"

#include "wuts/api_key_service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define RACERS 4

enum attack {
	ATTACK_DEMOTE,
	ATTACK_TO_USER,
	ATTACK_DEACTIVATE,
	ATTACK_BOTH,
	ATTACK_DELETE,
	ATTACK_COUNT
};

struct racer {
	struct caller caller;
	struct uuid target;
	pid_t pid;
	int to, from;
};

static int
attack(struct world *w, const struct racer *racer, enum attack attack)
{
	struct user_change change = {
		.has_role = attack != ATTACK_DEACTIVATE,
		.role = attack == ATTACK_DEMOTE ? ROLE_MANAGER : ROLE_USER,
		.has_active = attack == ATTACK_DEACTIVATE ||
		    attack == ATTACK_BOTH,
		.active = false
	};
	struct user before, after;

	fault_clear(&w->fault);
	if (attack == ATTACK_DELETE)
		return user_service_delete(w->service, &racer->caller,
		    &racer->target, NULL, &w->fault);
	return user_service_change(w->service, &racer->caller,
	    &racer->target, &change, NULL, &before, &after, &w->fault);
}

/* 'y': done; 'L': the guard; 'n': another refusal; '!': a fault. */
static void
race(struct world *w, const struct racer *racer, int in, int out)
{
	char byte, result;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	w->service = world_service(w);
	while (read(in, &byte, 1) == 1) {
		if (attack(w, racer, (enum attack)byte) == 0)
			result = 'y';
		else if (w->fault.code == REFUSAL_LAST_ADMIN)
			result = 'L';
		else
			result = fault_is_refusal(w->fault.code) ? 'n' : '!';
		if (result == '!')
			fprintf(stderr, "race: %s\n", w->fault.text);
		if (write(out, &result, 1) != 1)
			break;
	}
	_exit(0);
}

static void
start(struct world *w, struct racer *racers)
{
	int to[2], from[2], i;

	for (i = 0; i < RACERS; i++) {
		assert_int_equal(pipe(to), 0);
		assert_int_equal(pipe(from), 0);
		racers[i].pid = fork();
		assert_true(racers[i].pid >= 0);
		if (racers[i].pid == 0) {
			close(to[1]);
			race(w, &racers[i], to[0], from[1]);
		}
		close(to[0]);
		close(from[1]);
		racers[i].to = to[1];
		racers[i].from = from[0];
	}
}

static void
stop(struct racer *racers)
{
	int i;

	for (i = 0; i < RACERS; i++) {
		/* A later one holds this one's pipe, too. */
		assert_int_equal(kill(racers[i].pid, SIGKILL), 0);
		assert_int_equal(waitpid(racers[i].pid, NULL, 0),
		    racers[i].pid);
		close(racers[i].to);
		close(racers[i].from);
	}
}

static struct caller
key_caller(struct world *w, const struct uuid *tenant_id)
{
	struct api_key_input input = { .tenant_id = *tenant_id, .name = "k" };
	struct caller caller = w->master;
	char text[API_KEY_TEXT_LEN + 1];
	struct api_key key;

	assert_ok(w, api_key_service_create(w->service, &w->master, &input,
	    &key, text, &w->fault));
	assert_int_equal(identity_service_find(w->service, text,
	    API_KEY_TEXT_LEN, &caller.identity, &w->fault), 1);
	return caller;
}

static unsigned long
pairs_wanted(void)
{
	const char *text = getenv("WUTS_RACE_PAIRS");

	return text == NULL ? 300 : strtoul(text, NULL, 10);
}

/* Two admins; each attacks the other, and so do two API keys, which are no
   admins that would remain. */
static void
an_active_admin_always_remains(void **state)
{
	struct world *w = *state;
	unsigned long pairs = pairs_wanted(), round, guarded = 0, done = 0;
	struct tenant_registered tenant;
	struct user_registered second;
	struct racer racers[RACERS];
	char order, result;
	int i;

	world_tenant(w, "Acme", &tenant);
	world_user(w, &tenant.tenant.id, "b@example.com", ROLE_ADMIN,
	    &second);
	for (i = 0; i < RACERS; i++) {
		const struct user *self = i % 2 == 0 ? &tenant.admin :
		    &second.user;
		const struct user *target = i % 2 == 0 ? &second.user :
		    &tenant.admin;

		racers[i].caller = i < 2 ? world_caller(self) :
		    key_caller(w, &tenant.tenant.id);
		racers[i].target = target->id;
	}
	world_sql(w, "CREATE TABLE both_admins AS SELECT * FROM users");
	start(w, racers);
	srandom(1);
	for (round = 0; round < (pairs + 1) / 2; round++) {
		for (i = 0; i < RACERS; i++) {
			order = (char)(random() % ATTACK_COUNT);
			assert_int_equal(write(racers[i].to, &order, 1), 1);
		}
		for (i = 0; i < RACERS; i++) {
			assert_int_equal(read(racers[i].from, &result, 1),
			    1);
			assert_int_not_equal(result, '!');
			guarded += result == 'L';
			done += result == 'y';
		}
		if (world_number(w, "SELECT COUNT(*) FROM users"
		    " WHERE role = 'admin' AND active") != 1)
			fail_msg("not one active admin in round %lu", round);
		world_sql(w, "INSERT INTO users SELECT * FROM both_admins"
		    " ON DUPLICATE KEY UPDATE role = 'admin', active = TRUE");
	}
	stop(racers);
	world_sql(w, "DROP TABLE both_admins");
	printf("%lu pairs: %lu done, %lu stopped by the guard\n", 2 * round,
	    done, guarded);
	/* The race is one: everybody wins now and then. */
	assert_true(done >= round && guarded > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_active_admin_always_remains),
	};

	return cmocka_run_group_tests_name("service/race", tests, NULL,
	    NULL);
}
