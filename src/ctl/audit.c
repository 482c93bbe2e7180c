/* SPDX-License-Identifier: MIT */
/* wutsctl audit: the trail of a tenant, and the proof that nobody edited it.
   Reads only. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/audit.h"
#include "wuts/audit_service.h"
#include "wuts/clock.h"
#include "wuts/tenant_service.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The trail that the first argument names. It outlives its tenant, so an id is
   taken as it is; without an argument it is the installation's own. */
static int
trail(struct session *session, struct uuid *tenant_id_r)
{
	const char *text = session->ctl->args[0];
	struct tenant tenant;

	*tenant_id_r = UUID_NIL;
	if (text == NULL || uuid_parse(text, strlen(text), tenant_id_r))
		return 0;
	if (session_tenant(session, text, &tenant) < 0)
		return -1;
	*tenant_id_r = tenant.id;
	return 0;
}

/* --- list --- */

static void
write_actor(struct json_writer *w, const struct identity *actor)
{
	bool is_user = actor->kind == IDENTITY_USER;

	json_write_key(w, "actor");
	json_write_object_begin(w);
	json_member_text(w, "kind", identity_kind_name(actor->kind));
	json_member_uuid_or_null(w, "user_id",
	    is_user ? &actor->user_id : &UUID_NIL);
	json_write_key(w, "role");
	if (is_user)
		json_write_string(w, role_name(actor->role));
	else
		json_write_null(w);
	json_write_object_end(w);
}

static void
write_entry(struct json_writer *w, const struct audit_entry *entry)
{
	json_write_object_begin(w);
	json_member_uuid(w, "id", &entry->id);
	json_member_uuid(w, "tenant_id", &entry->tenant_id);
	write_number(w, "seq", entry->seq);
	json_member_text(w, "action", entry->action);
	write_actor(w, &entry->actor);
	json_member_uuid_or_null(w, "target_id", &entry->target_id);
	/* Both are JSON already, written by the services. */
	json_write_key(w, "old");
	json_write_raw_or_null(w, entry->old_value);
	json_write_key(w, "new");
	json_write_raw_or_null(w, entry->new_value);
	json_member_text(w, "request_id", entry->request_id);
	json_member_text(w, "address", entry->address);
	json_member_time_or_null(w, "created_at", entry->created_us);
	json_write_object_end(w);
}

static void
print_entry(const struct audit_entry *entry)
{
	char created[CLOCK_RFC3339_SIZE], id[UUID_TEXT_LEN + 1];
	bool is_user = entry->actor.kind == IDENTITY_USER;

	printf("%6" PRIu64 "  %s  %-19s  %-36s  ", entry->seq,
	    clock_format(entry->created_us, created), entry->action,
	    is_user ? uuid_format(&entry->actor.user_id, id) :
	    identity_kind_name(entry->actor.kind));
	printf("%s  %s → %s\n", uuid_is_nil(&entry->target_id) ? "-" :
	    uuid_format(&entry->target_id, id),
	    entry->old_value != NULL ? entry->old_value : "-",
	    entry->new_value != NULL ? entry->new_value : "-");
}

static int
list_row(void *ctx, const struct audit_entry *entry, struct fault *fault)
{
	struct session *session = ctx;

	(void)fault;
	if (session->ctl->json) {
		write_entry(&session->w, entry);
		session_flush(session);
	} else {
		print_entry(entry);
	}
	return 0;
}

static int
list(struct session *session)
{
	const struct ctl *ctl = session->ctl;
	struct audit_query query = { .action = ctl->action };
	struct uuid user_id;
	const char *next;
	int ret;

	if (session_limit(session, &query.limit) < 0 ||
	    trail(session, &query.tenant_id) < 0)
		return -1;
	if (ctl->user != NULL) {
		if (!uuid_parse(ctl->user, strlen(ctl->user), &user_id))
			return fault_set(&session->fault, FAULT_CONFIG,
			    "--user must be a user's id: see wutsctl user"
			    " list TENANT");
		query.user_id = &user_id;
	}
	if (ctl->json) {
		json_write_key(&session->w, "entries");
		json_write_array_begin(&session->w);
	} else {
		printf("%6s  %-20s  %-19s  %-36s  %s\n", "ENTRY", "TIME",
		    "ACTION", "BY", "ON  OLD → NEW");
	}
	ret = audit_service_list(session->service, session->arena, &query,
	    list_row, session, &next, &session->fault);
	if (ctl->json)
		json_write_array_end(&session->w);
	return ret;
}

int
ctl_audit_list(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, list(&session));
}

/* --- verify --- */

struct verify {
	struct session *session;
	uint64_t trails, broken;
};

/* For people: the name of a tenant that lives. */
static const char *
describe(struct session *session, const struct uuid *tenant_id,
    struct tenant_details *details)
{
	struct fault ignored;

	fault_clear(&ignored);
	if (uuid_is_nil(tenant_id))
		return "the installation";
	if (tenant_service_get(session->service, tenant_id, details,
	    &ignored) == 0)
		return details->tenant.name;
	return ignored.code == REFUSAL_TENANT_NOT_FOUND ? "(deleted)" : "?";
}

static void
judged(void *ctx, const struct audit_verdict *verdict)
{
	struct verify *verify = ctx;
	struct session *session = verify->session;
	struct json_writer *w = &session->w;
	bool is_good = verdict->bad_seq == 0;
	struct tenant_details details;
	char id[UUID_TEXT_LEN + 1];

	verify->trails++;
	verify->broken += !is_good;
	if (session->ctl->json) {
		json_write_object_begin(w);
		json_member_uuid(w, "tenant_id", &verdict->tenant_id);
		json_member_bool(w, "ok", is_good);
		write_number(w, "rows", verdict->rows);
		write_number(w, "bad_seq", verdict->bad_seq);
		json_member_text(w, "why", is_good ? "" : verdict->why);
		json_write_object_end(w);
		session_flush(session);
		return;
	}
	printf("%-6s  %s  ", is_good ? "ok" : "BROKEN",
	    uuid_format(&verdict->tenant_id, id));
	if (is_good)
		printf("%" PRIu64 " entries", verdict->rows);
	else
		printf("at entry %" PRIu64 ": %s", verdict->bad_seq,
		    verdict->why);
	printf("  %s\n", describe(session, &verdict->tenant_id, &details));
}

static int
verify_all(struct verify *verify)
{
	struct session *session = verify->session;
	bool is_one = session->ctl->args[0] != NULL;
	struct json_writer *w = &session->w;
	struct uuid tenant_id;
	int ret;

	if (trail(session, &tenant_id) < 0)
		return -1;
	if (session->ctl->json) {
		json_write_key(w, "trails");
		json_write_array_begin(w);
	}
	ret = audit_service_verify(session->service,
	    is_one ? &tenant_id : NULL, judged, verify, &session->fault);
	if (session->ctl->json) {
		json_write_array_end(w);
		json_member_bool(w, "ok", verify->broken == 0);
	}
	return ret;
}

int
ctl_audit_verify(const struct ctl *ctl)
{
	struct session session;
	struct verify verify = { .session = &session };
	int status;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	status = session_close(&session, verify_all(&verify));
	return verify.broken > 0 ? CTL_FAILED : status;
}
