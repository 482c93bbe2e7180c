/* SPDX-License-Identifier: MIT */
/* The catalogue is complete, in order and without doubles; sets of names. */
#include "config.h"

#include "wuts/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ENGINE_COUNT 58
#define TENANT_COUNT 19

/* spec/wuts.md §5, as it stands there. */
static const char specified[] =
    "message.received message.sent message.delivered message.read "
    "message.undecryptable message.delete_for_me mention.sent media.retry "
    "device.connected device.disconnected device.logged_out "
    "connection.pair_error connection.stream_replaced connection.failure "
    "connection.temporary_ban connection.manual_reconnect "
    "connection.keepalive_timeout connection.keepalive_restored "
    "contact.presence contact.changed contact.pushname contact.about "
    "contact.picture chat.presence chat.mark_as_read chat.pin chat.mute "
    "chat.archive chat.delete chat.clear group.info group.joined call.offer "
    "call.accept call.pre_accept call.reject call.terminate "
    "call.relay_latency call.transport call.unknown qr.generated "
    "pair.success identity.change privacy.blocklist privacy.settings "
    "settings.unarchive_chats settings.user_status_mute label.edit "
    "label.association_chat label.association_message newsletter.join "
    "newsletter.leave newsletter.live_update newsletter.mute_change "
    "history.sync offline.sync_preview offline.sync_completed "
    "app_state.sync_complete "
    "tenant.created user.created user.updated user.role_changed user.deleted "
    "user.token_rotated user.mfa.enabled user.mfa.disabled webhook.disabled "
    "session.created session.deleted session.expired "
    "user.email.added user.email.removed user.email.verified "
    "user.phone.added user.phone.removed user.phone.verified "
    "user.password.updated";

static void
there_are_58_engine_events_and_19_of_ours(void **state)
{
	(void)state;
	assert_int_equal(event_count(EVENT_OF_ENGINE), ENGINE_COUNT);
	assert_int_equal(event_count(EVENT_OF_TENANT), TENANT_COUNT);
}

static void
names_stand_in_the_order_of_the_specification(void **state)
{
	char list[sizeof(specified)], *rest = NULL, *name;
	size_t i = 0;

	(void)state;
	memcpy(list, specified, sizeof(list));
	for (name = strtok_r(list, " ", &rest); name != NULL;
	    name = strtok_r(NULL, " ", &rest))
		assert_string_equal(event_name(i++), name);
	assert_int_equal(i, ENGINE_COUNT + TENANT_COUNT);
}

static void
every_name_is_unique_and_fits(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ENGINE_COUNT + TENANT_COUNT; i++) {
		/* The first one of that name is the one itself. */
		assert_int_equal(event_find(event_name(i)), i);
		assert_in_range(strlen(event_name(i)), 1, EVENT_NAME_MAX);
		assert_int_equal(event_origin(i), i < ENGINE_COUNT ?
		    EVENT_OF_ENGINE : EVENT_OF_TENANT);
	}
}

static void
other_names_are_not_found(void **state)
{
	(void)state;
	assert_int_equal(event_find(""), -1);
	assert_int_equal(event_find("*"), -1);
	assert_int_equal(event_find("message"), -1);
	assert_int_equal(event_find("message.receive"), -1);
	assert_int_equal(event_find("message.received "), -1);
	assert_int_equal(event_find("Message.Received"), -1);
}

static void
a_set_has_what_was_added_and_nothing_else(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < ENGINE_COUNT + TENANT_COUNT; i++) {
		struct event_set set = { 0 };

		assert_true(event_set_add(&set, event_name(i)));
		for (j = 0; j < ENGINE_COUNT + TENANT_COUNT; j++)
			assert_int_equal(event_set_has(&set, j), i == j);
	}
}

static void
the_star_adds_every_name(void **state)
{
	struct event_set set = { 0 };
	size_t i;

	(void)state;
	assert_true(event_set_add(&set, "*"));
	for (i = 0; i < ENGINE_COUNT + TENANT_COUNT; i++)
		assert_true(event_set_has(&set, i));
}

static void
a_pattern_adds_its_group_and_nothing_else(void **state)
{
	size_t i, n = 0;
	struct event_set set = { 0 };

	(void)state;
	assert_true(event_set_add(&set, "message.*"));
	assert_true(event_set_add(&set, "app_state.*"));
	for (i = 0; i < ENGINE_COUNT + TENANT_COUNT; i++) {
		bool of_group = strncmp(event_name(i), "message.", 8) == 0 ||
		    strncmp(event_name(i), "app_state.", 10) == 0;

		assert_int_equal(event_set_has(&set, i), of_group);
		n += of_group;
	}
	assert_int_equal(n, 7);
	assert_false(set.all);
}

static void
every_pattern_has_a_number_of_its_own(void **state)
{
	static const char *const patterns[] = {
		"*", "message.*", "mention.*", "user.*", "app_state.*",
		"tenant.*", "webhook.*"
	};
	bool seen[EVENT_PATTERN_LIMIT] = { false };
	size_t i;
	int number;

	(void)state;
	for (i = 0; i < ENGINE_COUNT + TENANT_COUNT; i++)
		seen[event_pattern_find(event_name(i))] = true;
	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		number = event_pattern_find(patterns[i]);
		assert_in_range(number, 0, EVENT_PATTERN_LIMIT - 1);
		assert_false(seen[number]);
		seen[number] = true;
	}
}

static void
an_unknown_name_leaves_the_set_as_it_was(void **state)
{
	struct event_set set = { 0 };

	(void)state;
	assert_false(event_set_add(&set, "**"));
	assert_false(event_set_add(&set, "*.*"));
	assert_false(event_set_add(&set, ".*"));
	assert_false(event_set_add(&set, "mess.*"));
	assert_false(event_set_add(&set, "message*"));
	assert_false(event_set_add(&set, "message."));
	assert_false(event_set_add(&set, "message.**"));
	assert_false(event_set_add(&set, "message.received.*"));
	assert_false(event_set_add(&set, "nothing.*"));
	assert_false(event_set_add(&set, "Message.*"));
	assert_false(event_set_add(&set, ""));
	assert_false(set.all);
	assert_true(set.bits[0] == 0 && set.bits[1] == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_are_58_engine_events_and_19_of_ours),
		cmocka_unit_test(names_stand_in_the_order_of_the_specification),
		cmocka_unit_test(every_name_is_unique_and_fits),
		cmocka_unit_test(other_names_are_not_found),
		cmocka_unit_test(a_set_has_what_was_added_and_nothing_else),
		cmocka_unit_test(the_star_adds_every_name),
		cmocka_unit_test(a_pattern_adds_its_group_and_nothing_else),
		cmocka_unit_test(every_pattern_has_a_number_of_its_own),
		cmocka_unit_test(an_unknown_name_leaves_the_set_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
