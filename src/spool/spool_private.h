/* SPDX-License-Identifier: MIT */
/* What the files of the spooler share. One thread runs everything except
   lookup.c, whose thread touches nothing but its own jobs. Two clocks: wall
   for what is stored (created, due), monotonic for what is measured. */
#ifndef WUTS_SPOOL_PRIVATE_H
#define WUTS_SPOOL_PRIVATE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/address.h"
#include "wuts/crypto.h"
#include "wuts/delivery_store.h"
#include "wuts/event.h"
#include "wuts/fault.h"
#include "wuts/onprem.h"
#include "wuts/queue.h"
#include "wuts/secret.h"
#include "wuts/strbuf.h"
#include "wuts/uuid.h"
#include "wuts/webhook.h"

struct callback_counts;
struct crypto_keys;
struct db;
struct generations;
struct settings;
struct spool_numbers;

/* --- pending.c: containers for records that wait --- */

/* A pending record: all that is kept of it in memory. */
struct pending {
	struct queue_pos pos;
	uint64_t created_us : 52;	/* until the year 2112 */
	uint64_t attempts : 12;		/* made so far, as far as they are
					   counted here */
};
#define PENDING_ATTEMPTS_MAX 4095

struct pending pending_make(struct queue_pos pos, int64_t created_us,
    unsigned attempts);

/* First in, first out, in chunks that are freed as they empty. */
struct pending_chunk;
struct pending_fifo {
	struct pending_chunk *head, *tail;
	size_t count;
};
void pending_fifo_push(struct pending_fifo *fifo, struct pending item);
bool pending_fifo_pop(struct pending_fifo *fifo, struct pending *item_r);
/* The one that is next; NULL: none. */
const struct pending *pending_fifo_first(const struct pending_fifo *fifo);
void pending_fifo_clear(struct pending_fifo *fifo);

/* Oldest first; records of the same moment in the order of their segment. */
struct pending_heap {
	struct pending *items;
	size_t count, cap;
};
void pending_heap_push(struct pending_heap *heap, struct pending item);
bool pending_heap_pop(struct pending_heap *heap, struct pending *item_r);
void pending_heap_clear(struct pending_heap *heap);

/* What happens at a time: a retry of item, or (attempts 0) an alarm: its rate
   or its breaker lets an endpoint start again. */
struct pending_timer {
	int64_t due_us;
	uint32_t endpoint;
	struct pending item;
};
struct pending_timers {
	struct pending_timer *items;
	size_t count, cap;
};
void pending_timers_push(struct pending_timers *timers,
    struct pending_timer timer);
/* Let the retry of that record be due at once. False: there is none. */
bool pending_timers_hurry(struct pending_timers *timers,
    struct queue_pos pos);
bool pending_timers_pop(struct pending_timers *timers,
    struct pending_timer *timer_r);
/* Hand out all retries of an endpoint, in no order. As costly as there are
   timers. */
void pending_timers_take(struct pending_timers *timers, uint32_t endpoint,
    void (*taken)(void *ctx, struct pending item), void *ctx);
void pending_timers_clear(struct pending_timers *timers);

/* --- breaker.c: how much one endpoint is trusted with; pure --- */

struct breaker_limits {
	unsigned window;	/* attempts at once, at least 1 */
	unsigned first_window;	/* to begin with; 0: all of window */
	int64_t pause_us;	/* the first one; 0: the breaker never opens */
	int64_t pause_max_us;
};

struct breaker {
	int64_t until_us;	/* open till then */
	unsigned window;	/* now */
	unsigned answers;	/* since the window was this wide */
	uint8_t state;
	uint8_t failures;	/* in a row */
	uint8_t pauses;		/* in a row */
	bool trusted;
};

/* What an attempt told about its endpoint. */
enum breaker_verdict {
	BREAKER_QUICK,		/* it answers */
	BREAKER_SLOW,		/* it answers, but late */
	BREAKER_FAILED,		/* no answer, or 5xx */
	BREAKER_OVERLOADED	/* 429 or 503: less at once, too */
};

enum breaker_change {
	BREAKER_AS_BEFORE,
	BREAKER_HAS_OPENED,
	BREAKER_STAYS_OPEN,	/* the probe failed: a longer pause */
	BREAKER_HAS_CLOSED
};

/* status 0: no answer. */
enum breaker_verdict breaker_judge(long status, int64_t duration_us);
/* A zeroed breaker is closed and trusts nobody; limits may change any time. */
void breaker_limit(struct breaker *breaker,
    const struct breaker_limits *limits);
/* As if nothing had ever been tried. */
void breaker_reset(struct breaker *breaker,
    const struct breaker_limits *limits);
bool breaker_may_start(const struct breaker *breaker, unsigned in_flight);
bool breaker_is_trusted(const struct breaker *breaker);
bool breaker_is_open(const struct breaker *breaker);
/* Of one that is open: the pause is over, the next attempt decides. */
bool breaker_is_half_open(const struct breaker *breaker);
void breaker_started(struct breaker *breaker);
/* Nothing is in flight any more: a probe that told nothing is made again. */
void breaker_ended(struct breaker *breaker);
/* The pause is over. False: it is not, or there is none. */
bool breaker_wake(struct breaker *breaker, int64_t now_us);
/* random: any 64 bits. */
enum breaker_change breaker_report(struct breaker *breaker,
    const struct breaker_limits *limits, enum breaker_verdict verdict,
    int64_t now_us, uint64_t random);

/* --- scheduler.c: which record is tried next; pure --- */

struct scheduler;

struct scheduler_limits {
	struct breaker_limits breaker;
	unsigned rate;		/* starts a second, 0: any */
	bool ordered;		/* one at a time, oldest first */
};

struct scheduler *scheduler_new(unsigned max_in_flight);
void scheduler_free(struct scheduler **sp);
void scheduler_set_max_in_flight(struct scheduler *s, unsigned max);

/* A new endpoint, held; its number is reused after remove. */
uint32_t scheduler_add(struct scheduler *s);
/* Only when it is idle. */
void scheduler_remove(struct scheduler *s, uint32_t endpoint);
/* Set the limits and let its records start. */
void scheduler_open(struct scheduler *s, uint32_t endpoint,
    const struct scheduler_limits *limits);
/* Start nothing of it; what is in flight goes on. */
void scheduler_hold(struct scheduler *s, uint32_t endpoint);
bool scheduler_is_held(const struct scheduler *s, uint32_t endpoint);
/* Nothing waits, nothing is in flight. */
bool scheduler_is_idle(const struct scheduler *s, uint32_t endpoint);

/* A record was read. due_us: of a record tried before. */
void scheduler_push(struct scheduler *s, uint32_t endpoint,
    struct pending item, int64_t due_us);
/* Let a record that waits for its next attempt be due at once. */
void scheduler_hurry(struct scheduler *s, struct queue_pos pos);
/* A scan of the queue has come to its end. Two of them make sure that no older
   record of an ordered endpoint is still unread in another writer's segment:
   scheduler_wants_scan() asks for the second. */
void scheduler_scanned(struct scheduler *s);
bool scheduler_wants_scan(const struct scheduler *s);

/* The endpoint whose turn it is; false: nothing may start now. Either take
   from it or hold it before asking again. */
bool scheduler_next(struct scheduler *s, int64_t now_us, uint32_t *endpoint_r);
/* Its next record, in flight from here until done or retry. */
struct pending scheduler_take(struct scheduler *s, uint32_t endpoint,
    int64_t now_us);
/* What an attempt told, before done or retry. The wake-up after a pause is the
   scheduler's own. */
enum breaker_change scheduler_report(struct scheduler *s, uint32_t endpoint,
    enum breaker_verdict verdict, int64_t now_us, uint64_t random);
/* The endpoint is another one now: forget what was told. */
void scheduler_forgive(struct scheduler *s, uint32_t endpoint);
/* Its records need not wait for their time. */
void scheduler_hurry_all(struct scheduler *s, uint32_t endpoint);
/* Take out a record of a held endpoint that was created before before_us, as
   far as one is first in line. False: none is. It is not in flight. */
bool scheduler_take_old(struct scheduler *s, uint32_t endpoint,
    int64_t before_us, struct pending *item_r);
void scheduler_done(struct scheduler *s, uint32_t endpoint);
void scheduler_retry(struct scheduler *s, uint32_t endpoint,
    struct pending item, int64_t due_us);

/* When scheduler_next() may find something that it does not find now, as far
   as time alone decides; INT64_MAX: never. */
int64_t scheduler_due(const struct scheduler *s);
/* Is it worth calling scheduler_next()? */
bool scheduler_is_ready(const struct scheduler *s);
/* Does something wait that time alone, not a retry, holds up (rate limits)? */
bool scheduler_is_throttled(const struct scheduler *s);
unsigned scheduler_in_flight(const struct scheduler *s);

/* How it stands, for whoever watches. */
struct scheduler_survey {
	size_t closed, half_open, open;	/* breakers of endpoints */
	int64_t oldest_us;	/* created_us of the oldest that waits; 0: none */
	int64_t lag_us;		/* of the turn that is the longest overdue */
};
/* Looks at every endpoint and every retry: scheduler_size() of them. */
size_t scheduler_size(const struct scheduler *s);
void scheduler_survey(const struct scheduler *s, int64_t now_us,
    struct scheduler_survey *survey_r);

/* --- backoff.c: when to try again; pure --- */

#define BACKOFF_RETRY_AFTER_MAX_S 3600

/* How long to wait after the attempt with this number (1..): full jitter below
   base * 2^(attempt - 1), at most cap; but no less than what the receiver
   asked for, which counts up to an hour. random: any 64 bits. */
int64_t backoff_delay_us(unsigned attempt, int64_t base_ms, int64_t cap_ms,
    int64_t retry_after_s, uint64_t random);

/* What an attempt came to. status 0: no answer. */
enum queue_outcome backoff_outcome(long status, unsigned attempts,
    unsigned retry_attempts);

/* The same of a callback: a straight line, and given up by age. */
int64_t backoff_callback_delay_us(unsigned attempt, int64_t delay_ms,
    int64_t max_ms);
enum queue_outcome backoff_callback_outcome(long status, int64_t age_us,
    int64_t keep_us);

/* --- signature.c: what a receiver verifies; pure --- */

#define SIGNATURE_STANDARD_SIZE 48	/* "v1,", 44 of base64, NUL */
#define SIGNATURE_HEX_SIZE 72		/* "sha256=", 64 hex digits, NUL */

/* The key that a webhook's secret stands for (spec/wuts.md §6). */
void signature_key(struct secret *key, const char *secret, size_t len);
/* Standard Webhooks, over id.timestamp.body; scratch is overwritten. */
void signature_standard(const struct secret *key, const char *id,
    int64_t timestamp, const char *body, size_t body_len,
    struct strbuf *scratch, char out[SIGNATURE_STANDARD_SIZE]);
/* Over the body alone. */
void signature_hex(const struct secret *key, const char *body,
    size_t body_len, char out[SIGNATURE_HEX_SIZE]);

/* --- trust.c: which certificates a connection trusts --- */

/* A tenant's certificates, besides the system's. */
struct trust {
	bool is_set;		/* there are some */
	uint8_t hash[CRYPTO_HASH_LEN];	/* of their text */
};

bool trust_is_same(const struct trust *a, const struct trust *b);
/* What libcurl has to compare before it uses a connection again. */
#define TRUST_KEY_SIZE 128
struct target;
void trust_format_key(const struct target *target, char out[TRUST_KEY_SIZE]);

/* The files in a queue's directory. Keep: write it; is_known: only if it is
   missing. Sweep: remove those that nobody has kept for days. */
int trust_make_dir(const char *queue_dir, struct fault *fault);
int trust_keep(const char *queue_dir, const struct uuid *tenant_id,
    const void *pem, size_t len, bool is_known, struct fault *fault);
void trust_sweep(const char *queue_dir, int64_t wall_us);

/* Those in use, parsed; one thread's. */
struct trusts;

struct trusts *trusts_new(const char *queue_dir);
void trusts_free(struct trusts **trustsp);
/* Forget what was read, the system's too. */
void trusts_read_again(struct trusts *trusts);
/* For CURLOPT_SSL_CTX_FUNCTION. An error: they cannot be had now. */
CURLcode trusts_apply(struct trusts *trusts, const struct uuid *tenant_id,
    const struct trust *trust, void *ssl_ctx);

/* --- target.c: one version of a webhook's settings, ready for use --- */

enum target_kind {
	TARGET_WEBHOOK,
	TARGET_CALLBACK,	/* a tenant's On-Premises webhook */
	TARGET_KIND_COUNT
};

/* In place of a device's id: the one of the tenant (no device has this id). */
extern const struct uuid TARGET_CALLBACK_ID;

struct target {
	unsigned refs;
	enum target_kind kind;
	/* Everything in it is owned. Of a callback: tenant and device id, url
	   ("": there is none), enabled, max_concurrency, updated_us. */
	struct webhook webhook;
	struct trust trust;
	/* Of a callback. */
	int64_t delay_ms, delay_max_ms;
	bool is_kept;			/* events wait for a URL */
	char wa_id[ONPREM_WA_ID_MAX + 1];
	/* Of a webhook. */
	struct event_set events;
	struct secret key;
	struct secret old_key;		/* none, or until the webhook's
					   old_secret_until_us */
	struct curl_slist *headers;	/* those of every attempt */
};

/* Copy, unseal, parse. NULL: FAULT_INTERNAL, the row cannot be used (another
   installation key, say). One reference is the caller's. */
struct target *target_new(const struct webhook *webhook,
    const struct crypto_keys *keys, struct fault *fault);
/* The same of a tenant that speaks the On-Premises dialect. */
struct target *target_new_callback(const struct onprem *onprem);
struct target *target_ref(struct target *target);
void target_unref(struct target **targetp);
/* Seal the secret that a webhook carries along with the first key, where it is
   under another: a snapshot must outlive the older keys. */
void target_reseal(struct target *target, const struct crypto_keys *keys);
/* The same row in the same version? Either may be NULL. */
bool target_is_same(const struct target *a, const struct target *b);
bool target_wants(const struct target *target, const char *event);
/* The key that signs besides at this time, or NULL. */
const struct secret *target_old_key(const struct target *target,
    int64_t wall_us);

/* --- endpoint.c: the table of endpoints --- */

struct endpoint {
	struct uuid tenant_id;
	struct uuid device_id;
	uint32_t number;	/* the scheduler's */
	uint32_t hash_next;
	bool known;		/* target counts; NULL: no webhook */
	bool unusable;		/* there is a row, but see the log */
	bool asking;		/* a look-up is under way */
	bool granted;		/* looked up for the very next attempt */
	uint64_t generation;	/* before the row was read */
	int64_t read_us;	/* monotonic, likewise */
	int64_t asked_us;	/* of the last look-up */
	int64_t failing_us;	/* wall: the first failure since the last
				   success; 0: none */
	unsigned failures;	/* in a row, seen by this process */
	bool disabling;		/* given up; the database is being told */
	struct target *target;
};

enum endpoint_state {
	ENDPOINT_FRESH,		/* use it */
	ENDPOINT_AGEING,	/* use it and look it up meanwhile */
	ENDPOINT_STALE		/* look it up first */
};

struct endpoints;

struct endpoints *endpoints_new(void);
void endpoints_free(struct endpoints **tablep);
size_t endpoints_count(const struct endpoints *table);
/* NULL: not there. */
struct endpoint *endpoints_find(const struct endpoints *table,
    const struct uuid *tenant_id, const struct uuid *device_id);
/* number must be free in the table. */
struct endpoint *endpoints_add(struct endpoints *table, uint32_t number,
    const struct uuid *tenant_id, const struct uuid *device_id);
void endpoints_remove(struct endpoints *table, struct endpoint *endpoint);
/* By number; NULL: none has it. Numbers are below endpoints_limit(). */
struct endpoint *endpoints_at(const struct endpoints *table, uint32_t number);
uint32_t endpoints_limit(const struct endpoints *table);

/* ttl_us 0: a look-up serves one attempt. */
enum endpoint_state endpoint_state(const struct endpoint *endpoint,
    uint64_t generation, int64_t mono_us, int64_t ttl_us);
/* Take over what a look-up found. True: other settings than before. */
bool endpoint_learn(struct endpoint *endpoint, struct target *target,
    uint64_t generation, int64_t read_us);

/* --- guard.c: which addresses may be connected to --- */

struct guard {
	const struct address_policy *policy;
	bool is_host_allowed;	/* whatever its address */
	char refused[64];	/* the last address refused, or empty */
};

/* For CURLOPT_OPENSOCKETFUNCTION; ctx is a struct guard. */
curl_socket_t guard_open_socket(void *ctx, curlsocktype purpose,
    struct curl_sockaddr *address);
/* For CURLOPT_PREREQFUNCTION, likewise. */
int guard_before_request(void *ctx, char *remote, char *local,
    int remote_port, int local_port);

/* --- answer.c: what a receiver says besides the status; pure --- */

struct answer {
	struct strbuf text;	/* the beginning */
	size_t read;
	int64_t began_us;	/* monotonic; 0: nothing came yet */
};

void answer_begin(struct answer *answer);
/* False: enough, hang up. */
bool answer_take(struct answer *answer, const char *data, size_t len,
    int64_t mono_us);
/* From here on text is valid UTF-8 without control characters. */
void answer_end(struct answer *answer);
void answer_deinit(struct answer *answer);

/* Why there was no whole answer, in words for whoever owns the webhook: names
   no address. refused: by the guard. */
const char *answer_explain(CURLcode code, bool refused);

/* --- delivery.c: attempts over HTTP --- */

struct delivery;
struct delivery_pool;

/* What became of an attempt. */
struct delivery_result {
	long status;		/* 0: no answer */
	CURLcode code;
	int64_t retry_after_s;	/* 0: not asked */
	int64_t duration_us;
	char why[CURL_ERROR_SIZE];	/* for the operator; empty: the status
					   says it */
	const char *error;		/* for the tenant, likewise; lives on */
	const char *answer;		/* how its body begins, cleaned */
};

struct delivery {
	struct trial *trial;		/* NULL: it is none */
	struct endpoint *endpoint;
	struct target *target;		/* a reference */
	struct pending item;
	struct strbuf buf;		/* of record */
	struct queue_record record;
};

/* --- headers.c --- */

#define HEADER_LINES_MAX 8
#define HEADER_LINE_SIZE 160

struct header_lines {
	struct curl_slist nodes[HEADER_LINES_MAX];
	char text[HEADER_LINES_MAX][HEADER_LINE_SIZE];
	struct strbuf scratch;
};

/* The list for one attempt, good until the next call; its end is the
   target's. */
struct curl_slist *headers_set(struct header_lines *lines,
    const struct delivery *delivery, unsigned attempt, int64_t wall_us);

/* --- delivery.c again --- */

/* result() may start deliveries. epoll_fd is borrowed: the pool adds its
   sockets there, by data.fd. queue_dir: where trust_keep() has put them. */
struct delivery_pool *delivery_pool_new(int epoll_fd, const char *queue_dir,
    unsigned max_in_flight,
    void (*result)(void *ctx, struct delivery *delivery,
	const struct delivery_result *result), void *ctx);
/* Breaks off what is in flight, without a result. */
void delivery_pool_free(struct delivery_pool **poolp);

struct delivery_policy {
	bool http;
	const struct address_policy *addresses[TARGET_KIND_COUNT];
	unsigned max_in_flight;
	long callback_connect_timeout_ms, callback_timeout_ms;
};
/* From now on, also for connections that were made before. The addresses are
   borrowed. */
void delivery_pool_set_policy(struct delivery_pool *pool,
    const struct delivery_policy *policy);

/* A delivery to fill in, then either start or release it. */
struct delivery *delivery_get(struct delivery_pool *pool);
/* attempt: 1 for the first. The target is referenced until the result. */
void delivery_start(struct delivery_pool *pool, struct delivery *delivery,
    unsigned attempt, int64_t wall_us, int64_t mono_us);
void delivery_release(struct delivery_pool *pool, struct delivery *delivery);

/* A socket is ready; run what time asks for; report what is finished. */
void delivery_pool_socket(struct delivery_pool *pool, int fd,
    uint32_t epoll_events);
void delivery_pool_run(struct delivery_pool *pool, int64_t mono_us);
/* When delivery_pool_run() must be called; INT64_MAX: not by time. */
int64_t delivery_pool_due(const struct delivery_pool *pool);

/* --- lookup.c: the database, in a thread of its own --- */

enum lookup_kind {
	LOOKUP_WEBHOOK,		/* of tenant_id and device_id */
	LOOKUP_CLAIM,		/* id in table outbox */
	LOOKUP_DISABLE,		/* webhook_id, if it is still as judged */
	LOOKUP_KEYS,		/* from here on it opens secrets with keys */
	LOOKUP_TRIAL,		/* as LOOKUP_WEBHOOK, for trial */
	LOOKUP_NOTES,		/* write them into the delivery log; result 0
				   with a fault: they cannot be written */
	LOOKUP_EXPIRE		/* outbox rows before created_us, old entries
				   of the delivery log, ids of events, and what
				   is left of deleted tenants */
};

struct lookup_job {
	struct lookup_job *next;
	enum lookup_kind kind;
	/* asked */
	struct uuid tenant_id, device_id;
	uint64_t generation;
	int64_t asked_us;
	struct uuid id;
	struct queue_pos pos;
	int64_t created_us;
	uint8_t webhook_id[WEBHOOK_ID_LEN];
	int64_t updated_us;		/* of the row judged */
	char reason[160];
	struct crypto_keys *keys;	/* of LOOKUP_KEYS; freed with it */
	struct trial *trial;		/* of LOOKUP_TRIAL */
	struct delivery_note *notes;	/* of LOOKUP_NOTES, with their answers;
					   freed with it */
	size_t nnotes;
	int64_t log_before_us;		/* of LOOKUP_EXPIRE */
	/* answered: as the store function; -1 with fault */
	int result;
	struct target *target;	/* LOOKUP_WEBHOOK, result 1 */
	struct fault fault;
	bool complained;	/* the loop has logged it */
};

#define LOOKUP_EXPIRE_BATCH 1000

struct lookup;

/* settings is borrowed and must not change while the look-up lives; its keys
   are those of the first jobs. generations is borrowed, too. */
int lookup_new(struct lookup **lookup_r, const struct settings *settings,
    struct generations *generations, struct fault *fault);
/* Waits for the job under way; jobs not answered are freed. */
void lookup_free(struct lookup **lookupp);
/* Readable when lookup_take() has something. */
int lookup_fd(const struct lookup *lookup);
void lookup_ask(struct lookup *lookup, struct lookup_job *job);
/* All answered jobs, in order, linked by next; the caller's now. */
struct lookup_job *lookup_take(struct lookup *lookup);
void lookup_job_free(struct lookup_job **jobp);

/* --- pictures.c: in the look-up thread --- */

/* Remove files of users' pictures that nobody has, from the folder *folder on;
   for a moment, then *folder is where to go on. 0 / -1. */
int pictures_sweep(struct db *db, const char *picture_dir, unsigned *folder,
    struct fault *fault);

/* --- disable.c: in the look-up thread --- */

/* What the event of one disabling takes, and no more, is preallocated. */
#define DISABLE_SEGMENT_BYTES 65536

/* 1: disabled, and said so; 0: the webhook is not the one judged any more; -1:
   ask again. */
int disable_webhook(const struct settings *settings,
    const struct crypto_keys *keys, struct generations *generations,
    struct db *db, const struct lookup_job *job, struct fault *fault);

/* --- probe.c: whether the On-Premises engine is there, in a thread --- */

struct probe;

/* *probe_r NULL: the settings name none. They may go afterwards. */
int probe_new(struct probe **probe_r, const struct settings *settings,
    struct fault *fault);
void probe_free(struct probe **probep);

/* --- replay.c: dead letters that tenants want again, in a thread --- */

struct replayer;

/* settings is borrowed and must not change while the replayer lives. */
int replayer_new(struct replayer **replayer_r,
    const struct settings *settings, struct fault *fault);
/* Waits for what is under way, which is cut short. */
void replayer_free(struct replayer **replayerp);
/* Do what is asked for now, in this thread. */
void replay_once(const struct settings *settings);

/* --- snapshot.c: the settings last read, on disk --- */

/* Replace path by all targets of the table. */
int snapshot_save(const char *path, const struct endpoints *table,
    const struct crypto_keys *keys, struct fault *fault);
/* Call found with each target (one reference is the callee's) and since when it
   fails. No file: 0. A line that was changed or is of another installation is
   left out and counted in *refused_r. */
int snapshot_load(const char *path, const struct crypto_keys *keys,
    void (*found)(void *ctx, struct target *target, int64_t failing_us),
    void *ctx,
    size_t *refused_r, struct fault *fault);

/* One target as such a line, without its end: the form in which it can leave
   this process. */
void snapshot_format_line(struct strbuf *out, const struct target *target,
    int64_t failing_us, const struct crypto_keys *keys);
/* NULL: it was changed, or is under another key. */
struct target *snapshot_parse_line(const char *line, size_t len,
    const struct crypto_keys *keys, int64_t *failing_us_r);

/* --- journal.c: the delivery log, on its way to the database --- */

struct journal {
	struct delivery_note *notes;	/* a ring */
	size_t first, count, cap;
	size_t bytes;			/* of the notes in it */
	bool asking;			/* a batch is under way */
	size_t lost;			/* given up and not said yet */
	int64_t said_us;
};

/* --- what the loop, the directory and the dispatch share --- */

struct spool {
	const struct settings *settings;	/* as at start */
	const struct settings *live;		/* as of the last reload */

	struct queue_reader *reader;
	struct generations *generations;
	struct scheduler *scheduler;
	struct endpoints *endpoints;
	struct lookup *lookup;
	struct delivery_pool *pool;

	/* directory.c */
	char *snapshot_path;
	bool snapshot_changed;
	bool health_changed;		/* may be saved later */
	int64_t snapshot_us;		/* last saved */
	bool away;			/* the database does not answer */
	unsigned asked;			/* jobs under way */
	int64_t answered_us;		/* its last sign of life */
	uint32_t evict_hand, recheck_hand;
	struct lookup_job *again;	/* claims, disablings to ask again */
	bool expiring;
	int64_t expired_us;

	struct shards *shards;		/* NULL: attempts are made here */
	struct spool_numbers *numbers;	/* NULL: nobody sees them */
	int64_t surveyed_us;		/* monotonic; 0: never */
	struct callback_counts *counts;
	struct journal journal;
	struct probe *probe;		/* NULL: there is no engine to ask */
	struct replayer *replayer;	/* NULL: with --once */
	struct trials *trials;		/* NULL: none can be made */

	/* dispatch.c */
	int64_t noted_us;		/* first outcome not synced; 0: none */
	bool stuck;			/* outcomes cannot be written */
};

/* --- directory.c: keeps what is known of the endpoints true --- */

/* The endpoint, added and asked for when it is new. */
struct endpoint *directory_endpoint(struct spool *spool,
    const struct uuid *tenant_id, const struct uuid *device_id);
/* May an attempt use its settings now? False: it is held until they are. */
bool directory_may_use(struct spool *spool, struct endpoint *endpoint,
    int64_t mono_us);
/* A prepared record's writer is gone: find out by claim. */
void directory_claim(struct spool *spool, struct queue_pos pos,
    const struct uuid *id, int64_t created_us);
/* Apply what the look-up thread has found. */
void directory_answers(struct spool *spool);
/* Other installation keys (spool->live): take them up, and say so in the
   reader's lock file once nothing is under way with those before. */
void directory_take_keys(struct spool *spool);
/* About once a second. scanned: all of the queue has been read. */
void directory_tick(struct spool *spool, bool scanned);
void directory_restore(struct spool *spool);
void directory_save(struct spool *spool);

/* Hand a job to the look-up thread; its answer comes to directory_answers(). */
void directory_ask(struct spool *spool, struct lookup_job *job);
/* Let the scheduler do what is known of the endpoint. */
void directory_apply(struct spool *spool, struct endpoint *endpoint);
void directory_apply_all(struct spool *spool);

/* --- health.c: which webhooks are given up --- */

/* An attempt is over. */
void health_note(struct spool *spool, const struct delivery *delivery,
    const struct delivery_result *result, int64_t now_us);
/* The endpoint's settings are other ones now. */
void health_forget(struct endpoint *endpoint);
/* The database has decided. */
void health_answer(struct endpoint *endpoint, const struct lookup_job *job);

/* --- journal.c --- */

/* What became of an attempt (0: of an event without another one). */
void journal_note(struct spool *spool, const struct queue_record *record,
    unsigned attempt, enum queue_outcome outcome,
    const struct delivery_result *result, int64_t wall_us, int64_t due_us);
/* Begin to write what was noted. */
void journal_flush(struct spool *spool);
/* A batch was written, or cannot be. */
void journal_answered(struct spool *spool, const struct lookup_job *job);
/* About once a second. */
void journal_tick(struct spool *spool, int64_t mono_us);
/* Nothing is noted any more: wait until all is written, if the database is
   there, but no longer than this. */
void journal_finish(struct spool *spool, int64_t timeout_us);
void journal_deinit(struct journal *journal);

/* --- trial.c: test deliveries, for workers that wait --- */

struct trials;

/* Make the socket in dir, a queue that is ours. */
int trials_open(struct trials **trials_r, const char *dir,
    struct fault *fault);
int trials_fd(const struct trials *trials);
/* The socket is readable. */
void trials_take(struct spool *spool);
/* The settings are read; takes the job's target. */
void trial_found(struct spool *spool, struct lookup_job *job);
void trial_result(struct spool *spool, struct delivery *delivery,
    const struct delivery_result *result);
/* After the pool and the look-up: who waits is told that it failed. */
void trials_close(struct trials **trialsp);

/* --- dispatch.c: one attempt, from its turn to its outcome --- */

/* A record counts: the queue_events callback; ctx is the spool. */
void dispatch_record(void *ctx, struct queue_pos pos,
    const struct queue_record *record, unsigned attempts, int64_t due_us);
/* Start what may start, within bounds. */
void dispatch_start(struct spool *spool);
/* An attempt is over: the delivery_pool callback; ctx is the spool. */
void dispatch_result(void *ctx, struct delivery *delivery,
    const struct delivery_result *result);
/* An attempt has ended with its shard and told nothing: make it again. */
void dispatch_lost(struct spool *spool, struct delivery *delivery);
/* A record that is not in flight will not be tried any more. */
void dispatch_drop(struct spool *spool, struct endpoint *endpoint,
    struct pending item, const char *why);
/* Outcomes noted so far: written, so that a kill loses none; or written and
   synced, at most 100 ms after the first. When it fails, spool->stuck. */
void dispatch_write(struct spool *spool);
void dispatch_sync(struct spool *spool);

/* --- shards.c: attempts by other processes; shard.c: such a process --- */

#define SHARDS_MAX 64

struct shards;

/* n processes, started by shards_run(). */
struct shards *shards_new(struct spool *spool, int epoll_fd, unsigned n);
/* Ends them. What is in flight stays without a result. */
void shards_free(struct shards **shardsp);
/* Does the shard of this endpoint run? */
bool shards_may_start(const struct shards *shards,
    const struct endpoint *endpoint);
/* As delivery_start(), when it does: dispatch_result() or dispatch_lost()
   follows. */
void shards_start(struct shards *shards, struct delivery *delivery,
    unsigned attempt, int64_t wall_us);
/* False: this descriptor is none of theirs. */
bool shards_socket(struct shards *shards, int fd, uint32_t epoll_events);
/* Start what has to be started, say what there is to be said. */
void shards_run(struct shards *shards, int64_t mono_us);
/* When shards_run() must be called; INT64_MAX: not by time. */
int64_t shards_due(const struct shards *shards);
/* About once a second. */
void shards_tick(struct shards *shards, int64_t mono_us);
/* spool->live has changed. */
void shards_reload(struct shards *shards);
unsigned shards_up(const struct shards *shards);
/* All of them run. */
bool shards_are_up(const struct shards *shards);
/* One dies again and again. */
bool shards_are_hopeless(const struct shards *shards);

/* Be a shard of the parent at the other end of fd, until it is gone. The exit
   status. */
int shard_run(int fd);

/* --- numbers.c: what the spooler says of itself --- */

/* About once a second. */
void numbers_tick(struct spool *spool, int64_t mono_us);
/* An attempt has come to its end; status 0 without one. */
void numbers_note(struct spool *spool, enum queue_outcome outcome,
    const struct delivery_result *result, bool was_tried);

/* --- callback.c: what is different with On-Premises webhooks --- */

/* NULL: it is to be tried. */
const char *callback_why_unwanted(const struct spool *spool,
    const struct target *target, const struct queue_record *record);
/* *due_us: of a retry, else 0. */
enum queue_outcome callback_judge(const struct spool *spool,
    const struct delivery *delivery, const struct delivery_result *result,
    unsigned attempts, int64_t now_us, int64_t *due_us);
void callback_count(struct spool *spool, const struct delivery *delivery,
    const struct delivery_result *result);
void callback_limits(const struct target *target,
    struct scheduler_limits *limits);
/* Any endpoint has other settings now than before (NULL: none were known). */
void callback_changed(struct spool *spool, const struct endpoint *endpoint,
    const struct target *before);
/* About once a second: drop what has waited too long for a URL. */
void callback_tick(struct spool *spool);

/* --- policy.c: where deliveries may go --- */

struct policies {
	struct address_policy of[TARGET_KIND_COUNT];
};

/* What the settings say. -1: FAULT_CONFIG, nothing is held. */
int policies_read(struct policies *policies_r,
    const struct settings *settings, struct fault *fault);
void policies_deinit(struct policies *policies);
/* The pool borrows them. */
void policies_apply(const struct policies *policies,
    const struct settings *settings, struct delivery_pool *pool);

/* --- loop.c --- */

struct loop_options {
	const char *config;	/* as given, for SIGHUP; NULL: the default */
	bool once;
	unsigned shards;	/* 0: none */
};

/* Run until told to stop. settings stays the caller's; SIGTERM, SIGINT and
   SIGHUP must be blocked. -1: could not start. */
int loop_run(const struct settings *settings,
    const struct loop_options *options, struct fault *fault);

#endif
