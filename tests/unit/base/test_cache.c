/* SPDX-License-Identifier: MIT */
/* What the cache finds, forgets and says about age and generation. */
#include "config.h"

#include "wuts/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEY_LEN 5	/* an odd length: entries must stay aligned */
#define TTL_US 1000

struct value {
	int64_t number;
	long double wide;
};

static struct cache *
new_cache(size_t slots)
{
	return cache_new(slots, KEY_LEN, sizeof(struct value));
}

static void
put(struct cache *cache, unsigned key, int64_t number, int64_t now_us)
{
	struct value value = { .number = number };
	char text[KEY_LEN + 1];

	snprintf(text, sizeof(text), "%05u", key);
	cache_put(cache, text, &value, (uint64_t)number + 1, now_us);
}

/* The number under key, or -1. */
static int64_t
find(const struct cache *cache, unsigned key, int64_t now_us)
{
	const struct value *value;
	char text[KEY_LEN + 1];
	uint64_t generation = 0;

	snprintf(text, sizeof(text), "%05u", key);
	value = cache_find(cache, text, now_us, TTL_US, &generation);
	if (value == NULL)
		return -1;
	assert_int_equal((uintptr_t)value % _Alignof(max_align_t), 0);
	assert_true(generation == (uint64_t)value->number + 1);
	return value->number;
}

static void
an_empty_cache_finds_nothing(void **state)
{
	struct cache *cache = new_cache(16);
	uint64_t generation;

	(void)state;
	assert_int_equal(find(cache, 1, 1), -1);
	/* Not even a key of zeroes, as which empty entries look. */
	assert_null(cache_find(cache, "\0\0\0\0", 1, TTL_US, &generation));
	cache_free(&cache);
}

static void
a_value_is_found_with_its_generation(void **state)
{
	struct cache *cache = new_cache(16);

	(void)state;
	put(cache, 1, 100, 1);
	put(cache, 2, 200, 1);
	assert_int_equal(find(cache, 1, 1), 100);
	assert_int_equal(find(cache, 2, 1), 200);
	assert_int_equal(find(cache, 3, 1), -1);
	cache_free(&cache);
}

static void
a_second_put_replaces(void **state)
{
	struct cache *cache = new_cache(16);

	(void)state;
	put(cache, 1, 100, 1);
	put(cache, 1, 101, 2);
	assert_int_equal(find(cache, 1, 2), 101);
	cache_free(&cache);
}

static void
a_value_is_believed_while_younger_than_the_ttl(void **state)
{
	struct cache *cache = new_cache(16);
	uint64_t generation;

	(void)state;
	put(cache, 1, 100, 5000);
	assert_int_equal(find(cache, 1, 5000 + TTL_US - 1), 100);
	assert_int_equal(find(cache, 1, 5000 + TTL_US), -1);
	assert_null(cache_find(cache, "00001", 5000, 0, &generation));
	put(cache, 1, 101, 5000 + TTL_US);
	assert_int_equal(find(cache, 1, 5000 + TTL_US), 101);
	cache_free(&cache);
}

static void
a_full_bucket_forgets_its_oldest(void **state)
{
	struct cache *cache = new_cache(4);	/* one bucket of four */

	(void)state;
	put(cache, 1, 1, 10);
	put(cache, 2, 2, 20);
	put(cache, 3, 3, 30);
	put(cache, 4, 4, 40);
	put(cache, 1, 1, 50);	/* young again: 2 is the oldest now */
	put(cache, 5, 5, 60);
	assert_int_equal(find(cache, 2, 60), -1);
	assert_int_equal(find(cache, 1, 60), 1);
	assert_int_equal(find(cache, 3, 60), 3);
	assert_int_equal(find(cache, 4, 60), 4);
	assert_int_equal(find(cache, 5, 60), 5);
	cache_free(&cache);
}

static void
many_keys_fill_most_of_the_cache(void **state)
{
	struct cache *cache = new_cache(1024);
	unsigned i, kept = 0;

	(void)state;
	for (i = 0; i < 1024; i++)
		put(cache, i, i, 10);
	for (i = 0; i < 1024; i++) {
		int64_t number = find(cache, i, 10);

		assert_true(number == -1 || number == i);
		kept += number == i;
	}
	/* A hash that spreads keeps about 80 of 100. */
	assert_in_range(kept, 700, 1024);
	cache_free(&cache);
}

static void
free_clears_the_pointer_and_accepts_null(void **state)
{
	struct cache *cache = new_cache(1);

	(void)state;
	cache_free(&cache);
	assert_null(cache);
	cache_free(&cache);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_cache_finds_nothing),
		cmocka_unit_test(a_value_is_found_with_its_generation),
		cmocka_unit_test(a_second_put_replaces),
		cmocka_unit_test(
		    a_value_is_believed_while_younger_than_the_ttl),
		cmocka_unit_test(a_full_bucket_forgets_its_oldest),
		cmocka_unit_test(many_keys_fill_most_of_the_cache),
		cmocka_unit_test(free_clears_the_pointer_and_accepts_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
