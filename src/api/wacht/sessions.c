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

/* Where an address is, nobody here knows. */
static void
put_place(struct json_writer *w)
{
	static const char *const members[] = {
		"city", "region", "region_code", "country", "country_code"
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		wacht_put_string(w, members[i], "");
}

static int
put_row(void *ctx, const struct session *session, struct fault *fault)
{
	struct session_answer *answer = ctx;
	struct json_writer *w = answer->w;

	(void)fault;
	json_write_object_begin(w);
	wacht_put_uuid(w, "id", &session->id);
	wacht_put_time(w, "created_at", session->created_us);
	wacht_put_time(w, "updated_at", session->updated_us);
	wacht_put_uuid(w, "session_id", &session->id);
	wacht_put_uuid(w, "user_id", &session->user_id);
	wacht_put_null(w, "active_organization_membership_id");
	wacht_put_null(w, "active_workspace_membership_id");
	wacht_put_time(w, "expires_at", session->expires_us);
	wacht_put_time(w, "last_active_at", session->last_active_us);
	wacht_put_string(w, "ip_address", session->address);
	wacht_put_string(w, "browser", agent_browser(session->user_agent));
	wacht_put_string(w, "device", agent_device(session->user_agent));
	put_place(w);
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
	wacht_put_int(w, "revoked", (int64_t)n);
	json_write_object_end(w);
	return 0;
}
