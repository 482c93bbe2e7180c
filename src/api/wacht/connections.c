/* SPDX-License-Identifier: MIT */
/* Social connections (spec/wacht.md §3.8). */
#include "config.h"

#include "wuts/connection_service.h"
#include "wuts/http.h"
#include "wuts/uuid.h"

#include "details_private.h"
#include "wacht_private.h"

struct connection_answer {
	struct json_writer *w;
	size_t n;
};

void
wacht_put_connection(struct json_writer *w,
    const struct connection *connection)
{
	json_write_object_begin(w);
	wacht_put_uuid(w, "id", &connection->id);
	wacht_put_time(w, "created_at", connection->created_us);
	wacht_put_time(w, "updated_at", connection->updated_us);
	wacht_put_uuid(w, "user_id", &connection->user_id);
	wacht_put_uuid_or_null(w, "user_email_address_id",
	    &connection->email_id);
	wacht_put_string(w, "provider", connection->provider);
	wacht_put_string(w, "email_address", connection->email);
	wacht_put_string(w, "access_token", connection->access_token);
	wacht_put_string(w, "refresh_token", connection->refresh_token);
	json_write_object_end(w);
}

static int
put_row(void *ctx, const struct connection *connection, struct fault *fault)
{
	struct connection_answer *answer = ctx;

	(void)fault;
	wacht_put_connection(answer->w, connection);
	answer->n++;
	return 0;
}

int
wacht_connections_list(struct exchange *x, struct fault *fault)
{
	struct connection_answer answer = { .n = 0 };
	struct uuid user_id;

	if (wacht_input_user(x, &user_id, fault) < 0)
		return -1;
	answer.w = wacht_list_begin(x);
	if (connection_service_list(x->service, x->arena, &x->caller,
	    &user_id, put_row, &answer, fault) < 0)
		return -1;
	return wacht_list_end_whole(x, answer.n);
}

int
wacht_connections_delete(struct exchange *x, struct fault *fault)
{
	struct uuid user_id, id;

	if (wacht_input_user_and(x, "connection_id", &user_id, &id,
	    fault) < 0 ||
	    connection_service_delete(x->service, &x->caller, &user_id, &id,
	    fault) < 0)
		return -1;
	return wacht_answer_nothing(x);
}
