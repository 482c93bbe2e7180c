/* SPDX-License-Identifier: MIT */
/* What the use cases share among themselves: the service's parts, the memory
   of rows, and change_run(), which every change goes through. */
#ifndef WUTS_SERVICE_PRIVATE_H
#define WUTS_SERVICE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/address.h"
#include "wuts/api_key.h"
#include "wuts/crypto.h"
#include "wuts/event_service.h"
#include "wuts/role.h"
#include "wuts/service.h"
#include "wuts/strbuf.h"
#include "wuts/user.h"
#include "wuts/user_store.h"
#include "wuts/uuid.h"
#include "wuts/webhook.h"

struct arena;
struct attempts;
struct audit_entry;
struct cache;
struct callback_counts;
struct db;
struct device;
struct event_input;
struct fault;
struct gate;
struct generations;
struct idempotency;
struct idempotency_answer;
struct json_writer;
struct onprem_settings;
struct queue_record;
struct queue_writer;
struct settings;

/* --- memory.c: rows remembered while their tenant's generation stands --- */

struct memory {
	struct cache *cache;
	size_t tenant_offset;	/* of the tenant's id in a value */
	size_t user_offset;	/* of the user's, or MEMORY_NO_USER */
};
#define MEMORY_NO_USER SIZE_MAX

/* One look-up that has to ask the database: whose counters were read before. */
struct memory_read {
	struct uuid tenant_id;	/* nil: not known yet */
	struct uuid user_id;
	uint64_t generation;
};

void memory_init(struct memory *memory, size_t key_len, size_t value_len,
    size_t tenant_offset, size_t user_offset);
void memory_deinit(struct memory *memory);

/* The value when it may be believed, or NULL. Then read the row and hand it to
   memory_put() with *read_r. tenant_id, user_id: whose row it is, NULL when
   only the row can tell; a memory of no users' rows asks for no user_id. */
const void *memory_find(const struct service *service,
    const struct memory *memory, const void *key,
    const struct uuid *tenant_id, const struct uuid *user_id,
    struct memory_read *read_r);
void memory_put(struct service *service, struct memory *memory,
    const void *key, const void *value, const struct memory_read *read);

/* --- service.c --- */

/* What is remembered of a tenant's policy. */
struct known_limit {
	struct uuid tenant_id;
	unsigned requests_per_minute;
};

/* What is remembered of an API key. */
struct known_key {
	struct uuid id;
	struct uuid tenant_id;
	enum api_key_scope scope;
	int64_t expires_us;
	int64_t last_used_us;
};

/* What is remembered of a session. */
struct known_session {
	struct uuid id;
	int64_t expires_us;
	int64_t last_active_us;
	struct user user;
};

/* A user that was read together with the caller, for the one request that is
   about it. */
struct fetched_user {
	bool is_set;
	bool is_there;		/* the caller's tenant has it */
	struct uuid caller_id;
	struct uuid id;
	struct user user;
};

/* The permission matrix, as last read. */
struct role_memory {
	bool is_read;
	uint64_t generation;
	int64_t read_us;	/* monotonic */
	struct role_matrix matrix;
};

/* Events of one request, its records behind those of the part before. */
struct event_part {
	size_t nrecords;
	struct fault *verdict;
};

/* What the next append makes durable. */
struct event_group {
	struct queue_record *records;	/* of all parts; their bodies stand in
					   order in bodies */
	size_t nrecords, cap;
	struct strbuf bodies;
	struct event_part parts[EVENT_GROUP_MAX];
	size_t nparts;
};

struct service {
	const struct settings *settings;
	struct db *db;
	struct queue_writer *queue;
	struct generations *generations;
	struct attempts *attempts;
	struct attempts *requests;	/* by key, for tenants that limit them */
	struct attempts *login_names;	/* failed log-ins, by name */
	struct attempts *login_addresses;	/* and by address */
	struct gate *hashing;	/* of passwords */
	struct address_policy addresses;
	struct address_policy metrics_readers;
	struct memory tokens;	/* look-up hash: struct token_owner */
	struct memory keys;	/* look-up hash: struct known_key */
	struct memory sessions;	/* SHA-256 of token: struct known_session */
	struct cache *touched;	/* id of key or session: its use was noted
				   this minute */
	int64_t swept_us;	/* expired sessions; monotonic */
	struct memory users;	/* user id: struct user */
	struct fetched_user fetched;
	struct memory bindings;	/* SHA-256 of WUTS_TENANT: its id */
	struct memory devices;	/* device id: struct device */
	struct memory request_limits;	/* tenant id: struct known_limit */
	struct memory callbacks;	/* tenant id: struct known_callback */
	struct callback_counts *callback_counts;
	struct event_group events;	/* being accepted */
	struct role_memory roles;
	/* Of no password: what an unknown user's is compared with. */
	char no_password[CRYPTO_PASSWORD_HASH_MAX];
	unsigned begun;		/* requests under an Idempotency-Key */
	struct service_wait wait;	/* of nobody: {NULL} */
};

/* The rules for webhook URLs of this installation. */
struct webhook_policy service_webhook_policy(const struct service *service);

/* What of a refused webhook URL may be echoed: not one with user information,
   of which a password may be part. */
const char *service_webhook_url_shown(const char *url);

/* Fields have been added: make it the one refusal. Returns -1. */
int service_refuse_fields(struct fault *fault);
int service_refuse_forbidden(struct fault *fault);

/* What a text is looked up by, under one of the keys. */
void service_lookup_hash(const struct crypto_key *key, const char *text,
    size_t len, uint8_t hash_r[CRYPTO_HASH_LEN]);
/* The same of an API key. The text is not kept, so the hash tells under which
   key it was made. */
void service_api_key_hash(const struct crypto_key *key,
    const char text[API_KEY_TEXT_LEN], uint8_t hash_r[CRYPTO_HASH_LEN]);

/* Does the caller, a user or an API key, belong to this tenant? */
bool service_is_member(const struct identity *caller,
    const struct uuid *tenant_id);
/* May the caller do what an admin of this tenant may? */
bool service_is_admin(const struct identity *caller,
    const struct uuid *tenant_id);

/* 0, or -1: REFUSAL_TENANT_NOT_FOUND, FAULT_DATABASE. */
int service_check_tenant(struct service *service,
    const struct uuid *tenant_id, struct fault *fault);

/* --- change.c: one use case, one transaction, its audit rows and events --- */

#define CHANGE_EVENTS_MAX 12

struct change;
/* Runs inside the transaction, again when that is retried: a pure function of
   its inputs and the database. 0 commits, -1 rolls back. */
typedef int change_body(struct change *change, void *ctx,
    struct fault *fault);

/* The end of the tenant's audit trail, as this change has moved it. */
struct audit_chain {
	bool is_read;
	bool has_grown;
	uint64_t seq;
	uint8_t hash[CRYPTO_HASH_LEN];
};

/* The caller's row as it stands locked, when it is a user of the tenant. */
struct caller_row {
	bool is_there;
	bool active;
	enum role role;
};

struct change {
	struct service *service;
	struct db *db;
	const struct caller *caller;
	struct identity identity;	/* the caller, as judged under lock */
	struct uuid tenant_id;
	int64_t now_us;			/* read under the tenant's lock */
	bool changed;			/* the body has written something */
	bool adds_only;			/* what is remembered of the tenant
					   stays true: no cache need know */
	struct uuid one_user;		/* nothing but this user's row has
					   changed: what else is remembered of
					   the tenant stays true; or nil */
	struct audit_chain chain;	/* audit_chain.c's own */
	struct caller_row caller_row;	/* change.c's own */

	/* change.c's own */
	change_body *body;
	void *ctx;
	size_t nprepared;
	struct uuid prepared[CHANGE_EVENTS_MAX];
};

/* Run body for this tenant (nil: for the installation). When this returns 0
   the change is committed, the answer of caller->reply is stored with it, its
   events will be delivered, and no cache of this machine believes what was
   before. -1: nothing has changed and no event exists; or, with FAULT_DATABASE
   only, that could not be found out. */
int change_run(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, change_body *body, void *ctx,
    struct fault *fault);

/* The first steps of a body inside an existing tenant: take the tenant's lock
   and read the caller's own row again, then judge by it.
   REFUSAL_TENANT_NOT_FOUND; REFUSAL_UNAUTHORIZED: the caller is gone, inactive
   or expired meanwhile. */
int change_lock_tenant(struct change *change, struct fault *fault);
int change_judge_caller(struct change *change, struct fault *fault);
/* As change_lock_tenant(), with the row of one user. 1: *user_r stands locked;
   0: the tenant has no such user; -1. */
int change_lock_user(struct change *change, const struct uuid *user_id,
    struct user *user_r, struct fault *fault);

/* An event of the tenant that exists if and only if this change commits. data:
   a JSON object. */
int change_emit(struct change *change, const char *event, const char *data,
    size_t data_len, struct fault *fault);
/* The same in the shape of the Wacht dialect (event_body_format_typed()). */
int change_emit_typed(struct change *change, const char *event,
    const char *data, size_t data_len, struct fault *fault);
/* The same, of one of its devices: for that device's webhook. */
int change_emit_of_device(struct change *change, const struct uuid *device_id,
    const char *event, const char *data, size_t data_len,
    struct fault *fault);

/* A time of change that is later than the one before, so that entity tags
   always differ. */
int64_t change_time_after(const struct change *change, int64_t before_us);

/* "changed_by": the user's id, or super_admin, operator, engine. */
void change_write_actor(struct json_writer *w, const struct change *change);

/* --- audit_chain.c: the trail, row by row --- */

int change_audit(struct change *change, const char *action,
    const struct uuid *target_id, const char *old_value,
    const char *new_value, struct fault *fault);
/* The last step of a change: the head of the chain is where it has come to. */
int change_close_audit(struct change *change, struct fault *fault);

/* --- idempotency.c: inside and after a change's transaction --- */

/* Write the answer. 1: written, or given up as too large; 0: another request
   has taken over; -1. */
int idempotency_write(struct service *service,
    const struct idempotency *idempotency,
    const struct idempotency_answer *answer, struct fault *fault);
/* A COMMIT broke that would have written the answer. 1: it did; 0: it did not
   and never will; -1: not to be found out. */
int idempotency_settle(struct service *service,
    struct idempotency *idempotency, struct fault *fault);

/* --- user.c: for other changes of a user --- */

/* Which tenant is this user's? A tenant's own callers look no further than
   theirs. REFUSAL_USER_NOT_FOUND, REFUSAL_FORBIDDEN. */
int user_find_tenant(struct service *service, const struct identity *identity,
    const struct uuid *id, struct uuid *tenant_id_r, struct fault *fault);
/* Lock tenant, caller and target, and judge the caller. */
int user_lock_target(struct change *change, const struct uuid *id,
    struct user *target_r, struct fault *fault);
/* Of a user that stands locked: user_check_change() and user_check_delete()
   on what the database says. */
int user_judge_change(struct change *change, const struct user *target,
    const struct user_change *asked, struct fault *fault);
int user_judge_delete(struct change *change, const struct user *target,
    struct fault *fault);

/* --- tenant.c --- */

/* Every tenant, a page at a time; visit may use the database. -1: visit's. */
typedef int tenant_visit(struct service *service, const struct uuid *tenant_id,
    void *ctx, struct fault *fault);
int tenant_visit_all(struct service *service, tenant_visit *visit, void *ctx,
    struct fault *fault);

/* --- new_user.c: a user from its input to its row --- */

struct new_user {
	struct user user;
	int64_t created_us;	/* 0: now */
	bool username_in_any_case;
	bool email_verified;
	struct uuid email_id;
	char password_hash[CRYPTO_PASSWORD_HASH_MAX];	/* "": none */
	struct user_token token;
	const char *webhook_url;
	struct user *user_r;	/* the row: filled before the answer is
				   rendered, inside the transaction */
};

/* Adds a field to fault for each problem. */
void new_user_check(const struct service *service, const char *email,
    const char *password, const char *webhook_url, struct fault *fault);
/* Hashes the password, if any (slow, so not inside a transaction), makes the
   token. new_user->user holds what is asked for already. -1: REFUSAL_BUSY. */
int new_user_prepare(struct service *service, const struct caller *caller,
    struct new_user *new_user, const char *password,
    char token_r[UUID_TEXT_LEN + 1], struct fault *fault);
/* The rows of the user, of its address, and for searches.
   REFUSAL_EMAIL_EXISTS, REFUSAL_USERNAME_EXISTS. */
int new_user_insert_rows(struct change *change, struct new_user *new_user,
    struct fault *fault);
/* The same with audit row and event of the WUTS dialect. */
int new_user_insert(struct change *change, struct new_user *new_user,
    struct fault *fault);
/* A new token, and what is kept of it. */
void new_user_make_token(const struct service *service, const struct uuid *id,
    char token_r[UUID_TEXT_LEN + 1], struct user_token *kept_r);
void new_user_keep_token(const struct crypto_keys *keys,
    const struct uuid *id, const char token[UUID_TEXT_LEN + 1],
    struct user_token *kept_r);

/* --- login.c: what keeps passwords from being guessed, and guessing from
   starving others; shared by all dialects --- */

int login_open(struct service *service, struct fault *fault);
void login_close(struct service *service);

/* Hash a password, or compare with a hash, slowly on purpose. At most half of
   the workers do so at once. Operators' commands are not counted. -1:
   REFUSAL_BUSY. */
int login_hash(struct service *service, const struct caller *caller,
    const char *password, char hash_r[CRYPTO_PASSWORD_HASH_MAX],
    struct fault *fault);
/* 1: it is the password / 0 / -1 REFUSAL_BUSY. hash "": of nobody, which takes
   as long. */
int login_verify(struct service *service, const struct caller *caller,
    const char *password, const char *hash, struct fault *fault);

/* The same around many hashes in a row, which are made in between. -1:
   REFUSAL_BUSY. */
int login_begin_hashes(struct service *service, struct fault *fault);
void login_end_hashes(struct service *service);

/* -1: REFUSAL_RATE_LIMITED: this name, or the caller's address, has failed too
   often. */
int login_check_limits(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, const char *name, struct fault *fault);
void login_count_failure(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, const char *name);
void login_forget_failures(struct service *service,
    const struct uuid *tenant_id, const char *name);

/* --- onprem.c --- */

/* Lock the tenant and judge the caller again: an admin of it, or super. */
int onprem_lock_as_admin(struct change *change, struct fault *fault);
/* The account `admin` of a tenant that speaks the dialect must stay, under
   this name. Operators' commands may do otherwise. -1: REFUSAL_FORBIDDEN. */
int onprem_keep_admin(struct change *change, const struct user *user,
    struct fault *fault);

/* --- session.c --- */

/* All of a user that stands locked. */
int session_end_all(struct change *change, const struct uuid *user_id,
    struct fault *fault);

/* --- device.c, webhook.c: used by events that touch both --- */

bool device_is_reachable(const struct identity *caller,
    const struct device *device);
/* Lock the tenant, the caller and the device, and judge again by what they are
   now. REFUSAL_DEVICE_NOT_FOUND. */
int device_lock(struct change *change, const struct uuid *id,
    struct device *device_r, struct fault *fault);

/* The webhook staged for this user, for every event, to its first device. */
int webhook_apply_pending(struct change *change, struct arena *arena,
    const struct device *device, int64_t created_us, struct fault *fault);

/* --- event_device.c: events that change their device --- */

struct event_batch {
	struct arena *arena;
	const struct device *device;
	const struct event_input *events;
	size_t n;
	int64_t arrival_us;
};

/* 1: it changes the device, 0: it does not, -1: REFUSAL_VALIDATION. */
int event_device_check(const struct event_batch *batch, struct fault *fault);
int event_device_change(struct service *service, const struct caller *caller,
    const struct event_batch *batch, struct fault *fault);

/* --- event_group.c: appends made together --- */

/* Room for n more records; their bodies go behind group->bodies. Another
   request's part may be flushed for it. */
struct queue_record *event_group_room(struct service *service, size_t n);
/* The first n of them are there: a part, to be judged by the next
   event_service_flush(), which may come at once. */
void event_group_add(struct service *service, size_t n,
    struct fault *verdict);
void event_group_deinit(struct event_group *group);

/* --- callback.c: the tenant's On-Premises webhook --- */

/* What is remembered of a tenant, also that it has none. */
struct known_callback {
	struct uuid tenant_id;
	bool is_fed;
	bool sent, delivered, read, without_pricing, identity;
};

/* 1: events are to be queued for it, *settings_r holds what decides their
   form; 0: there is none; -1: FAULT_DATABASE. */
int callback_settings_find(struct service *service,
    const struct uuid *tenant_id, struct onprem_settings *settings_r,
    struct fault *fault);

/* --- etag.c --- */

#define ETAG_SIZE 24
char *etag_format(int64_t updated_us, char buf[ETAG_SIZE]);
/* if_match NULL: no condition. etag NULL: there is nothing to match. -1:
   REFUSAL_PRECONDITION_FAILED. */
int etag_check(const char *if_match, const char *etag, struct fault *fault);

/* --- cursor.c: opaque text for "behind this row" --- */

/* In arena. kind tells the lists apart. */
const char *cursor_format(struct arena *arena, char kind, const void *data,
    size_t len);
/* 1..max_len bytes into data_r. -1: REFUSAL_VALIDATION. */
int cursor_parse(const char *cursor, char kind, void *data_r, size_t max_len,
    size_t *len_r, struct fault *fault);
int cursor_parse_id(const char *cursor, char kind, struct uuid *id_r,
    struct fault *fault);
int cursor_refuse(const char *cursor, struct fault *fault);

#endif
