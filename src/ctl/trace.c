/* SPDX-License-Identifier: MIT */
/* wutsctl trace: the story of one request or event, put together from the logs,
   the queue's files, the delivery log and the audit trail. */
#include "config.h"

#include "ctl_private.h"
#include "log_files.h"
#include "queue_look.h"

#include "wuts/arena.h"
#include "wuts/audit.h"
#include "wuts/clock.h"
#include "wuts/log.h"
#include "wuts/queue.h"
#include "wuts/settings.h"
#include "wuts/trace_service.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 10000
#define TIME_LEN 24		/* 2026-06-15T12:00:00.123Z */
#define EVENTS_MAX 64

struct item {
	char time[TIME_LEN + 1];
	const char *source;	/* log, queue, delivery, audit */
	const char *text;
	size_t order;		/* of finding it, among the same time */
};

struct trace {
	struct session session;
	struct log_files logs;
	const char *id;		/* what was asked for */
	const char *request;	/* known from the start or found; NULL */
	struct uuid events[EVENTS_MAX];
	size_t nevents;
	struct item *items;
	size_t n;
	bool is_cut;		/* there are more */
	bool is_learning;	/* which ids belong together */
};

/* --- items --- */

static void
format_time(int64_t us, char time_r[TIME_LEN + 1])
{
	char text[CLOCK_RFC3339_SIZE + 8];

	clock_format(us, text);
	snprintf(text + 19, sizeof(text) - 19, ".%03uZ",
	    (unsigned)(us / 1000 % 1000));
	memcpy(time_r, text, TIME_LEN);
	time_r[TIME_LEN] = '\0';
}

/* text is in the session's arena. */
static void
add_item(struct trace *trace, const char *source, const char *time,
    const char *text)
{
	struct item *item = &trace->items[trace->n];

	if (trace->n == ITEMS_MAX) {
		trace->is_cut = true;
		return;
	}
	snprintf(item->time, sizeof(item->time), "%.24s", time);
	item->source = source;
	item->text = text;
	item->order = trace->n++;
}

static void
add_at(struct trace *trace, const char *source, int64_t us, const char *text)
{
	char time[TIME_LEN + 1];

	format_time(us, time);
	add_item(trace, source, time, text);
}

static int
compare_items(const void *a, const void *b)
{
	const struct item *first = a, *second = b;
	int order = strcmp(first->time, second->time);

	if (order != 0)
		return order;
	return first->order < second->order ? -1 : 1;
}

static void
note_event(struct trace *trace, const struct uuid *id)
{
	for (size_t i = 0; i < trace->nevents; i++)
		if (uuid_is_equal(&trace->events[i], id))
			return;
	if (trace->nevents < EVENTS_MAX)
		trace->events[trace->nevents++] = *id;
}

/* --- the queue's files --- */

static bool
is_ours(const struct trace *trace, const struct queue_record *record)
{
	for (size_t i = 0; i < trace->nevents; i++)
		if (uuid_is_equal(&trace->events[i], &record->id))
			return true;
	return trace->request != NULL &&
	    strcmp(trace->request, record->request) == 0;
}

static bool
take_entry(void *ctx, const struct queue_entry *entry)
{
	struct trace *trace = ctx;
	struct arena *arena = trace->session.arena;
	const struct queue_record *record = &entry->record;
	char id[UUID_TEXT_LEN + 1], due[CLOCK_RFC3339_SIZE];

	if (!is_ours(trace, record))
		return true;
	note_event(trace, &record->id);
	if (trace->request == NULL && record->request[0] != '\0')
		trace->request = arena_strdup(arena, record->request);
	/* that died is told by its dead letter */
	if (trace->is_learning || entry->state == QUEUE_STATE_DIED)
		return true;
	add_at(trace, "queue", record->created_us, arena_printf(arena,
	    "event=%s %s accepted; now %s%s%s in %s",
	    uuid_format(&record->id, id), record->event,
	    queue_state_name(entry->state),
	    entry->due_us != 0 ? ", due " : "",
	    entry->due_us != 0 ? clock_format(entry->due_us, due) : "",
	    entry->file));
	return true;
}

static int
read_queue(struct trace *trace)
{
	const struct queue_visitor visitor = {
		.entry = take_entry, .ctx = trace
	};

	return queue_visit(trace->session.settings->queue_dir, &visitor,
	    &trace->session.fault);
}

/* --- logs --- */

static bool
is_time(const char *text)
{
	return strlen(text) > TIME_LEN && text[10] == 'T' &&
	    text[19] == '.' && text[23] == 'Z';
}

static void
take_line(struct trace *trace, char *line)
{
	static const char json_begin[] = "{\"time\":\"";
	struct arena *arena = trace->session.arena;
	const char *time = line, *rest;

	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, json_begin, sizeof(json_begin) - 1) == 0)
		time = line + sizeof(json_begin) - 1;
	if (!is_time(time))
		return;
	rest = time == line ? line + TIME_LEN + 1 : line;
	add_item(trace, "log", time, arena_strdup(arena, rest));
}

/* The request of the event that was asked for, when a log line tells it, and
   the events of the request. */
static void
learn(struct trace *trace, const char *line)
{
	char event[UUID_TEXT_LEN + 1], request[QUEUE_REQUEST_MAX + 1];
	struct uuid id;

	if (!log_line_word(line, "event", event, sizeof(event)) ||
	    !uuid_parse(event, strlen(event), &id) ||
	    !log_line_word(line, "request", request, sizeof(request)) ||
	    strcmp(request, "-") == 0)
		return;
	if (trace->request == NULL && strcmp(event, trace->id) == 0)
		trace->request = arena_strdup(trace->session.arena, request);
	if (trace->request != NULL && strcmp(request, trace->request) == 0)
		note_event(trace, &id);
}

static bool
is_wanted(const struct trace *trace, const char *line)
{
	char event[UUID_TEXT_LEN + 1];

	if (log_line_mentions(line, trace->id) || (trace->request != NULL &&
	    log_line_mentions(line, trace->request)))
		return true;
	for (size_t i = 0; i < trace->nevents; i++)
		if (log_line_mentions(line, uuid_format(&trace->events[i], event)))
			return true;
	return false;
}

static void
hear_line(void *ctx, char *line)
{
	struct trace *trace = ctx;

	if (!is_wanted(trace, line))
		return;
	if (trace->is_learning)
		learn(trace, line);
	else
		take_line(trace, line);
}

/* --- the database --- */

static int
take_change(void *ctx, const struct audit_entry *entry, struct fault *fault)
{
	struct trace *trace = ctx;
	const struct identity *actor = &entry->actor;
	char target[UUID_TEXT_LEN + 1], who[UUID_TEXT_LEN + 1];

	(void)fault;
	add_at(trace, "audit", entry->created_us, arena_printf(
	    trace->session.arena, "%s target=%s by=%s %s → %s",
	    entry->action, uuid_format(&entry->target_id, target),
	    actor->kind == IDENTITY_USER ? uuid_format(&actor->user_id, who) :
	    identity_kind_name(actor->kind),
	    entry->old_value != NULL ? entry->old_value : "-",
	    entry->new_value != NULL ? entry->new_value : "-"));
	return 0;
}

/* One item an attempt; the log holds them as the API shows them. */
static void
take_attempts(struct trace *trace, const struct delivery_entry *entry,
    const char *id)
{
	json_t *attempts = json_loads(entry->attempts, 0, NULL), *attempt;
	struct arena *arena = trace->session.arena;
	const char *error;
	int64_t at_us;
	size_t i;

	json_array_foreach(attempts, i, attempt) {
		if (!clock_parse(json_string_value(json_object_get(attempt,
		    "at")), &at_us))
			continue;
		error = json_string_value(json_object_get(attempt, "error"));
		add_at(trace, "delivery", at_us, arena_printf(arena,
		    "event=%s attempt %zu: status %" JSON_INTEGER_FORMAT
		    " in %" JSON_INTEGER_FORMAT " ms%s%s", id, i + 1,
		    json_integer_value(json_object_get(attempt, "status")),
		    json_integer_value(json_object_get(attempt,
		    "duration_ms")), error != NULL ? ", " : "",
		    error != NULL ? error : ""));
	}
	json_decref(attempts);
}

static int
read_delivery(struct trace *trace, const struct uuid *event_id)
{
	struct session *session = &trace->session;
	struct delivery_entry entry;
	char id[UUID_TEXT_LEN + 1];
	int found;

	found = trace_service_delivery(session->service, session->arena,
	    event_id, &entry, &session->fault);
	if (found != 1)
		return found;
	uuid_format(event_id, id);
	take_attempts(trace, &entry, id);
	add_at(trace, "delivery", entry.updated_us, arena_printf(
	    session->arena, "event=%s %s is %s", id, entry.event,
	    delivery_state_name(entry.state)));
	return 0;
}

static int
read_database(struct trace *trace)
{
	struct session *session = &trace->session;

	if (trace->request != NULL && trace_service_changes(session->service,
	    trace->request, take_change, trace, &session->fault) < 0)
		return -1;
	for (size_t i = 0; i < trace->nevents; i++)
		if (read_delivery(trace, &trace->events[i]) < 0)
			return -1;
	return 0;
}

/* --- together --- */

static int
read_files(struct trace *trace)
{
	if (read_queue(trace) < 0)
		return -1;
	return log_files_read(&trace->logs, hear_line, trace,
	    &trace->session.fault);
}

/* Files are read again when it is known what belongs together: a late line may
   tell it of an early one. An id that is of no event of a known request may be
   a request's own. */
static int
gather(struct trace *trace)
{
	trace->is_learning = true;
	if (trace->request == NULL && read_files(trace) < 0)
		return -1;
	if (trace->request == NULL)
		trace->request = trace->id;
	if (read_files(trace) < 0)
		return -1;
	trace->is_learning = false;
	return read_files(trace) < 0 ? -1 : read_database(trace);
}

static void
show(struct trace *trace)
{
	struct json_writer *w = &trace->session.w;
	bool is_json = trace->session.ctl->json;

	if (is_json) {
		json_member_text(w, "id", trace->id);
		json_write_key(w, "items");
		json_write_array_begin(w);
	}
	for (size_t i = 0; i < trace->n; i++) {
		const struct item *item = &trace->items[i];

		if (!is_json) {
			printf("%s  %-8s  %s\n", item->time, item->source,
			    item->text);
			continue;
		}
		json_write_object_begin(w);
		json_member_text(w, "time", item->time);
		json_member_text(w, "source", item->source);
		json_member_text(w, "text", item->text);
		json_write_object_end(w);
	}
	if (is_json)
		json_write_array_end(w);
	if (trace->is_cut)
		fprintf(stderr, "wutsctl: there is more than the %d lines "
		    "shown\n", ITEMS_MAX);
}

static int
tell(struct trace *trace)
{
	if (gather(trace) < 0)
		return -1;
	if (trace->n == 0)
		return fault_set(&trace->session.fault, FAULT_CONFIG,
		    "nothing is known of %s: not in the queue, the delivery "
		    "log, the audit trail%s", trace->id,
		    strcmp(trace->session.settings->log_file, "-") == 0 &&
		    trace->session.ctl->args[1] == NULL ?
		    "; name the log files, log_file is not set" :
		    " or the log");
	qsort(trace->items, trace->n, sizeof(*trace->items), compare_items);
	show(trace);
	return 0;
}

/* What the operator has named, which may be for root to read. */
static int
open_named(struct log_files *logs, const struct ctl *ctl)
{
	struct fault fault = { 0 };

	for (size_t i = 1; i < CTL_ARGS_MAX && ctl->args[i] != NULL; i++)
		if (log_files_open(logs, ctl->args[i], &fault) < 0)
			return ctl_failed(&fault);
	return CTL_OK;
}

static int
open_configured(struct trace *trace)
{
	const char *path = trace->session.settings->log_file;

	return strcmp(path, "-") == 0 ? 0 : log_files_open(&trace->logs, path,
	    &trace->session.fault);
}

int
ctl_trace(const struct ctl *ctl)
{
	struct trace trace = { .id = ctl->args[0] };
	struct uuid id;
	int status;

	status = open_named(&trace.logs, ctl);
	if (status != CTL_OK || !session_open(&trace.session, ctl)) {
		log_files_close(&trace.logs);
		return CTL_FAILED;
	}
	trace.items = arena_alloc(trace.session.arena,
	    ITEMS_MAX * sizeof(*trace.items));
	if (uuid_parse(trace.id, strlen(trace.id), &id))
		note_event(&trace, &id);
	else
		trace.request = trace.id;
	status = session_close(&trace.session, open_configured(&trace) < 0 ?
	    -1 : tell(&trace));
	log_files_close(&trace.logs);
	return status;
}
