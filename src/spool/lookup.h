/* SPDX-License-Identifier: MIT */
/* The database, in a thread of its own; and what that thread does besides
   reading and writing rows (disable.c, pictures.c). */
#ifndef WUTS_SRC_SPOOL_LOOKUP_H
#define WUTS_SRC_SPOOL_LOOKUP_H

#include "wuts/fault.h"
#include "wuts/queue.h"
#include "wuts/uuid.h"
#include "wuts/webhook.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crypto_keys;
struct db;
struct delivery_note;
struct generations;
struct settings;
struct target;
struct trial;

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

/* --- pictures.c --- */

/* Remove files of users' pictures that nobody has, from the folder *folder on;
   for a moment, then *folder is where to go on. 0 / -1. */
int pictures_sweep(struct db *db, const char *picture_dir, unsigned *folder,
    struct fault *fault);

/* --- disable.c --- */

/* What the event of one disabling takes, and no more, is preallocated. */
#define DISABLE_SEGMENT_BYTES 65536

/* 1: disabled, and said so; 0: the webhook is not the one judged any more; -1:
   ask again. */
int disable_webhook(const struct settings *settings,
    const struct crypto_keys *keys, struct generations *generations,
    struct db *db, const struct lookup_job *job, struct fault *fault);

#endif
