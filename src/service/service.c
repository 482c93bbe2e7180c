/* SPDX-License-Identifier: MIT */
/* The parts of a service, opened and closed together, and the question whether
   they can serve. */
#include "config.h"

#include "wuts/service.h"

#include "service_private.h"
#include "wuts/attempts.h"
#include "wuts/cache.h"
#include "wuts/caller_store.h"
#include "wuts/callback_counts.h"
#include "wuts/db.h"
#include "wuts/device.h"
#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/generations.h"
#include "wuts/mem.h"
#include "wuts/queue.h"
#include "wuts/schema_store.h"
#include "wuts/settings.h"
#include "wuts/tenant.h"
#include "wuts/tenant_store.h"

#include <stdlib.h>
#include <string.h>

#define TOUCHED_SLOTS 1024
#define ATTEMPTS_WINDOW_S 60
#define REQUESTS_WINDOW_S 60

static int
open_shared_files(struct service *service, struct fault *fault)
{
	const struct settings *settings = service->settings;
	struct strbuf path = STRBUF_INIT;
	int ret = -1;

	if (file_make_dirs(settings->run_dir, 0755, fault) < 0)
		goto out;
	strbuf_printf(&path, "%s/generations", settings->run_dir);
	if (generations_open(&service->generations, path.data, fault) < 0)
		goto out;
	strbuf_reset(&path);
	strbuf_printf(&path, "%s/attempts", settings->run_dir);
	if (attempts_open(&service->attempts, path.data,
	    settings->auth_failure_limit, ATTEMPTS_WINDOW_S, fault) < 0 ||
	    login_open(service, fault) < 0)
		goto out;
	strbuf_reset(&path);
	strbuf_printf(&path, "%s/requests", settings->run_dir);
	if (attempts_open(&service->requests, path.data, 0,
	    REQUESTS_WINDOW_S, fault) < 0)
		goto out;
	strbuf_reset(&path);
	strbuf_printf(&path, "%s/" CALLBACK_COUNTS_FILE, settings->run_dir);
	ret = callback_counts_open(&service->callback_counts, path.data,
	    fault);
out:
	strbuf_deinit(&path);
	return ret;
}

static int
open_parts(struct service *service, struct fault *fault)
{
	const struct settings *settings = service->settings;
	struct queue_limits limits = {
		.segment_bytes = settings->queue_segment_bytes,
		.max_bytes = settings->queue_max_bytes,
		.disk_reserve = settings->queue_disk_reserve,
		.max_records = settings->queue_max_records,
		.tenant_max_records = settings->queue_tenant_max_records,
		.tenant_max_bytes = settings->queue_tenant_max_bytes,
		.tenant_max_callbacks = settings->onprem_webhook_max_waiting
	};

	if (address_policy_init(&service->addresses, settings->webhook_allow,
	    fault) < 0)
		return fault_prefix(fault, "setting webhook_allow");
	if (address_policy_init(&service->metrics_readers,
	    settings->metrics_allow, fault) < 0)
		return fault_prefix(fault, "setting metrics_allow");
	if (address_policy_allow_hosts(&service->addresses,
	    settings->webhook_allow_host, fault) < 0)
		return fault_prefix(fault, "setting webhook_allow_host");
	if (open_shared_files(service, fault) < 0)
		return -1;
	return queue_writer_open(&service->queue, settings->queue_dir,
	    &limits, fault);
}

int
service_open(struct service **service_r, const struct settings *settings,
    struct fault *fault)
{
	struct service *service = mem_calloc(1, sizeof(*service));

	service->settings = settings;
	service->db = db_new(settings);
	memory_init(&service->tokens, CRYPTO_HASH_LEN,
	    sizeof(struct token_owner),
	    offsetof(struct token_owner, tenant_id),
	    offsetof(struct token_owner, id));
	memory_init(&service->keys, CRYPTO_HASH_LEN,
	    sizeof(struct known_key), offsetof(struct known_key, tenant_id),
	    MEMORY_NO_USER);
	memory_init(&service->sessions, CRYPTO_HASH_LEN,
	    sizeof(struct known_session),
	    offsetof(struct known_session, user.tenant_id),
	    offsetof(struct known_session, user.id));
	service->touched = cache_new(TOUCHED_SLOTS, sizeof(struct uuid), 1);
	memory_init(&service->users, sizeof(struct uuid), sizeof(struct user),
	    offsetof(struct user, tenant_id), offsetof(struct user, id));
	memory_init(&service->bindings, CRYPTO_HASH_LEN, sizeof(struct uuid),
	    0, MEMORY_NO_USER);
	memory_init(&service->devices, sizeof(struct uuid),
	    sizeof(struct device), offsetof(struct device, tenant_id),
	    MEMORY_NO_USER);
	memory_init(&service->request_limits, sizeof(struct uuid),
	    sizeof(struct known_limit),
	    offsetof(struct known_limit, tenant_id), MEMORY_NO_USER);
	memory_init(&service->callbacks, sizeof(struct uuid),
	    sizeof(struct known_callback),
	    offsetof(struct known_callback, tenant_id), MEMORY_NO_USER);
	if (open_parts(service, fault) < 0) {
		service_close(&service);
		*service_r = NULL;
		return -1;
	}
	*service_r = service;
	return 0;
}

void
service_set_wait(struct service *service, const struct service_wait *wait)
{
	service->wait = *wait;
}

void
service_set_metrics(struct service *service, struct metrics *metrics)
{
	db_set_metrics(service->db, metrics);
}

void
service_close(struct service **servicep)
{
	struct service *service = *servicep;

	*servicep = NULL;
	if (service == NULL)
		return;
	queue_writer_close(&service->queue);
	callback_counts_close(&service->callback_counts);
	login_close(service);
	attempts_close(&service->attempts);
	attempts_close(&service->requests);
	generations_close(&service->generations);
	address_policy_deinit(&service->metrics_readers);
	address_policy_deinit(&service->addresses);
	memory_deinit(&service->request_limits);
	memory_deinit(&service->callbacks);
	memory_deinit(&service->devices);
	memory_deinit(&service->bindings);
	memory_deinit(&service->users);
	cache_free(&service->touched);
	memory_deinit(&service->sessions);
	memory_deinit(&service->keys);
	memory_deinit(&service->tokens);
	db_free(&service->db);
	event_group_deinit(&service->events);
	free(service);
}

void
service_rest(struct service *service)
{
	db_rest(service->db);
}

int
service_check_ready(struct service *service, struct fault *fault)
{
	unsigned version = 0;

	if (db_ping(service->db, fault) < 0)
		return fault_say(fault, fault->code,
		    "the database is not usable");
	if (schema_store_version(service->db, &version, fault) < 0)
		return fault_say(fault, fault->code,
		    "the database is not usable");
	if (version != SCHEMA_VERSION) {
		fault_set(fault, FAULT_DATABASE, "the schema has version %u, "
		    "this release needs %u: run wutsctl migrate", version,
		    (unsigned)SCHEMA_VERSION);
		return fault_say(fault, FAULT_DATABASE,
		    "the schema is not usable");
	}
	if (queue_writer_check(service->queue, fault) < 0)
		return fault_say(fault, fault->code,
		    "the queue is not usable");
	return 0;
}

struct webhook_policy
service_webhook_policy(const struct service *service)
{
	struct webhook_policy policy = {
		.http = service->settings->webhook_http,
		.addresses = &service->addresses
	};

	return policy;
}

const char *
service_webhook_url_shown(const char *url)
{
	return url != NULL && strchr(url, '@') != NULL ? "***" : url;
}

int
service_refuse_fields(struct fault *fault)
{
	return fault_say(fault, REFUSAL_VALIDATION, "validation failed");
}

int
service_refuse_forbidden(struct fault *fault)
{
	return fault_say(fault, REFUSAL_FORBIDDEN,
	    "insufficient permissions");
}

void
service_lookup_hash(const struct crypto_key *key, const char *text,
    size_t len, uint8_t hash_r[CRYPTO_HASH_LEN])
{
	crypto_hmac_sha256(key->lookup, sizeof(key->lookup), text, len,
	    hash_r);
}

void
service_api_key_hash(const struct crypto_key *key,
    const char text[API_KEY_TEXT_LEN], uint8_t hash_r[CRYPTO_HASH_LEN])
{
	service_lookup_hash(key, text, API_KEY_TEXT_LEN, hash_r);
	memcpy(hash_r, key->name, sizeof(key->name));
}

bool
service_is_member(const struct identity *caller, const struct uuid *tenant_id)
{
	return (caller->kind == IDENTITY_USER ||
	    caller->kind == IDENTITY_KEY) &&
	    uuid_is_equal(&caller->tenant_id, tenant_id);
}

bool
service_is_admin(const struct identity *caller, const struct uuid *tenant_id)
{
	return identity_is_super(caller) ||
	    (service_is_member(caller, tenant_id) &&
	    caller->role == ROLE_ADMIN && !caller->read_only);
}

int
service_check_tenant(struct service *service, const struct uuid *tenant_id,
    struct fault *fault)
{
	struct tenant tenant;
	int found;

	found = tenant_store_find(service->db, tenant_id, &tenant, fault);
	if (found == 0)
		return fault_say(fault, REFUSAL_TENANT_NOT_FOUND,
		    "tenant not found");
	return found < 0 ? fault_prefix(fault, "find tenant") : 0;
}
