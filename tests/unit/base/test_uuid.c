/* SPDX-License-Identifier: MIT */
/* UUIDs: text both ways, versions, order. */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The linker puts this in the place of clock_wall_us(). */
int64_t __real_clock_wall_us(void);
int64_t __wrap_clock_wall_us(void);
static int64_t frozen_us;

int64_t
__wrap_clock_wall_us(void)
{
	return frozen_us != 0 ? frozen_us : __real_clock_wall_us();
}

static void
text_and_bytes_map_both_ways(void **state)
{
	static const char text[] = "00112233-4455-6677-8899-aabbccddeeff";
	char buf[UUID_TEXT_LEN + 1];
	struct uuid uuid;
	size_t i;

	(void)state;
	assert_true(uuid_parse(text, UUID_TEXT_LEN, &uuid));
	for (i = 0; i < 16; i++)
		assert_int_equal(uuid.b[i], i * 0x11);
	assert_ptr_equal(uuid_format(&uuid, buf), buf);
	assert_string_equal(buf, text);
	assert_true(uuid_parse("00112233-4455-6677-8899-AABBCCDDEEFF--",
	    UUID_TEXT_LEN, &uuid));
	assert_string_equal(uuid_format(&uuid, buf), text);
}

static void
other_text_is_no_uuid_and_changes_nothing(void **state)
{
	static const char *const texts[] = {
		"", "0", "00112233-4455-6677-8899-aabbccddeef",
		"00112233-4455-6677-8899-aabbccddeeff0",
		"00112233445566778899aabbccddeeff",
		"{0112233-4455-6677-8899-aabbccddeef}",
		"00112233-4455-6677-8899-aabbccddeefg",
		"00112233-4455-6677-8899_aabbccddeeff",
		"0011223-34455-6677-8899-aabbccddeeff",
		"00112233-4455-6677-8899-aabbccddee f",
		"+0112233-4455-6677-8899-aabbccddeeff",
		"0x112233-4455-6677-8899-aabbccddeeff",
		"------------------------------------",
	};
	struct uuid uuid = { { 7 } }, before = uuid;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (uuid_parse(texts[i], strlen(texts[i]), &uuid))
			fail_msg("%s was taken for a UUID", texts[i]);
		assert_true(uuid_is_equal(&uuid, &before));
	}
}

static void
random_ones_are_version_4_and_differ(void **state)
{
	struct uuid a, b;
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		uuid_new_random(&a);
		uuid_new_random(&b);
		assert_int_equal(a.b[6] >> 4, 4);
		assert_int_equal(a.b[8] >> 6, 2);
		assert_false(uuid_is_equal(&a, &b));
	}
}

static void
ordered_ones_are_version_7_and_begin_with_the_time(void **state)
{
	int64_t ms = 0;
	struct uuid uuid;
	int i;

	(void)state;
	frozen_us = INT64_C(4000000000000999);
	uuid_new_ordered(&uuid);
	frozen_us = 0;
	for (i = 0; i < 6; i++)
		ms = ms << 8 | uuid.b[i];
	assert_true(ms == INT64_C(4000000000000));
	assert_int_equal(uuid.b[6] >> 4, 7);
	assert_int_equal(uuid.b[8] >> 6, 2);
}

static void
assert_increasing(struct uuid *last, int count)
{
	struct uuid uuid;
	int i;

	for (i = 0; i < count; i++) {
		uuid_new_ordered(&uuid);
		assert_int_equal(uuid.b[6] >> 4, 7);
		if (memcmp(uuid.b, last->b, sizeof(uuid.b)) <= 0)
			fail_msg("number %d does not increase", i);
		*last = uuid;
	}
}

static void
ordered_ones_increase_whatever_the_clock_does(void **state)
{
	struct uuid last = UUID_NIL;

	(void)state;
	frozen_us = INT64_C(5000000000000000);
	/* More than the 12-bit counter holds within the millisecond. */
	assert_increasing(&last, 20000);
	frozen_us += 1000;
	assert_increasing(&last, 10);
	frozen_us -= INT64_C(3600000000);
	assert_increasing(&last, 20000);
	frozen_us += INT64_C(7200000000);
	assert_increasing(&last, 10);
	frozen_us = 0;
}

static void
nil_is_all_zeroes(void **state)
{
	struct uuid uuid = { { 0 } };
	size_t i;

	(void)state;
	assert_true(uuid_is_nil(&UUID_NIL));
	assert_true(uuid_is_nil(&uuid));
	for (i = 0; i < 16; i++) {
		uuid = UUID_NIL;
		uuid.b[i] = 1;
		assert_false(uuid_is_nil(&uuid));
		assert_false(uuid_is_equal(&uuid, &UUID_NIL));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_bytes_map_both_ways),
		cmocka_unit_test(other_text_is_no_uuid_and_changes_nothing),
		cmocka_unit_test(random_ones_are_version_4_and_differ),
		cmocka_unit_test(
		    ordered_ones_are_version_7_and_begin_with_the_time),
		cmocka_unit_test(ordered_ones_increase_whatever_the_clock_does),
		cmocka_unit_test(nil_is_all_zeroes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
