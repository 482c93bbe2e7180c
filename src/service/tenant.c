/* SPDX-License-Identifier: MIT */
/* The birth of a tenant, its end, and the list of them. */
#include "config.h"

#include "wuts/tenant_service.h"

#include "service_private.h"
#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/db.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/log.h"
#include "wuts/settings.h"
#include "wuts/tenant_store.h"
#include "wuts/utf8.h"

#include <jansson.h>
#include <string.h>

#define CURSOR_KIND 't'
#define SWEEP_BATCH 1000
#define VISIT_BATCH 100

struct registration {
	struct tenant *tenant;
	struct new_user *admin;
};

static int
tell_created(struct change *change, const struct tenant *tenant,
    struct fault *fault)
{
	struct strbuf data = STRBUF_INIT;
	struct json_writer w;
	int ret;

	json_writer_init(&w, &data);
	json_write_object_begin(&w);
	json_member_uuid(&w, "tenant_id", &tenant->id);
	json_member_text(&w, "name", tenant->name);
	json_write_object_end(&w);
	ret = change_audit(change, "tenant.created", &tenant->id, NULL,
	    data.data, fault);
	if (ret == 0)
		ret = change_emit(change, "tenant.created", data.data,
		    data.len, fault);
	strbuf_deinit(&data);
	return ret;
}

/* The new row is its own lock: nobody else can see the tenant yet. */
static int
register_body(struct change *change, void *ctx, struct fault *fault)
{
	struct registration *registration = ctx;
	struct tenant *tenant = registration->tenant;
	int inserted;

	tenant->created_us = change->now_us;
	tenant->updated_us = change->now_us;
	inserted = tenant_store_insert(change->db, tenant, fault);
	if (inserted < 0)
		return fault_prefix(fault, "insert tenant");
	if (inserted == 0)
		return fault_say(fault, REFUSAL_TENANT_EXISTS,
		    "tenant already exists - please contact your "
		    "administrator to create an account");
	if (tell_created(change, tenant, fault) < 0)
		return -1;
	return new_user_insert(change, registration->admin, fault);
}

static int
check_registration(const struct service *service,
    const struct tenant_registration *input, struct tenant *tenant,
    struct fault *fault)
{
	const char *problem;

	problem = input->tenant_name == NULL ? "is required" :
	    tenant_name_check(input->tenant_name, tenant->name);
	if (problem != NULL)
		fault_add_field(fault, "tenant_name", problem,
		    input->tenant_name);
	new_user_check(service, input->email, input->password,
	    input->webhook_url, fault);
	return fault->nfields > 0 ? service_refuse_fields(fault) : 0;
}

int
tenant_service_register(struct service *service, const struct caller *caller,
    const struct tenant_registration *input,
    struct tenant_registered *result_r, struct fault *fault)
{
	struct new_user admin;
	struct registration registration = {
		.tenant = &result_r->tenant,
		.admin = &admin
	};
	int ret;

	memset(result_r, 0, sizeof(*result_r));
	fault_clear(fault);
	if (check_registration(service, input, &result_r->tenant, fault) < 0)
		return -1;
	uuid_new_ordered(&result_r->tenant.id);
	memset(&admin, 0, sizeof(admin));
	memcpy(admin.user.email, input->email, strlen(input->email) + 1);
	admin.user.role = ROLE_ADMIN;
	admin.webhook_url = input->webhook_url;
	admin.user_r = &result_r->admin;
	ret = new_user_prepare(service, caller, &admin, input->password,
	    result_r->token, fault);
	if (ret == 0)
		ret = change_run(service, caller, &result_r->tenant.id,
		    register_body, &registration, fault);
	if (ret < 0)
		crypto_wipe(result_r->token, sizeof(result_r->token));
	crypto_wipe(&admin, sizeof(admin));
	return ret < 0 ? fault_prefix(fault, "register tenant") : 0;
}

/* --- the list --- */

struct tenant_page {
	tenant_listed *row;
	void *ctx;
	unsigned limit;
	unsigned seen;
	bool has_more;
	struct tenant last;
};

static int
page_row(void *ctx, const struct tenant *tenant, struct fault *fault)
{
	struct tenant_page *page = ctx;

	if (page->limit > 0 && page->seen == page->limit) {
		page->has_more = true;
		return 0;
	}
	page->seen++;
	page->last = *tenant;
	return page->row(page->ctx, tenant, fault);
}

/* The order is by name, so the name travels with the id. */
static const char *
format_cursor(struct arena *arena, const struct tenant *last)
{
	size_t name_len = strlen(last->name);
	unsigned char data[sizeof(last->id.b) + TENANT_NAME_SIZE];

	memcpy(data, last->id.b, sizeof(last->id.b));
	memcpy(data + sizeof(last->id.b), last->name, name_len);
	return cursor_format(arena, CURSOR_KIND, data,
	    sizeof(last->id.b) + name_len);
}

static int
parse_cursor(const char *cursor, struct tenant *after_r, struct fault *fault)
{
	unsigned char data[sizeof(after_r->id.b) + TENANT_NAME_SIZE - 1];
	char name[TENANT_NAME_SIZE];
	size_t len = 0, name_len;

	memset(after_r, 0, sizeof(*after_r));
	if (cursor_parse(cursor, CURSOR_KIND, data, sizeof(data), &len,
	    fault) < 0)
		return -1;
	if (len <= sizeof(after_r->id.b))
		return cursor_refuse(cursor, fault);
	name_len = len - sizeof(after_r->id.b);
	memcpy(after_r->id.b, data, sizeof(after_r->id.b));
	memcpy(name, data + sizeof(after_r->id.b), name_len);
	name[name_len] = '\0';
	if (strlen(name) != name_len || !utf8_is_valid(name, strlen(name)) ||
	    tenant_name_check(name, after_r->name) != NULL ||
	    strcmp(name, after_r->name) != 0)
		return cursor_refuse(cursor, fault);
	return 0;
}

int
tenant_service_list(struct service *service, struct arena *arena,
    const char *cursor, unsigned limit, tenant_listed *row, void *ctx,
    const char **next_cursor_r, struct fault *fault)
{
	struct tenant_page page = { .row = row, .ctx = ctx, .limit = limit };
	struct tenant after;

	*next_cursor_r = NULL;
	if (cursor != NULL && parse_cursor(cursor, &after, fault) < 0)
		return -1;
	/* One row more than asked for tells whether there is another page. */
	if (tenant_store_list(service->db, cursor != NULL ? &after : NULL,
	    limit > 0 ? limit + 1 : 0, page_row, &page, fault) < 0)
		return fault_prefix(fault, "list tenants");
	if (page.has_more)
		*next_cursor_r = format_cursor(arena, &page.last);
	return 0;
}

struct tenant_batch {
	struct tenant tenants[VISIT_BATCH];
	unsigned n;
};

static int
batch_row(void *ctx, const struct tenant *tenant, struct fault *fault)
{
	struct tenant_batch *batch = ctx;

	(void)fault;
	batch->tenants[batch->n++] = *tenant;
	return 0;
}

int
tenant_visit_all(struct service *service, tenant_visit *visit, void *ctx,
    struct fault *fault)
{
	struct arena *arena = arena_new();
	struct tenant_batch *batch = arena_alloc(arena, sizeof(*batch));
	struct tenant last;
	bool is_first = true;
	unsigned i;
	int ret;

	do {
		batch->n = 0;
		ret = tenant_store_list(service->db, is_first ? NULL : &last,
		    VISIT_BATCH, batch_row, batch, fault);
		for (i = 0; ret == 0 && i < batch->n; i++)
			ret = visit(service, &batch->tenants[i].id, ctx,
			    fault);
		if (batch->n > 0)
			last = batch->tenants[batch->n - 1];
		is_first = false;
	} while (ret == 0 && batch->n == VISIT_BATCH);
	arena_free(&arena);
	return ret;
}

/* --- one --- */

int
tenant_service_get(struct service *service, const struct uuid *id,
    struct tenant_details *details_r, struct fault *fault)
{
	int found;

	memset(details_r, 0, sizeof(*details_r));
	found = tenant_store_find(service->db, id, &details_r->tenant, fault);
	if (found < 0)
		return fault_prefix(fault, "find tenant");
	if (found == 0)
		return fault_say(fault, REFUSAL_TENANT_NOT_FOUND,
		    "tenant not found");
	if (tenant_store_count(service->db, id, &details_r->users,
	    &details_r->devices, fault) < 0)
		return fault_prefix(fault, "count users and devices");
	return 0;
}

/* --- the end --- */

static int
delete_body(struct change *change, void *ctx, struct fault *fault)
{
	struct tenant *tenant = ctx;
	struct strbuf value = STRBUF_INIT;
	struct json_writer w;
	int ret;

	if (change_lock_tenant(change, fault) < 0)
		return -1;
	if (tenant_store_find(change->db, &change->tenant_id, tenant,
	    fault) != 1)
		return fault_prefix(fault, "read the locked tenant");
	if (tenant_store_mark_deleted(change->db, &tenant->id,
	    change->now_us, fault) != 1)
		return fault_prefix(fault, "mark the locked tenant");
	tenant->updated_us = change->now_us;
	json_writer_init(&w, &value);
	json_write_object_begin(&w);
	json_member_text(&w, "name", tenant->name);
	json_write_object_end(&w);
	ret = change_audit(change, "tenant.deleted", &tenant->id, value.data,
	    NULL, fault);
	strbuf_deinit(&value);
	return ret;
}

/* The rows go while the caller waits, but not so long that its worker would be
   taken for stuck: the spooler finishes what is left. */
static void
sweep_for_a_while(struct service *service, const char *id)
{
	int64_t until_us = clock_mono_us() +
	    service->settings->request_timeout_ms * 1000 / 2;
	struct fault fault;
	int more;

	do {
		fault_clear(&fault);
		more = tenant_service_sweep(service, &fault);
	} while (more == 1 && clock_mono_us() < until_us);
	if (more < 0)
		log_warn("tenant=%s rows of deleted tenants are left to the "
		    "spooler: %s", id, fault.text);
	else if (more == 1)
		log_info("tenant=%s rows of deleted tenants are left to the "
		    "spooler", id);
}

int
tenant_service_delete(struct service *service, const struct caller *caller,
    const struct uuid *id, struct tenant *tenant_r, int64_t *deleted_us_r,
    struct fault *fault)
{
	char text[UUID_TEXT_LEN + 1];

	memset(tenant_r, 0, sizeof(*tenant_r));
	fault_clear(fault);
	if (!identity_is_super(&caller->identity))
		return service_refuse_forbidden(fault);
	uuid_format(id, text);
	if (change_run(service, caller, id, delete_body, tenant_r,
	    fault) < 0)
		return fault_prefix(fault, "delete tenant %s", text);
	*deleted_us_r = tenant_r->updated_us;
	log_warn("critical: tenant=%s name=\"%s\" deleted by=%s request=%s",
	    text, tenant_r->name, identity_kind_name(caller->identity.kind),
	    caller->request_id != NULL ? caller->request_id : "-");
	sweep_for_a_while(service, text);
	return 0;
}

static int
sweep_body(struct db *db, void *ctx, struct fault *fault)
{
	int *more = ctx;

	*more = tenant_store_sweep(db, SWEEP_BATCH, fault);
	return *more < 0 ? -1 : 0;
}

int
tenant_service_sweep(struct service *service, struct fault *fault)
{
	int more = 0;

	/* A batch whose fate is unknown is done again: it finds less. */
	if (tx_run(service->db, sweep_body, NULL, &more, fault) !=
	    TX_COMMITTED)
		return fault_prefix(fault, "remove deleted tenants");
	return more;
}
