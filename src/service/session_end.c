/* SPDX-License-Identifier: MIT */
/* Log-ins shown and ended: by their user, by whoever manages it, by time. */
#include "config.h"

#include "wuts/session_service.h"

#include "service_private.h"
#include "session_private.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/log.h"
#include "wuts/session_store.h"
#include "wuts/user_service.h"

/* What one sweep tells of: it runs beside somebody's request. */
#define SWEEP_EVERY_US ((int64_t)60 * CLOCK_SECOND_US)
#define SWEEP_SESSIONS 16
/* Of one revoke-all: so many have an event of their own, each of which is one
   write to the disk under the tenant's lock; the last one names the rest. */
#define REVOKED_TOLD_MAX 8
#define REVOKED_NAMED_MAX 1000

/* --- revoke --- */

struct session_revocation {
	const struct uuid *user_id;
	const struct uuid *id;		/* NULL: all */
	size_t n;			/* unexpired ones ended */
	struct session told[REVOKED_TOLD_MAX];
	unsigned found;
	struct strbuf ids;		/* of the rest, as JSON */
	struct json_writer w;
};

/* Oneself, or one whom the caller could keep out altogether. */
static int
check_revoke(const struct identity *identity, const struct user *target,
    struct fault *fault)
{
	if (identity->kind == IDENTITY_USER &&
	    uuid_is_equal(&identity->user_id, &target->id))
		return 0;
	return user_check_manage(identity, target, MANAGE_ACTIVE, fault);
}

/* As its row is from now on. */
static int
emit_deleted(struct change *change, struct session *session,
    const struct strbuf *others, struct fault *fault)
{
	session->updated_us = change->now_us;
	return session_emit(change, "session.deleted", session, others,
	    fault);
}

static int
take_row(void *ctx, const struct session *session, struct fault *fault)
{
	struct session_revocation *r = ctx;
	char text[UUID_TEXT_LEN + 1];

	(void)fault;
	if (r->found < REVOKED_TOLD_MAX)
		r->told[r->found] = *session;
	else if (r->found < REVOKED_TOLD_MAX + REVOKED_NAMED_MAX)
		json_write_string(&r->w, uuid_format(&session->id, text));
	r->found++;
	return 0;
}

static int
take_all(struct change *change, struct session_revocation *r,
    struct fault *fault)
{
	strbuf_reset(&r->ids);
	json_writer_init(&r->w, &r->ids);
	r->found = 0;
	json_write_array_begin(&r->w);
	if (session_store_list(change->db, &change->tenant_id, r->user_id,
	    true, change->now_us, take_row, r, fault) < 0)
		return fault_prefix(fault, "list sessions");
	json_write_array_end(&r->w);
	return 0;
}

static int
revoke_all(struct change *change, struct session_revocation *r,
    struct fault *fault)
{
	const struct strbuf *others;

	if (take_all(change, r, fault) < 0)
		return -1;
	if (r->found == 0)
		return 0;
	if (session_store_revoke_all(change->db, &change->tenant_id,
	    r->user_id, change->now_us, &r->n, fault) < 0)
		return fault_prefix(fault, "revoke sessions");
	if (change_audit(change, "session.all_deleted", r->user_id, NULL, NULL,
	    fault) < 0)
		return -1;
	for (unsigned i = 0; i < r->found && i < REVOKED_TOLD_MAX; i++) {
		others = i == REVOKED_TOLD_MAX - 1 &&
		    r->found > REVOKED_TOLD_MAX ? &r->ids : NULL;
		if (emit_deleted(change, &r->told[i], others, fault) < 0)
			return -1;
	}
	return 0;
}

static int
revoke_one(struct change *change, const struct session_revocation *r,
    struct fault *fault)
{
	struct session session;
	int found;

	/* As it was: revoking shortens it. */
	found = session_store_find(change->db, &change->tenant_id,
	    r->user_id, r->id, &session, fault);
	if (found == 1)
		found = session_store_revoke(change->db, &change->tenant_id,
		    r->user_id, r->id, change->now_us, fault);
	if (found < 0)
		return fault_prefix(fault, "revoke session");
	if (found == 0)
		return fault_say(fault, REFUSAL_SESSION_NOT_FOUND,
		    "session not found");
	if (change_audit(change, "session.deleted", r->id, NULL, NULL,
	    fault) < 0)
		return -1;
	return emit_deleted(change, &session, NULL, fault);
}

int
session_end_all(struct change *change, const struct uuid *user_id,
    struct fault *fault)
{
	struct session_revocation r = { .user_id = user_id };
	int ret = revoke_all(change, &r, fault);

	strbuf_deinit(&r.ids);
	return ret;
}

static int
revoke_body(struct change *change, void *ctx, struct fault *fault)
{
	struct session_revocation *r = ctx;
	struct user user;

	r->n = 0;
	if (user_lock_target(change, r->user_id, &user, fault) < 0 ||
	    check_revoke(&change->identity, &user, fault) < 0)
		return -1;
	return r->id == NULL ? revoke_all(change, r, fault) :
	    revoke_one(change, r, fault);
}

static int
revoke(struct service *service, const struct caller *caller,
    struct session_revocation *r, struct fault *fault)
{
	char text[UUID_TEXT_LEN + 1];
	struct uuid tenant_id;

	fault_clear(fault);
	if (user_find_tenant(service, &caller->identity, r->user_id,
	    &tenant_id, fault) < 0)
		return -1;
	if (change_run(service, caller, &tenant_id, revoke_body, r,
	    fault) < 0)
		return fault_prefix(fault, "end sessions of user %s",
		    uuid_format(r->user_id, text));
	return 0;
}

int
session_service_revoke(struct service *service, const struct caller *caller,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault)
{
	struct session_revocation r = { .user_id = user_id, .id = id };

	return revoke(service, caller, &r, fault);
}

int
session_service_revoke_all(struct service *service,
    const struct caller *caller, const struct uuid *user_id, size_t *n_r,
    struct fault *fault)
{
	struct session_revocation r = { .user_id = user_id };
	int ret;

	ret = revoke(service, caller, &r, fault);
	*n_r = r.n;
	strbuf_deinit(&r.ids);
	return ret;
}

/* --- list --- */

int
session_service_list(struct service *service, const struct caller *caller,
    const struct uuid *user_id, bool include_expired, session_listed *row,
    void *ctx, struct fault *fault)
{
	struct user user;

	if (user_service_get(service, caller, user_id, &user, fault) < 0)
		return -1;
	if (session_store_list(service->db, &user.tenant_id, user_id,
	    include_expired, clock_wall_us(), row, ctx, fault) < 0)
		return fault_prefix(fault, "list sessions");
	return 0;
}

/* --- expiry --- */

struct session_expiry {
	const struct session *sessions;
	unsigned n;
};

/* Another process may have been here first: it is told once. */
static int
expire_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct session_expiry *expiry = ctx;
	const struct session *session;
	int deleted;

	change->adds_only = true;
	if (change_lock_tenant(change, fault) < 0)
		return -1;
	for (unsigned i = 0; i < expiry->n; i++) {
		session = &expiry->sessions[i];
		deleted = session_store_delete(change->db,
		    &change->tenant_id, &session->id, fault);
		if (deleted < 0)
			return fault_prefix(fault, "delete session");
		if (deleted == 1 && session_emit(change, "session.expired",
		    session, NULL, fault) < 0)
			return -1;
	}
	return 0;
}

/* As many as one change may tell of, all of one tenant. */
static unsigned
take_batch(const struct session *sessions, unsigned n)
{
	unsigned batch = 1;

	while (batch < n && batch < CHANGE_EVENTS_MAX &&
	    uuid_is_equal(&sessions[batch].tenant_id,
	    &sessions[0].tenant_id))
		batch++;
	return batch;
}

int
session_service_sweep(struct service *service, struct fault *fault)
{
	static const struct caller nobody = {
		.request_id = "", .address = ""
	};
	struct session sessions[SWEEP_SESSIONS];
	struct session_expiry expiry;
	unsigned at = 0;
	int n;

	fault_clear(fault);
	n = session_store_list_expired(service->db, clock_wall_us(),
	    SWEEP_SESSIONS, sessions, fault);
	if (n < 0)
		return fault_prefix(fault, "list expired sessions");
	for (; at < (unsigned)n; at += expiry.n) {
		expiry.sessions = sessions + at;
		expiry.n = take_batch(expiry.sessions, (unsigned)n - at);
		if (change_run(service, &nobody, &sessions[at].tenant_id,
		    expire_body, &expiry, fault) < 0)
			return fault_prefix(fault, "expire sessions");
	}
	return n == SWEEP_SESSIONS;
}

void
session_sweep_now_and_then(struct service *service)
{
	int64_t now_us = clock_mono_us();
	struct fault fault;

	if (service->swept_us != 0 &&
	    now_us - service->swept_us < SWEEP_EVERY_US)
		return;
	service->swept_us = now_us;
	if (session_service_sweep(service, &fault) < 0)
		log_warn("expired sessions: %s", fault.text);
}
