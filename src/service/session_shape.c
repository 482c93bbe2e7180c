/* SPDX-License-Identifier: MIT */
/* How a log-in looks in the Wacht dialect, and the events that tell of it, which
   carry the same members as its answers and those that WUTS's own have. */
#include "config.h"

#include "wuts/session_service.h"

#include "session_private.h"
#include "user_detail_private.h"
#include "wuts/agent.h"
#include "wuts/clock.h"
#include "wuts/json.h"

/* Where an address is, nobody here knows. */
static void
put_place(struct json_writer *w)
{
	static const char *const members[] = {
		"city", "region", "region_code", "country", "country_code"
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		json_member_text(w, members[i], "");
}

void
session_shape_signin(struct json_writer *w, const struct session *session)
{
	json_member_uuid(w, "id", &session->id);
	json_member_micros(w, "created_at", session->created_us);
	json_member_micros(w, "updated_at", session->updated_us);
	json_member_uuid(w, "session_id", &session->id);
	json_member_uuid(w, "user_id", &session->user_id);
	json_member_null(w, "active_organization_membership_id");
	json_member_null(w, "active_workspace_membership_id");
	json_member_micros(w, "expires_at", session->expires_us);
	json_member_micros(w, "last_active_at", session->last_active_us);
	json_member_text(w, "ip_address", session->address);
	json_member_text(w, "browser", agent_browser(session->user_agent));
	json_member_text(w, "device", agent_device(session->user_agent));
	put_place(w);
}

struct telling {
	const struct change *change;
	const struct session *session;
	const struct strbuf *others;
};

static void
write_session(struct json_writer *w, const void *ctx)
{
	const struct telling *telling = ctx;
	const struct session *session = telling->session;

	json_member_uuid(w, "id", &session->id);
	json_member_micros(w, "created_at", session->created_us);
	json_member_micros(w, "updated_at", session->updated_us);
	json_member_micros(w, "expires_at", session->expires_us);
	json_member_uuid(w, "active_signin_id", &session->id);
	json_write_key(w, "signins");
	json_write_array_begin(w);
	json_write_object_begin(w);
	session_shape_signin(w, session);
	json_write_object_end(w);
	json_write_array_end(w);
	json_member_uuid(w, "session_id", &session->id);
	json_member_uuid(w, "user_id", &session->user_id);
	json_member_text(w, "address", session->address);
	json_member_text(w, "user_agent", session->user_agent);
	/* Time is nobody. */
	if (telling->change->identity.kind != IDENTITY_NONE)
		change_write_actor(w, telling->change);
	if (telling->others == NULL)
		return;
	json_write_key(w, "other_session_ids");
	json_write_raw(w, telling->others->data, telling->others->len);
}

int
session_emit(struct change *change, const char *event,
    const struct session *session, const struct strbuf *others,
    struct fault *fault)
{
	const struct telling telling = { change, session, others };

	return details_emit(change, event, "session", &session->id,
	    write_session, &telling, fault);
}
