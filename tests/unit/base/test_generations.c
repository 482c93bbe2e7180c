/* SPDX-License-Identifier: MIT */
/* The counters are one file's, whoever opens it. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/generations.h"
#include "wuts/uuid.h"

#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CHILDREN 4
#define BUMPS 1000

static const struct uuid tenant = { { 0x11, 2, 3 } };

static struct generations *
open_in(void *const *state, const char *name)
{
	char path[SCRATCH_PATH_SIZE];
	struct generations *gens;
	struct fault fault;

	assert_int_equal(generations_open(&gens,
	    scratch_path(state, name, path), &fault), 0);
	return gens;
}

static void
a_bump_changes_its_tenants_counter(void **state)
{
	struct generations *gens = open_in(state, "one");
	uint64_t before = generations_get(gens, &tenant);

	generations_bump(gens, &tenant);
	assert_true(generations_get(gens, &tenant) == before + 1);
	generations_bump(gens, &tenant);
	assert_true(generations_get(gens, &tenant) == before + 2);
	generations_close(&gens);
	assert_null(gens);
	generations_close(&gens);
}

static void
hardly_any_other_tenant_is_disturbed(void **state)
{
	struct generations *gens = open_in(state, "others");
	struct uuid other;
	unsigned disturbed = 0;
	int i;

	generations_bump(gens, &tenant);
	for (i = 0; i < 1000; i++) {
		uuid_new_ordered(&other);
		disturbed += generations_get(gens, &other) != 0;
	}
	/* One in 4096 shares the counter. */
	assert_in_range(disturbed, 0, 10);
	generations_close(&gens);
}

static void
no_tenant_has_a_counter_too(void **state)
{
	struct generations *gens = open_in(state, "none");

	generations_bump(gens, NULL);
	assert_true(generations_get(gens, NULL) == 1);
	assert_true(generations_get(gens, &tenant) == 0);
	generations_close(&gens);
}

static void
everybody_who_opens_the_file_sees_the_same(void **state)
{
	struct generations *a = open_in(state, "two");
	struct generations *b = open_in(state, "two");

	generations_bump(a, &tenant);
	assert_true(generations_get(b, &tenant) == 1);
	generations_bump(b, &tenant);
	assert_true(generations_get(a, &tenant) == 2);
	generations_close(&a);
	generations_close(&b);
	a = open_in(state, "two");
	assert_true(generations_get(a, &tenant) == 2);
	generations_close(&a);
}

static void
no_bump_of_several_processes_is_lost(void **state)
{
	struct generations *gens = open_in(state, "many");
	int i, k, status;
	pid_t pid;

	for (i = 0; i < CHILDREN; i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			for (k = 0; k < BUMPS; k++)
				generations_bump(gens, &tenant);
			_exit(0);
		}
	}
	for (i = 0; i < CHILDREN; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_true(generations_get(gens, &tenant) == CHILDREN * BUMPS);
	generations_close(&gens);
}

static void
another_file_is_refused_and_left_alone(void **state)
{
	char path[SCRATCH_PATH_SIZE], link_path[SCRATCH_PATH_SIZE], text[64];
	struct generations *gens;
	struct fault fault;

	scratch_write(scratch_path(state, "text", path), "not ours", 0600);
	fault_clear(&fault);
	assert_int_equal(generations_open(&gens, path, &fault), -1);
	assert_int_equal(fault.code, FAULT_IO);
	assert_non_null(strstr(fault.text, path));
	assert_string_equal(scratch_read(path, text, sizeof(text)),
	    "not ours");

	assert_int_equal(symlink(path, scratch_path(state, "link",
	    link_path)), 0);
	assert_int_equal(generations_open(&gens, link_path, &fault), -1);
	assert_int_equal(generations_open(&gens, "/no/such/directory/g",
	    &fault), -1);
	assert_int_equal(fault.code, FAULT_IO);
}

static void
others_cannot_read_or_write_the_file(void **state)
{
	char path[SCRATCH_PATH_SIZE];
	mode_t old = umask(0);
	struct generations *gens = open_in(state, "mode");
	struct stat st;

	umask(old);
	generations_close(&gens);
	assert_int_equal(stat(scratch_path(state, "mode", path), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bump_changes_its_tenants_counter),
		cmocka_unit_test(hardly_any_other_tenant_is_disturbed),
		cmocka_unit_test(no_tenant_has_a_counter_too),
		cmocka_unit_test(everybody_who_opens_the_file_sees_the_same),
		cmocka_unit_test(no_bump_of_several_processes_is_lost),
		cmocka_unit_test(another_file_is_refused_and_left_alone),
		cmocka_unit_test(others_cannot_read_or_write_the_file),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
