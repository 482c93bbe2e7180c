/* SPDX-License-Identifier: MIT */
/* Social connections (spec/wacht.md §3.8). */
#include "config.h"

#include "wuts/connection_service.h"
#include "wuts/http.h"
#include "wuts/user_detail_service.h"
#include "wuts/uuid.h"

#include "details_private.h"
#include "wacht_private.h"

struct connection_answer {
	struct json_writer *w;
	size_t n;
};

static int
put_row(void *ctx, const struct connection *connection, struct fault *fault)
{
	struct connection_answer *answer = ctx;

	(void)fault;
	json_write_object_begin(answer->w);
	user_shape_connection(answer->w, connection);
	json_write_object_end(answer->w);
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
