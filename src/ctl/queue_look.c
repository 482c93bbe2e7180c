/* SPDX-License-Identifier: MIT */
/* See queue_look.h; and wutsctl queue list and show. They read the files,
   disturb nobody, and need no database. */
#include "config.h"

#include "queue_look.h"

#include "wuts/clock.h"
#include "wuts/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TELL_AFTER_US (CLOCK_SECOND_US / 2)
#define TELL_EVERY_US (CLOCK_SECOND_US / 5)
#define FLUSH_BYTES 65536

static const char *const state_names[QUEUE_STATE_COUNT] = {
	[QUEUE_STATE_WAITING] = "waiting",
	[QUEUE_STATE_RETRYING] = "retrying",
	[QUEUE_STATE_PREPARED] = "prepared",
	[QUEUE_STATE_DEAD] = "dead",
	[QUEUE_STATE_DELIVERED] = "delivered",
	[QUEUE_STATE_DIED] = "died",
	[QUEUE_STATE_DROPPED] = "dropped",
	[QUEUE_STATE_DISCARDED] = "discarded",
	[QUEUE_STATE_REPLAYED] = "replayed",
};

const char *
queue_state_name(enum queue_state state)
{
	return state_names[state];
}

/* --- which events --- */

static int
parse_id(const char *option, const char *text, struct uuid *id_r,
    struct fault *fault)
{
	*id_r = UUID_NIL;
	if (text == NULL || uuid_parse(text, strlen(text), id_r))
		return 0;
	return fault_set(fault, FAULT_CONFIG,
	    "%s must be an id (a UUID), not \"%s\"", option, text);
}

static int
parse_state(struct queue_filter *filter, const char *text,
    struct fault *fault)
{
	for (size_t i = 0; i <= QUEUE_STATE_DEAD; i++)
		filter->states[i] = text == NULL ||
		    strcmp(text, state_names[i]) == 0;
	if (text == NULL)
		return 0;
	for (size_t i = 0; i <= QUEUE_STATE_DEAD; i++)
		if (filter->states[i])
			return 0;
	return fault_set(fault, FAULT_CONFIG, "--state must be waiting,"
	    " retrying, prepared or dead, not \"%s\"", text);
}

int
queue_filter_parse(struct queue_filter *filter_r, const struct ctl *ctl,
    struct fault *fault)
{
	*filter_r = (struct queue_filter){ .event = ctl->event };
	if (parse_id("--tenant", ctl->tenant, &filter_r->tenant_id,
	    fault) < 0 ||
	    parse_id("--device", ctl->device, &filter_r->device_id,
	    fault) < 0 ||
	    parse_state(filter_r, ctl->state, fault) < 0)
		return -1;
	if (ctl->since != NULL &&
	    !clock_parse(ctl->since, &filter_r->since_us))
		return fault_set(fault, FAULT_CONFIG, "--since must be a time"
		    " such as 2027-01-31T00:00:00Z, not \"%s\"", ctl->since);
	return 0;
}

bool
queue_filter_wants(const struct queue_filter *filter,
    const struct queue_entry *entry)
{
	const struct queue_record *record = &entry->record;

	return filter->states[entry->state] &&
	    (uuid_is_nil(&filter->tenant_id) ||
	    uuid_is_equal(&filter->tenant_id, &record->tenant_id)) &&
	    (uuid_is_nil(&filter->device_id) ||
	    uuid_is_equal(&filter->device_id, &record->device_id)) &&
	    (filter->event == NULL ||
	    strcmp(filter->event, record->event) == 0) &&
	    record->created_us >= filter->since_us;
}

int
queue_argument_id(const struct ctl *ctl, struct uuid *id_r,
    struct fault *fault)
{
	return parse_id("ID", ctl->args[0], id_r, fault);
}

/* --- progress --- */

void
progress_begin(struct progress *progress)
{
	progress->begun_us = clock_mono_us();
	progress->told_us = 0;
}

void
progress_tell(struct progress *progress, uint64_t done, uint64_t all)
{
	int64_t now_us = clock_mono_us();

	if (all == 0 || !isatty(STDERR_FILENO) ||
	    now_us - progress->begun_us < TELL_AFTER_US ||
	    now_us - progress->told_us < TELL_EVERY_US)
		return;
	progress->told_us = now_us;
	fprintf(stderr, "\r%3u %% of %" PRIu64 " MiB read",
	    (unsigned)(done * 100 / all), all >> 20);
}

void
progress_end(struct progress *progress)
{
	if (progress->told_us != 0)
		fputs("\r\033[K", stderr);
	progress->told_us = 0;
}

/* --- list and show --- */

struct look {
	const struct ctl *ctl;
	struct queue_filter filter;
	struct uuid id;		/* of show; nil: list */
	struct progress progress;
	struct strbuf out;
	struct json_writer w;
	unsigned limit;		/* 0: none */
	unsigned count;
};

static void
write_out(struct look *look)
{
	if (look->out.len > 0)
		(void)fwrite(look->out.data, 1, look->out.len, stdout);
	strbuf_reset(&look->out);
}

void
write_queue_entry(struct json_writer *w, const struct queue_entry *entry)
{
	const struct queue_record *record = &entry->record;

	json_member_uuid(w, "id", &record->id);
	json_member_text(w, "state", state_names[entry->state]);
	json_member_uuid(w, "tenant_id", &record->tenant_id);
	json_member_uuid_or_null(w, "device_id", &record->device_id);
	json_member_text(w, "event", record->event);
	json_member_time_or_null(w, "created_at", record->created_us);
	write_number(w, "attempts", entry->attempts);
	json_member_time_or_null(w, "due_at", entry->due_us);
	write_number(w, "bytes", record->body_len);
	json_member_text(w, "file", entry->file);
	write_number(w, "offset", entry->offset);
}

static void
list_line(struct strbuf *out, const struct queue_entry *entry)
{
	const struct queue_record *record = &entry->record;
	char id[UUID_TEXT_LEN + 1], tenant[UUID_TEXT_LEN + 1];
	char device[UUID_TEXT_LEN + 1], created[CLOCK_RFC3339_SIZE];
	char due[CLOCK_RFC3339_SIZE];

	strbuf_printf(out, "%s  %-8s  %s  %-24s tenant=%s device=%s",
	    uuid_format(&record->id, id), state_names[entry->state],
	    clock_format(record->created_us, created), record->event,
	    uuid_format(&record->tenant_id, tenant),
	    uuid_is_nil(&record->device_id) ? "-" :
	    uuid_format(&record->device_id, device));
	if (entry->attempts > 0)
		strbuf_printf(out, " attempts=%u due=%s", entry->attempts,
		    clock_format(entry->due_us, due));
	strbuf_append_char(out, '\n');
}

static void
show_text(struct strbuf *out, const struct queue_entry *entry)
{
	const struct queue_record *record = &entry->record;
	char text[UUID_TEXT_LEN + 1], time[CLOCK_RFC3339_SIZE];

	strbuf_printf(out, "id           %s\nstate        %s\n",
	    uuid_format(&record->id, text), state_names[entry->state]);
	strbuf_printf(out, "tenant       %s\n",
	    uuid_format(&record->tenant_id, text));
	strbuf_printf(out, "device       %s\n",
	    uuid_is_nil(&record->device_id) ? "-" :
	    uuid_format(&record->device_id, text));
	strbuf_printf(out, "event        %s\ncreated      %s\n",
	    record->event, clock_format(record->created_us, time));
	strbuf_printf(out, "attempts     %u\n", entry->attempts);
	if (entry->due_us != 0)
		strbuf_printf(out, "due          %s\n",
		    clock_format(entry->due_us, time));
	strbuf_printf(out, "place        %s, byte %" PRIu32 "\n\n",
	    entry->file, entry->offset);
	strbuf_append(out, record->body, record->body_len);
	strbuf_append_char(out, '\n');
}

/* A body is JSON, but nobody has looked: as a string it is exact. */
static void
write_body(struct json_writer *w, const struct queue_record *record)
{
	struct strbuf body = STRBUF_INIT;

	strbuf_append(&body, record->body, record->body_len);
	json_member_text(w, "body", body.data != NULL ? body.data : "");
	strbuf_deinit(&body);
}

static bool
look_entry(void *ctx, const struct queue_entry *entry)
{
	struct look *look = ctx;
	bool is_show = !uuid_is_nil(&look->id);

	if (is_show ? !uuid_is_equal(&look->id, &entry->record.id) ||
	    entry->state == QUEUE_STATE_DIED :
	    !queue_filter_wants(&look->filter, entry))
		return true;
	progress_end(&look->progress);
	if (look->ctl->json) {
		json_write_object_begin(&look->w);
		write_queue_entry(&look->w, entry);
		if (is_show)
			write_body(&look->w, &entry->record);
		json_write_object_end(&look->w);
	} else if (is_show) {
		if (look->count > 0)
			strbuf_append_char(&look->out, '\n');
		show_text(&look->out, entry);
	} else {
		list_line(&look->out, entry);
	}
	if (look->out.len >= FLUSH_BYTES)
		write_out(look);
	return ++look->count != look->limit;
}

static void
look_progress(void *ctx, uint64_t done, uint64_t all)
{
	struct look *look = ctx;

	progress_tell(&look->progress, done, all);
}

static int
look_at(struct look *look, struct fault *fault)
{
	const struct queue_visitor visitor = {
		.entry = look_entry, .progress = look_progress, .ctx = look,
	};
	struct settings *settings;
	int ret;

	/* Without the secrets: looking at a directory needs none. */
	if (settings_load_paths(&settings, look->ctl->config, fault) < 0)
		return -1;
	json_writer_init(&look->w, &look->out);
	if (look->ctl->json) {
		json_write_object_begin(&look->w);
		json_write_key(&look->w, "events");
		json_write_array_begin(&look->w);
	}
	progress_begin(&look->progress);
	ret = queue_visit(settings->queue_dir, &visitor, fault);
	progress_end(&look->progress);
	if (look->ctl->json) {
		json_write_array_end(&look->w);
		json_write_object_end(&look->w);
		strbuf_append_char(&look->out, '\n');
	}
	settings_free(&settings);
	return ret;
}

static int
look_end(struct look *look, int ret, struct fault *fault)
{
	if (ret == 0)
		write_out(look);
	strbuf_deinit(&look->out);
	if (ret == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		ret = fault_errno(fault, FAULT_IO, "standard output");
	return ret < 0 ? ctl_failed(fault) : CTL_OK;
}

int
ctl_queue_list(const struct ctl *ctl)
{
	struct look look = { .ctl = ctl, .out = STRBUF_INIT };
	struct fault fault;

	fault_clear(&fault);
	if (queue_filter_parse(&look.filter, ctl, &fault) < 0 ||
	    ctl_limit(ctl, &look.limit, &fault) < 0)
		return ctl_failed(&fault);
	return look_end(&look, look_at(&look, &fault), &fault);
}

int
ctl_queue_show(const struct ctl *ctl)
{
	struct look look = { .ctl = ctl, .out = STRBUF_INIT };
	struct fault fault;
	int ret;

	fault_clear(&fault);
	if (queue_argument_id(ctl, &look.id, &fault) < 0)
		return ctl_failed(&fault);
	ret = look_at(&look, &fault);
	if (ret == 0 && look.count == 0)
		ret = fault_set(&fault, FAULT_CONFIG, "there is no event %s"
		    " in the queue: it was delivered, or never was",
		    ctl->args[0]);
	return look_end(&look, ret, &fault);
}
