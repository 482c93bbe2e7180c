/* SPDX-License-Identifier: MIT */
/* Requests under an Idempotency-Key. The row in flight is the lock: who has
   inserted it, or taken it over from a process that is gone, runs the request;
   everybody else waits or gets the stored answer. Names, bodies and answers are
   kept as keyed hashes and sealed: passwords and tokens are among them. */
#include "config.h"

#include "wuts/idempotency_service.h"

#include "service_private.h"
#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/idempotency_store.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/settings.h"

#include <stdlib.h>
#include <string.h>

/* An answer longer than this is given once and not kept. */
#define ANSWER_MAX ((size_t)1 << 20)
#define KEEP_US ((int64_t)IDEMPOTENCY_KEEP_S * CLOCK_SECOND_US)
/* So many rows go for so many that come. */
#define EXPIRE_EVERY 64
#define EXPIRE_BATCH 256
/* A row that ends while we look at it; more often than this is no accident. */
#define BEGIN_TRIES 5

struct request {
	const struct caller *caller;
	const char *key;
	const char *path;
	const char *body;
	size_t body_len;
};

static int
check_key(const char *key, struct fault *fault)
{
	size_t len = strlen(key), i;

	for (i = 0; i < len; i++)
		if (key[i] < 0x21 || key[i] > 0x7e)
			break;
	if (len > 0 && i == len && len <= IDEMPOTENCY_KEY_MAX)
		return 0;
	fault_add_field(fault, "Idempotency-Key",
	    "must be 1 to 255 visible ASCII characters", NULL);
	return service_refuse_fields(fault);
}

/* Which row, under one of the installation keys: the caller, the path and the
   key, told apart by their lengths. */
static void
name_row(const struct request *request, const struct crypto_key *key,
    struct idempotency_row *row)
{
	const struct identity *who = &request->caller->identity;
	const struct uuid *id = who->kind == IDENTITY_KEY ? &who->key_id :
	    &who->user_id;
	struct strbuf name = STRBUF_INIT;

	strbuf_append_str(&name, "idempotency");
	strbuf_append_char(&name, (char)who->kind);
	strbuf_append(&name, id->b, sizeof(id->b));
	strbuf_append(&name, request->path, strlen(request->path) + 1);
	strbuf_append(&name, request->key, strlen(request->key) + 1);
	service_lookup_hash(key, name.data, name.len, row->key_hash);
	/* As with API keys: it can be told what still needs an older key. */
	memcpy(row->key_hash, key->name, sizeof(key->name));
	strbuf_deinit(&name);
	service_lookup_hash(key, request->body, request->body_len,
	    row->body_hash);
}

static int
refuse_in_flight(struct fault *fault)
{
	fault_say(fault, REFUSAL_IDEMPOTENCY_IN_FLIGHT,
	    "a request with this Idempotency-Key is still in flight");
	fault->retry_after_s = 1;
	return -1;
}

static int
replay(struct service *service, struct arena *arena,
    const struct idempotency_row *row, struct idempotency_answer *answer_r,
    struct fault *fault)
{
	size_t len;
	char *text;

	if (row->sealed_len < CRYPTO_SEAL_OVERHEAD)
		return fault_set(fault, FAULT_DATABASE,
		    "idempotency: a stored answer is too short");
	len = row->sealed_len - CRYPTO_SEAL_OVERHEAD;
	text = arena_alloc(arena, len + 1);
	if (!crypto_open(&service->settings->keys, row->key_hash,
	    sizeof(row->key_hash), row->sealed, row->sealed_len, text))
		return fault_set(fault, FAULT_INTERNAL,
		    "idempotency: a stored answer does not open: is this the "
		    "installation key it was sealed with?");
	answer_r->status = row->status;
	answer_r->text = text;
	answer_r->len = len;
	return 1;
}

/* In flight: its process may be alive as long as its master lets it. */
static int
take_over(struct service *service, const struct idempotency_row *row,
    int64_t now_us, struct idempotency *idempotency_r, struct fault *fault)
{
	int64_t timeout_us = service->settings->request_timeout_ms * 1000;
	int taken;

	/* A clock that was set back does not shut a key out for long. */
	if (now_us - row->created_us <= timeout_us &&
	    row->created_us - now_us <= timeout_us)
		return refuse_in_flight(fault);
	taken = idempotency_store_take_over(service->db, row->key_hash,
	    row->created_us, now_us, fault);
	if (taken < 0)
		return fault_prefix(fault, "take over a request");
	if (taken == 0)
		return refuse_in_flight(fault);
	memcpy(idempotency_r->key_hash, row->key_hash,
	    sizeof(row->key_hash));
	idempotency_r->created_us = now_us;
	return 0;
}

/* There is a row. 1: *answer_r; 0: it is ours now; -1. */
static int
meet(struct service *service, struct arena *arena,
    const struct idempotency_row *row, const struct idempotency_row *ours,
    struct idempotency *idempotency_r, struct idempotency_answer *answer_r,
    struct fault *fault)
{
	if (!crypto_is_equal(row->body_hash, ours->body_hash,
	    sizeof(row->body_hash)))
		return fault_say(fault, REFUSAL_IDEMPOTENCY_MISMATCH,
		    "this Idempotency-Key was used with another body");
	if (row->status != 0)
		return replay(service, arena, row, answer_r, fault);
	return take_over(service, row, ours->created_us, idempotency_r,
	    fault);
}

/* Rows past their time; all of them, or a batch. */
static int
expire(struct service *service, int64_t now_us, bool all,
    struct fault *fault)
{
	int gone;

	do
		gone = idempotency_store_expire(service->db,
		    now_us - KEEP_US, EXPIRE_BATCH, fault);
	while (all && gone == EXPIRE_BATCH);
	return gone < 0 ? -1 : 0;
}

/* 1: found and not past its time. */
static int
find_row(struct service *service, struct arena *arena,
    const struct idempotency_row *ours, struct idempotency_row *row_r,
    struct fault *fault)
{
	int found;

	memset(row_r, 0, sizeof(*row_r));
	found = idempotency_store_find(service->db, arena, ours->key_hash,
	    row_r, fault);
	if (found != 1 || row_r->created_us > ours->created_us - KEEP_US)
		return found;
	return expire(service, ours->created_us, true, fault);
}

/* While installation keys are changed another process may have begun, or an
   older one finished, the same request under another name. Ours is inserted
   already, so of two that meet here at least one sees the other.
   1 / 0 / -1 as meet(), 2: nobody has. */
static int
meet_other_names(struct service *service, struct arena *arena,
    const struct request *request, struct idempotency *idempotency_r,
    struct idempotency_answer *answer_r, struct fault *fault)
{
	const struct crypto_keys *keys = &service->settings->keys;
	const int64_t created_us = idempotency_r->created_us;
	struct idempotency_row other, row;
	unsigned i;
	int found;

	for (i = 1; i < keys->n; i++) {
		name_row(request, &keys->key[i], &other);
		other.created_us = created_us;
		found = find_row(service, arena, &other, &row, fault);
		if (found < 0)
			return -1;
		if (found == 0)
			continue;
		if (idempotency_store_delete(service->db,
		    idempotency_r->key_hash, created_us, fault) < 0)
			return -1;
		return meet(service, arena, &row, &other, idempotency_r,
		    answer_r, fault);
	}
	return 2;
}

static void
expire_some(struct service *service, int64_t now_us)
{
	struct fault fault;

	if (service->begun++ % EXPIRE_EVERY != 0)
		return;
	fault_clear(&fault);
	if (expire(service, now_us, false, &fault) < 0)
		log_warn("expire stored answers: %s", fault.text);
}

static int
begin(struct service *service, struct arena *arena,
    const struct request *request, struct idempotency *idempotency_r,
    struct idempotency_answer *answer_r, struct fault *fault)
{
	struct idempotency_row ours, row;
	int ret, tries;

	memset(&ours, 0, sizeof(ours));
	name_row(request, &service->settings->keys.key[0], &ours);
	memcpy(idempotency_r->key_hash, ours.key_hash, sizeof(ours.key_hash));
	memcpy(idempotency_r->body_hash, ours.body_hash,
	    sizeof(ours.body_hash));
	for (tries = 0; tries < BEGIN_TRIES; tries++) {
		ours.created_us = clock_wall_us();
		idempotency_r->created_us = ours.created_us;
		ret = idempotency_store_insert(service->db, &ours, fault);
		if (ret == 1) {
			ret = meet_other_names(service, arena, request,
			    idempotency_r, answer_r, fault);
			return ret == 2 ? 0 : ret;
		}
		if (ret == 0)
			ret = find_row(service, arena, &ours, &row, fault);
		if (ret == 1)
			return meet(service, arena, &row, &ours,
			    idempotency_r, answer_r, fault);
		if (ret < 0)
			return -1;
	}
	return refuse_in_flight(fault);
}

int
idempotency_service_begin(struct service *service, struct arena *arena,
    const struct caller *caller, const char *key, const char *path,
    const char *body, size_t body_len, struct idempotency *idempotency_r,
    struct idempotency_answer *answer_r, struct fault *fault)
{
	struct request request = {
		.caller = caller,
		.key = key,
		.path = path,
		.body = body,
		.body_len = body_len
	};
	int ret;

	memset(idempotency_r, 0, sizeof(*idempotency_r));
	memset(answer_r, 0, sizeof(*answer_r));
	fault_clear(fault);
	if (check_key(key, fault) < 0)
		return -1;
	ret = begin(service, arena, &request, idempotency_r, answer_r,
	    fault);
	if (ret == 0)
		expire_some(service, idempotency_r->created_us);
	if (ret < 0 && !fault_is_refusal(fault->code))
		return fault_prefix(fault, "begin an idempotent request");
	return ret;
}

int
idempotency_write(struct service *service,
    const struct idempotency *idempotency,
    const struct idempotency_answer *answer, struct fault *fault)
{
	size_t sealed_len = answer->len + CRYPTO_SEAL_OVERHEAD;
	struct idempotency_row row;
	uint8_t *sealed;
	int ret;

	wuts_assert(answer->status != 0);
	if (answer->len > ANSWER_MAX) {
		ret = idempotency_store_delete(service->db,
		    idempotency->key_hash, idempotency->created_us, fault);
		return ret < 0 ? -1 : 1;
	}
	memset(&row, 0, sizeof(row));
	memcpy(row.key_hash, idempotency->key_hash, sizeof(row.key_hash));
	memcpy(row.body_hash, idempotency->body_hash, sizeof(row.body_hash));
	sealed = mem_calloc(sealed_len, 1);
	crypto_seal(&service->settings->keys, row.key_hash,
	    sizeof(row.key_hash), answer->text, answer->len, sealed);
	row.status = answer->status;
	row.sealed = sealed;
	row.sealed_len = sealed_len;
	row.created_us = idempotency->created_us;
	ret = idempotency_store_finish(service->db, &row, fault);
	free(sealed);
	return ret;
}

/* Taking the row over waits for the transaction that holds it, and succeeds
   only when that has not written the answer. */
int
idempotency_settle(struct service *service, struct idempotency *idempotency,
    struct fault *fault)
{
	int64_t now_us = clock_wall_us();
	struct arena *arena;
	struct idempotency_row row;
	int ret;

	if (now_us <= idempotency->created_us)
		now_us = idempotency->created_us + 1;
	ret = idempotency_store_take_over(service->db, idempotency->key_hash,
	    idempotency->created_us, now_us, fault);
	if (ret == 1) {
		idempotency->created_us = now_us;
		return 0;
	}
	if (ret < 0)
		return fault_prefix(fault, "take over the own request");
	arena = arena_new();
	memset(&row, 0, sizeof(row));
	ret = idempotency_store_find(service->db, arena,
	    idempotency->key_hash, &row, fault);
	arena_free(&arena);
	if (ret == 1)
		return row.status != 0 &&
		    row.created_us == idempotency->created_us;
	return ret < 0 ? -1 : fault_set(fault, FAULT_DATABASE,
	    "the row of the request is gone");
}

void
idempotency_service_finish(struct service *service,
    struct idempotency *idempotency, const struct idempotency_answer *answer)
{
	struct fault fault;

	if (idempotency->stored)
		return;
	fault_clear(&fault);
	if (idempotency_write(service, idempotency, answer, &fault) < 0)
		log_warn("store the answer of an idempotent request: %s",
		    fault.text);
	else
		idempotency->stored = 1;
}

void
idempotency_service_abandon(struct service *service,
    struct idempotency *idempotency)
{
	struct fault fault;

	if (idempotency->stored)
		return;
	fault_clear(&fault);
	if (idempotency_store_delete(service->db, idempotency->key_hash,
	    idempotency->created_us, &fault) < 0)
		log_warn("abandon an idempotent request: %s", fault.text);
}
