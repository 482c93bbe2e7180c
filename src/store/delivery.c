/* SPDX-License-Identifier: MIT */
/* Table delivery. Notes are written many to a statement, as many as come at
   once in a busy spooler; each adds its attempt to those of its event. */
#include "config.h"

#include "wuts/delivery_store.h"
#include "store_private.h"

#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/db.h"
#include "wuts/json.h"
#include "wuts/strbuf.h"

#include <limits.h>
#include <string.h>

/* 9999-12-31T23:59:59Z, the last that a column holds. */
#define LAST_US (INT64_C(253402300799) * CLOCK_SECOND_US)
/* Replays may make a list of attempts longer than this: then it begins anew. */
#define ATTEMPTS_MAX "16000"

#define COLUMNS 11
#define ROW "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
#define ROWS_8 ROW "," ROW "," ROW "," ROW "," ROW "," ROW "," ROW "," ROW
#define ROWS_64 ROWS_8 "," ROWS_8 "," ROWS_8 "," ROWS_8 "," ROWS_8 "," \
	ROWS_8 "," ROWS_8 "," ROWS_8

/* Is the note one that was written before? An event that is replayed counts its
   attempts anew, but later. */
#define IS_THERE \
	"VALUES(updated_at) <= updated_at AND VALUES(attempt) <= attempt"
#define IF_NEW(column, value) column " = IF(" IS_THERE ", " column ", " value ")"
/* Assigned in this order; each sees what those before it have assigned. */
#define WRITE(rows) \
	"INSERT INTO delivery (tenant_id, id, device_id, event, state," \
	" attempts, answer, next_attempt_at, created_at, updated_at, attempt)" \
	" VALUES " rows " ON DUPLICATE KEY UPDATE " \
	IF_NEW("state", "VALUES(state)") ", " \
	IF_NEW("answer", "VALUES(answer)") ", " \
	IF_NEW("next_attempt_at", "VALUES(next_attempt_at)") ", " \
	IF_NEW("attempts", "CASE" \
	    " WHEN VALUES(attempts) = '[]' THEN attempts" \
	    " WHEN attempts = '[]' OR LENGTH(attempts) > " ATTEMPTS_MAX \
	    " THEN VALUES(attempts)" \
	    " ELSE CONCAT(LEFT(attempts, CHAR_LENGTH(attempts) - 1), ','," \
	    " SUBSTRING(VALUES(attempts), 2)) END") ", " \
	IF_NEW("attempt", "VALUES(attempt)") ", " \
	"updated_at = GREATEST(updated_at, VALUES(updated_at))"

#define ENTRY_COLUMNS \
	"id, tenant_id, device_id, event, state, attempts, answer," \
	" next_attempt_at, created_at, updated_at"
/* The index gives the order, so that rows stream. */
#define LIST(index, and_state) \
	"SELECT " ENTRY_COLUMNS " FROM delivery FORCE INDEX (" index ")" \
	" WHERE tenant_id = ? AND device_id = ?" and_state \
	" AND created_at >= ? AND created_at <= ?" \
	" AND NOT (created_at = ? AND id >= ?) AND (? OR event = ?)" \
	" ORDER BY created_at DESC, id DESC LIMIT ?"

enum {
	DELIVERY_WRITE,
	DELIVERY_WRITE_8,
	DELIVERY_WRITE_64,
	DELIVERY_LIST,
	DELIVERY_LIST_STATE,
	DELIVERY_FIND,
	DELIVERY_REOPEN,
	DELIVERY_EXPIRE,
	DELIVERY_STMT_COUNT
};

static const struct stmt_def delivery_stmts[DELIVERY_STMT_COUNT] = {
	[DELIVERY_WRITE] = { "delivery_write", WRITE(ROW) },
	[DELIVERY_WRITE_8] = { "delivery_write_8", WRITE(ROWS_8) },
	[DELIVERY_WRITE_64] = { "delivery_write_64", WRITE(ROWS_64) },
	[DELIVERY_LIST] = { "delivery_list", LIST("delivery_list", "") },
	[DELIVERY_LIST_STATE] = { "delivery_list_state",
	    LIST("delivery_state", " AND state = ?") },
	[DELIVERY_FIND] = { "delivery_find",
	    "SELECT " ENTRY_COLUMNS " FROM delivery"
	    " WHERE tenant_id = ? AND id = ?" },
	[DELIVERY_REOPEN] = { "delivery_reopen",
	    "UPDATE delivery SET state = 'pending', next_attempt_at = ?,"
	    " updated_at = ? WHERE tenant_id = ? AND id = ?" },
	[DELIVERY_EXPIRE] = { "delivery_expire",
	    "DELETE FROM delivery WHERE updated_at < ?"
	    " ORDER BY updated_at LIMIT ?" },
};

/* --- writing --- */

/* The list of this one attempt. */
static const char *
format_attempts(struct arena *arena, struct strbuf *buf,
    const struct delivery_note *note)
{
	char at[CLOCK_RFC3339_SIZE];
	struct json_writer w;

	if (note->attempt == 0)
		return "[]";
	strbuf_reset(buf);
	json_writer_init(&w, buf);
	json_write_array_begin(&w);
	json_write_object_begin(&w);
	json_member_text(&w, "at", clock_format(note->at_us, at));
	json_write_key(&w, "status");
	if (note->status != 0)
		json_write_int(&w, note->status);
	else
		json_write_null(&w);
	json_member_int(&w, "duration_ms", note->duration_us / 1000);
	json_write_key(&w, "error");
	if (note->error[0] != '\0')
		json_write_string(&w, note->error);
	else
		json_write_null(&w);
	json_write_object_end(&w);
	json_write_array_end(&w);
	return arena_strdup(arena, buf->data);
}

static void
bind_note(struct params *in, const struct delivery_note *note,
    const char *attempts)
{
	bind_uuid(in, &note->tenant_id);
	bind_uuid(in, &note->id);
	bind_uuid(in, &note->device_id);
	bind_text(in, note->event);
	bind_text(in, delivery_state_name(note->state));
	bind_text(in, attempts);
	bind_text(in, note->answer);
	bind_time_or_null(in, note->next_attempt_us);
	bind_time(in, note->created_us);
	bind_time(in, note->noted_us);
	bind_int(in, note->attempt);
}

struct writing {
	struct arena *arena;
	struct strbuf buf;
	struct params in;
	const struct delivery_note *notes;
	size_t n;
};

static int
write_rows(struct db *db, struct writing *writing,
    const struct stmt_def *def, const struct delivery_note *notes, size_t n,
    struct fault *fault)
{
	int ret;

	writing->in.n = 0;
	for (size_t i = 0; i < n; i++)
		bind_note(&writing->in, &notes[i], format_attempts(
		    writing->arena, &writing->buf, &notes[i]));
	ret = stmt_write(db, def, &writing->in, NULL, fault);
	arena_reset(writing->arena);
	return ret < 0 ? -1 : 0;
}

static int
write_body(struct db *db, void *ctx, struct fault *fault)
{
	static const struct {
		size_t n;
		const struct stmt_def *def;
	} sizes[] = {
		{ 64, &delivery_stmts[DELIVERY_WRITE_64] },
		{ 8, &delivery_stmts[DELIVERY_WRITE_8] },
		{ 1, &delivery_stmts[DELIVERY_WRITE] },
	};
	struct writing *writing = ctx;
	size_t done = 0, size = 0;

	while (done < writing->n) {
		if (writing->n - done < sizes[size].n) {
			size++;
			continue;
		}
		if (write_rows(db, writing, sizes[size].def,
		    writing->notes + done, sizes[size].n, fault) < 0)
			return -1;
		done += sizes[size].n;
	}
	return 0;
}

int
delivery_store_write(struct db *db, const struct delivery_note *notes,
    size_t n, struct fault *fault)
{
	struct writing writing = {
		.arena = arena_new(), .buf = STRBUF_INIT, .notes = notes,
		.n = n
	};
	enum tx_result result;

	params_init_many(&writing.in, 64 * COLUMNS);
	result = tx_run(db, write_body, NULL, &writing, fault);
	params_deinit(&writing.in);
	strbuf_deinit(&writing.buf);
	arena_free(&writing.arena);
	return result == TX_COMMITTED ? 0 : -1;
}

/* --- reading --- */

static bool
state_word(const char *word, void *dest)
{
	return delivery_state_parse(word, dest);
}

static void
fetch_entry(struct columns *out, struct arena *arena,
    struct delivery_entry *entry)
{
	columns_init(out);
	fetch_uuid(out, &entry->id);
	fetch_uuid(out, &entry->tenant_id);
	fetch_uuid(out, &entry->device_id);
	fetch_text(out, entry->event, sizeof(entry->event));
	fetch_word(out, state_word, &entry->state);
	fetch_arena_text(out, arena, &entry->attempts);
	fetch_arena_text(out, arena, &entry->answer);
	fetch_time(out, &entry->next_attempt_us);
	fetch_time(out, &entry->created_us);
	fetch_time(out, &entry->updated_us);
}

struct delivery_list {
	struct delivery_entry entry;
	struct arena *arena;		/* of the row at hand */
	delivery_row *row;
	void *ctx;
};

static int
delivery_list_row(void *ctx, struct fault *fault)
{
	struct delivery_list *list = ctx;
	int ret = list->row(list->ctx, &list->entry, fault);

	arena_reset(list->arena);
	return ret;
}

static void
bind_filter(struct params *in, const struct delivery_filter *filter)
{
	int64_t until_us = filter->after != NULL ? filter->after->created_us :
	    LAST_US;
	const char *event = filter->event != NULL ? filter->event : "";

	params_init(in);
	bind_uuid(in, &filter->tenant_id);
	bind_uuid(in, &filter->device_id);
	if (filter->state != NULL)
		bind_text(in, delivery_state_name(*filter->state));
	bind_time(in, filter->since_us);
	bind_time(in, until_us);
	bind_time(in, until_us);
	bind_uuid(in, filter->after != NULL ? &filter->after->id : &UUID_NIL);
	bind_int(in, filter->event == NULL);
	bind_text(in, event);
	bind_limit(in, filter->limit);
}

int
delivery_store_list(struct db *db, const struct delivery_filter *filter,
    delivery_row *row, void *ctx, struct fault *fault)
{
	struct delivery_list list = { .row = row, .ctx = ctx };
	struct params in;
	struct columns out;
	int ret;

	list.arena = arena_new();
	bind_filter(&in, filter);
	fetch_entry(&out, list.arena, &list.entry);
	ret = stmt_read(db, &delivery_stmts[filter->state != NULL ?
	    DELIVERY_LIST_STATE : DELIVERY_LIST], &in, &out,
	    delivery_list_row, &list, fault);
	arena_free(&list.arena);
	return ret;
}

int
delivery_store_find(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *id,
    struct delivery_entry *entry_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, id);
	fetch_entry(&out, arena, entry_r);
	return stmt_read_one(db, &delivery_stmts[DELIVERY_FIND], &in, &out,
	    fault);
}

int
delivery_store_reopen(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, int64_t now_us, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_time(&in, now_us);
	bind_time(&in, now_us);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, id);
	return stmt_write(db, &delivery_stmts[DELIVERY_REOPEN], &in, NULL,
	    fault) < 0 ? -1 : 0;
}

int
delivery_store_expire(struct db *db, int64_t before_us, unsigned limit,
    struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_time(&in, before_us);
	bind_int(&in, limit > INT_MAX ? INT_MAX : (int64_t)limit);
	if (stmt_write(db, &delivery_stmts[DELIVERY_EXPIRE], &in, &rows,
	    fault) < 0)
		return -1;
	return (int)rows;
}
