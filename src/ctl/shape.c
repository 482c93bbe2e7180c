/* SPDX-License-Identifier: MIT */
/* How the things of the services look: as aligned lines for people, and as the
   members that the API gives them for programs. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/clock.h"
#include "wuts/tenant.h"
#include "wuts/user.h"

#include <inttypes.h>
#include <stdio.h>

void
print_text(const char *name, const char *value)
{
	printf("%-13s%s\n", name, value);
}

void
print_uuid(const char *name, const struct uuid *uuid)
{
	char text[UUID_TEXT_LEN + 1];

	print_text(name, uuid_format(uuid, text));
}

void
print_time(const char *name, int64_t us, const char *never)
{
	char text[CLOCK_RFC3339_SIZE];

	print_text(name, us == 0 ? never : clock_format(us, text));
}

void
print_number(const char *name, uint64_t number)
{
	printf("%-13s%" PRIu64 "\n", name, number);
}

void
write_number(struct json_writer *w, const char *key, uint64_t number)
{
	json_member_int(w, key,
	    number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

void
write_tenant_members(struct json_writer *w, const struct tenant *tenant)
{
	json_member_uuid(w, "id", &tenant->id);
	json_member_text(w, "name", tenant->name);
	json_member_time_or_null(w, "created_at", tenant->created_us);
	json_member_time_or_null(w, "updated_at", tenant->updated_us);
}

void
write_user(struct json_writer *w, const struct user *user, const char *token)
{
	json_write_object_begin(w);
	json_member_uuid(w, "id", &user->id);
	json_member_uuid(w, "tenant_id", &user->tenant_id);
	json_member_text(w, "email", user->email);
	json_member_text(w, "role", role_name(user->role));
	if (token != NULL)
		json_member_text(w, "token", token);
	json_member_bool(w, "active", user->active);
	json_member_time_or_null(w, "created_at", user->created_us);
	json_member_time_or_null(w, "updated_at", user->updated_us);
	json_write_object_end(w);
}
