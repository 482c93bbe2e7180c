/* SPDX-License-Identifier: MIT */
/* Sign-ins (spec/wacht.md §3.9): the sessions of a user. One session holds one
   sign-in, so both have the same id. */
#include "config.h"

#include "wuts/http.h"
#include "wuts/session_service.h"
#include "wuts/uuid.h"

#include "details_private.h"
#include "wacht_private.h"

struct session_answer {
	struct json_writer *w;
	size_t n;
};

static int
put_row(void *ctx, const struct session *session, struct fault *fault)
{
	struct session_answer *answer = ctx;
	struct json_writer *w = answer->w;

	(void)fault;
	json_write_object_begin(w);
	session_shape_signin(w, session);
	json_write_object_end(w);
	answer->n++;
	return 0;
}

int
wacht_sessions_list(struct exchange *x, struct fault *fault)
{
	struct session_answer answer = { .n = 0 };
	bool with_expired = false;
	struct uuid user_id;

	if (wacht_input_user(x, &user_id, fault) < 0 ||
	    wacht_input_query_bool(x, "include_expired", &with_expired,
	    fault) < 0)
		return -1;
	answer.w = wacht_list_begin(x);
	if (session_service_list(x->service, &x->caller, &user_id,
	    with_expired, put_row, &answer, fault) < 0)
		return -1;
	return wacht_list_end_whole(x, answer.n);
}

int
wacht_sessions_revoke(struct exchange *x, struct fault *fault)
{
	struct uuid user_id, id;

	if (wacht_input_user_and(x, "signin_id", &user_id, &id, fault) < 0 ||
	    session_service_revoke(x->service, &x->caller, &user_id, &id,
	    fault) < 0)
		return -1;
	return wacht_answer_nothing(x);
}

int
wacht_sessions_revoke_all(struct exchange *x, struct fault *fault)
{
	struct json_writer *w;
	struct uuid user_id;
	size_t n = 0;

	if (wacht_input_user(x, &user_id, fault) < 0 ||
	    session_service_revoke_all(x->service, &x->caller, &user_id, &n,
	    fault) < 0)
		return -1;
	response_status(x, 200);
	w = response_json(x);
	json_write_object_begin(w);
	json_member_int(w, "revoked", (int64_t)n);
	json_write_object_end(w);
	return 0;
}
