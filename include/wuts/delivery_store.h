/* SPDX-License-Identifier: MIT */
/* Table delivery: written by the spooler, read by services. Every call:
   FAULT_DATABASE on -1. */
#ifndef WUTS_DELIVERY_STORE_H
#define WUTS_DELIVERY_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "wuts/delivery.h"

struct arena;
struct db;
struct fault;

/* What became of one attempt, or of an event without another one. */
struct delivery_note {
	struct uuid id, tenant_id, device_id;
	char event[EVENT_NAME_MAX + 1];
	enum delivery_state state;
	unsigned attempt;	/* its number; 0: there was none */
	unsigned status;	/* 0: no answer */
	int64_t at_us;		/* when it began */
	int64_t duration_us;
	const char *error;	/* static; "": none */
	char *answer;		/* of the writer of the note; NULL: none */
	int64_t next_attempt_us;	/* 0: none */
	int64_t created_us;	/* of the event */
	int64_t noted_us;
};

/* Write n notes in their order, in one transaction. A note that is there
   already, because the COMMIT of an earlier call had no answer, changes
   nothing. 0; -1. */
int delivery_store_write(struct db *db, const struct delivery_note *notes,
    size_t n, struct fault *fault);

struct delivery_filter {
	struct uuid tenant_id, device_id;
	const enum delivery_state *state;	/* NULL: any */
	const char *event;			/* NULL: any */
	int64_t since_us;	/* events created then or later; 0: all */
	/* Behind this one; NULL: from the newest. Its id and created_us. */
	const struct delivery_entry *after;
	unsigned limit;		/* 0: all */
};

/* Newest events first, streamed. */
typedef int delivery_row(void *ctx, const struct delivery_entry *entry,
    struct fault *fault);
int delivery_store_list(struct db *db, const struct delivery_filter *filter,
    delivery_row *row, void *ctx, struct fault *fault);
/* 1: *entry_r, its strings in arena / 0 / -1. */
int delivery_store_find(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *id,
    struct delivery_entry *entry_r, struct fault *fault);
/* It will be tried again: state, next attempt and time of change; nothing
   where there is no such row. */
int delivery_store_reopen(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, int64_t now_us, struct fault *fault);
/* Delete rows that were last changed before before_us, at most limit. How
   many, or -1. */
int delivery_store_expire(struct db *db, int64_t before_us, unsigned limit,
    struct fault *fault);

#endif
