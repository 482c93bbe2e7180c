/* SPDX-License-Identifier: MIT */
/* Memory of an arena is zeroed, aligned, apart, and ends with it. */
#include "config.h"

#include "wuts/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
allocations_are_zeroed_aligned_and_apart(void **state)
{
	struct arena *arena = arena_new();
	unsigned char *blocks[200];
	size_t i, k;

	(void)state;
	for (i = 0; i < 200; i++) {
		blocks[i] = arena_alloc(arena, i * 7);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] %
		    _Alignof(max_align_t), 0);
		for (k = 0; k < i * 7; k++)
			assert_int_equal(blocks[i][k], 0);
		memset(blocks[i], (int)i, i * 7);
	}
	for (i = 0; i < 200; i++) {
		for (k = 0; k < i * 7; k++)
			assert_int_equal(blocks[i][k], i);
	}
	arena_free(&arena);
}

static void
one_allocation_may_be_larger_than_any_block(void **state)
{
	struct arena *arena = arena_new();
	size_t len = 5 << 20;
	char *large = arena_alloc(arena, len);

	(void)state;
	large[0] = large[len - 1] = 'x';
	assert_non_null(arena_alloc(arena, 1));
	arena_free(&arena);
}

static void
copies_end_with_a_nul(void **state)
{
	struct arena *arena = arena_new();
	const char *copy;

	(void)state;
	copy = arena_memdup(arena, "a\0b", 3);
	assert_memory_equal(copy, "a\0b", 4);
	assert_string_equal(arena_memdup(arena, NULL, 0), "");
	assert_string_equal(arena_strdup(arena, "text"), "text");
	assert_string_equal(arena_printf(arena, "%d %s", 7, "x"), "7 x");
	arena_free(&arena);
}

static void
formatted_text_may_be_long(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_int_equal(strlen(arena_printf(arena, "%100000d", 1)), 100000);
	arena_free(&arena);
}

static void
a_reset_reuses_the_first_block_zeroed(void **state)
{
	struct arena *arena = arena_new();
	unsigned char *first = arena_alloc(arena, 64), *again;
	size_t i;

	(void)state;
	memset(first, 0xff, 64);
	arena_alloc(arena, 1 << 20);
	arena_reset(arena);
	again = arena_alloc(arena, 64);
	assert_ptr_equal(again, first);
	for (i = 0; i < 64; i++)
		assert_int_equal(again[i], 0);
	arena_free(&arena);
}

static void
free_clears_the_pointer_and_accepts_null(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	arena_free(&arena);
	assert_null(arena);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocations_are_zeroed_aligned_and_apart),
		cmocka_unit_test(one_allocation_may_be_larger_than_any_block),
		cmocka_unit_test(copies_end_with_a_nul),
		cmocka_unit_test(formatted_text_may_be_long),
		cmocka_unit_test(a_reset_reuses_the_first_block_zeroed),
		cmocka_unit_test(free_clears_the_pointer_and_accepts_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
