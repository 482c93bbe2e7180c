/* SPDX-License-Identifier: MIT */
/* Log-ins begun, and known again by their token, which is looked up in the
   database once and then in memory while its tenant's generation stands;
   whatever ends a session or stops its user bumps that. */
#include "config.h"

#include "wuts/session_service.h"

#include "service_private.h"
#include "session_private.h"
#include "wuts/cache.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/log.h"
#include "wuts/onprem.h"
#include "wuts/session_store.h"
#include "wuts/settings.h"
#include "wuts/utf8.h"

#include <string.h>

#define TOUCH_EVERY_US ((int64_t)60 * CLOCK_SECOND_US)

/* --- open --- */

/* What a client says of itself, as text that every column and reader takes. */
static void
copy_visible(char *out, size_t size, const char *text)
{
	size_t len = strlen(text), n = 0, sequence;

	for (; len > 0; text += sequence, len -= sequence) {
		sequence = utf8_sequence_len(text, len);
		if (n + (sequence == 0 ? 1 : sequence) >= size)
			break;
		if (sequence == 0 || (unsigned char)*text < ' ' ||
		    *text == '\x7f') {
			sequence = 1;
			out[n++] = '?';
			continue;
		}
		memcpy(out + n, text, sequence);
		n += sequence;
	}
	out[n] = '\0';
}

static int
audit_created(struct change *change, const struct session *session,
    struct fault *fault)
{
	struct strbuf text = STRBUF_INIT;
	char time[CLOCK_RFC3339_SIZE];
	struct json_writer w;
	int ret;

	json_writer_init(&w, &text);
	json_write_object_begin(&w);
	json_member_uuid(&w, "session_id", &session->id);
	json_member_uuid(&w, "user_id", &session->user_id);
	json_member_text(&w, "address", session->address);
	json_member_text(&w, "user_agent", session->user_agent);
	json_member_text(&w, "created_at", clock_format(session->created_us,
	    time));
	json_member_text(&w, "expires_at", clock_format(session->expires_us,
	    time));
	json_write_object_end(&w);
	ret = change_audit(change, "session.created", &session->id, NULL,
	    text.data, fault);
	strbuf_deinit(&text);
	return ret;
}

int
session_insert(struct change *change, const struct session_opening *opening,
    struct fault *fault)
{
	if (session_store_insert(change->db, opening->session,
	    opening->token_hash, fault) < 0)
		return fault_prefix(fault, "insert session");
	if (audit_created(change, opening->session, fault) < 0)
		return -1;
	return session_emit(change, "session.created", opening->session, NULL,
	    fault);
}

/* Nothing that anybody remembers becomes untrue by a new session. */
static int
open_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct session_opening *opening = ctx;

	change->adds_only = true;
	if (change_lock_tenant(change, fault) < 0 ||
	    change_judge_caller(change, fault) < 0)
		return -1;
	return session_insert(change, opening, fault);
}

static void
fill_session(struct session *session, const struct caller *caller,
    const struct user *user, int64_t lifetime_s, const char *user_agent)
{
	int64_t now_us = clock_wall_us();

	memset(session, 0, sizeof(*session));
	uuid_new_ordered(&session->id);
	session->tenant_id = user->tenant_id;
	session->user_id = user->id;
	copy_visible(session->address, sizeof(session->address),
	    caller->address != NULL ? caller->address : "");
	copy_visible(session->user_agent, sizeof(session->user_agent),
	    user_agent != NULL ? user_agent : "");
	session->created_us = now_us;
	session->updated_us = now_us;
	session->last_active_us = now_us;
	/* The token's claims are in seconds. */
	session->expires_us = (now_us / CLOCK_SECOND_US + lifetime_s) *
	    CLOCK_SECOND_US;
}

void
session_prepare(struct service *service, const struct caller *caller,
    const struct user *user, int64_t lifetime_s, const char *user_agent,
    struct session_opening *opening_r, struct caller *self_r,
    struct session_opened *result_r)
{
	const struct crypto_keys *keys = &service->settings->keys;
	struct session *session = &result_r->session;
	char id[UUID_TEXT_LEN + 1];
	int64_t expires_s;
	bool is_ours;

	fill_session(session, caller, user, lifetime_s, user_agent);
	expires_s = session->expires_us / CLOCK_SECOND_US;
	/* A name that could make the token longer than it may be is not in
	   it: nobody reads it. */
	session_token_make(keys, onprem_username_check(user->username) ==
	    NULL ? user->username : uuid_format(&user->id, id),
	    expires_s - lifetime_s, expires_s, result_r->token);
	is_ours = session_token_check(keys, result_r->token,
	    strlen(result_r->token), &expires_s, opening_r->token_hash);
	wuts_assert(is_ours);
	opening_r->session = session;
	*self_r = *caller;
	self_r->identity = (struct identity) {
		.kind = IDENTITY_USER,
		.user_id = user->id,
		.tenant_id = user->tenant_id,
		.role = user->role,
		.session_id = session->id
	};
}

int
session_service_open(struct service *service, const struct caller *caller,
    const struct user *user, int64_t lifetime_s, const char *user_agent,
    struct session_opened *result_r, struct fault *fault)
{
	struct session_opening opening;
	struct caller self;

	fault_clear(fault);
	session_prepare(service, caller, user, lifetime_s, user_agent,
	    &opening, &self, result_r);
	if (change_run(service, &self, &user->tenant_id, open_body, &opening,
	    fault) == 0)
		return 0;
	crypto_wipe(result_r->token, sizeof(result_r->token));
	return fault_prefix(fault, "open a session");
}

/* --- identify --- */

/* To the minute, and never the request's concern. */
static void
note_use(struct service *service, const struct known_session *known,
    int64_t now_us)
{
	int64_t mono_us = clock_mono_us();
	char text[UUID_TEXT_LEN + 1];
	struct fault fault;
	uint64_t generation;

	if (cache_find(service->touched, &known->id, mono_us, TOUCH_EVERY_US,
	    &generation) != NULL)
		return;
	cache_put(service->touched, &known->id, "", 0, mono_us);
	/* Another process may have noted it. */
	if (now_us >= known->last_active_us &&
	    now_us - known->last_active_us < TOUCH_EVERY_US)
		return;
	fault_clear(&fault);
	if (session_store_touch(service->db, &known->id, now_us, &fault) < 0)
		log_warn("session=%s note its use: %s",
		    uuid_format(&known->id, text), fault.text);
}

/* 1: a good session of an active user; 0; -1. */
static int
read_session(struct service *service, const char *token, size_t len,
    struct known_session *known_r, struct fault *fault)
{
	uint8_t hash[CRYPTO_HASH_LEN];
	struct session session;
	int64_t expires_s;
	int found;

	if (!session_token_check(&service->settings->keys, token, len,
	    &expires_s, hash))
		return 0;
	memset(known_r, 0, sizeof(*known_r));
	found = session_store_find_by_token(service->db, hash, &session,
	    &known_r->user, fault);
	if (found != 1)
		return found < 0 ? fault_prefix(fault, "find session") : 0;
	if (session.revoked_us != 0 || !known_r->user.active ||
	    session.expires_us / CLOCK_SECOND_US != expires_s)
		return 0;
	known_r->id = session.id;
	known_r->expires_us = session.expires_us;
	known_r->last_active_us = session.last_active_us;
	return 1;
}

static int
find_session(struct service *service, const struct uuid *tenant_id,
    const char *token, size_t len, struct known_session *known_r,
    struct fault *fault)
{
	const struct known_session *remembered;
	uint8_t hash[CRYPTO_HASH_LEN];
	struct memory_read read;
	int found;

	if (len > SESSION_TOKEN_MAX)
		return 0;
	crypto_sha256(token, len, hash);
	remembered = memory_find(service, &service->sessions, hash,
	    uuid_is_nil(tenant_id) ? NULL : tenant_id, NULL, &read);
	if (remembered != NULL) {
		*known_r = *remembered;
		return 1;
	}
	found = read_session(service, token, len, known_r, fault);
	if (found == 1)
		memory_put(service, &service->sessions, hash, known_r, &read);
	return found;
}

int
session_service_identify(struct service *service,
    const struct uuid *tenant_id, const char *token, size_t len,
    struct identity *identity_r, struct user *user_r, struct fault *fault)
{
	int64_t now_us = clock_wall_us();
	struct known_session known;
	int found;

	service->fetched.is_set = false;
	memset(identity_r, 0, sizeof(*identity_r));
	session_sweep_now_and_then(service);
	found = find_session(service, tenant_id, token, len, &known, fault);
	if (found != 1)
		return found;
	if (known.expires_us <= now_us || (!uuid_is_nil(tenant_id) &&
	    !uuid_is_equal(tenant_id, &known.user.tenant_id)))
		return 0;
	note_use(service, &known, now_us);
	*user_r = known.user;
	identity_r->kind = IDENTITY_USER;
	identity_r->user_id = known.user.id;
	identity_r->tenant_id = known.user.tenant_id;
	identity_r->role = known.user.role;
	identity_r->session_id = known.id;
	return 1;
}
