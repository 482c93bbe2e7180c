/* SPDX-License-Identifier: MIT */
/* What the operator wants of a record that waits: that it is dropped, or due at
   once. It belongs to the reader: that is asked, through a file in requests/
   for each record, removed when that is done; or, when there is none, we are
   it. */
#include "config.h"

#include "reader_private.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/mem.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASK_AGAIN 8		/* a rewriting may come between look and wish */
#define POLL_MS 20

/* --- in the reader's place --- */

struct found {
	struct queue_pos pos;
	unsigned attempts;
};

struct hunt {
	struct uuid id;
	struct found *found;
	size_t n;
	size_t cap;
};

static void
hunt_record(void *ctx, struct queue_pos pos,
    const struct queue_record *record, unsigned attempts, int64_t due_us)
{
	struct hunt *hunt = ctx;

	(void)due_us;
	if (!uuid_is_equal(&record->id, &hunt->id))
		return;
	if (hunt->n == hunt->cap) {
		hunt->cap = hunt->cap * 2 + 4;
		hunt->found = mem_realloc(hunt->found, hunt->cap,
		    sizeof(*hunt->found));
	}
	hunt->found[hunt->n++] = (struct found){ pos, attempts };
}

/* The next spooler asks. */
static void
hunt_unresolved(void *ctx, struct queue_pos pos, const struct uuid *id,
    int64_t created_us)
{
	(void)ctx;
	(void)pos;
	(void)id;
	(void)created_us;
}

static void
grant(struct queue_reader *reader, enum queue_wish wish,
    const struct found *found)
{
	if (wish == QUEUE_WISH_DROP)
		queue_reader_finish(reader, found->pos, QUEUE_DROPPED, 0, 0);
	else if (found->attempts > 0)
		queue_reader_hurry(reader, found->pos, found->attempts);
}

static int
wish_as_reader(const char *dir, enum queue_wish wish, const struct uuid *id,
    struct fault *fault)
{
	struct hunt hunt = { .id = *id };
	struct queue_events events = { hunt_record, hunt_unresolved, &hunt };
	struct queue_reader *reader;
	int ret;

	if (queue_reader_open(&reader, dir, &events, fault) < 0)
		return -1;
	ret = queue_reader_adopt(reader, fault);
	if (ret == 0)
		while ((ret = queue_reader_scan(reader, SIZE_MAX, fault)) > 0)
			continue;
	for (size_t i = 0; ret == 0 && i < hunt.n; i++)
		grant(reader, wish, &hunt.found[i]);
	if (ret == 0)
		ret = queue_reader_sync(reader, fault);
	queue_reader_close(&reader);
	free(hunt.found);
	return ret < 0 ? -1 : hunt.n > 0;
}

/* --- through the reader --- */

struct place {
	struct uuid id;
	char segment[QUEUE_NAME_MAX];
	uint32_t offset;
	unsigned attempts;
	int64_t due_us;
	bool found;
	bool prepared;
};

static bool
place_entry(void *ctx, const struct queue_entry *entry)
{
	struct place *place = ctx;

	if (!uuid_is_equal(&entry->record.id, &place->id))
		return true;
	place->prepared |= entry->state == QUEUE_STATE_PREPARED;
	if (entry->state != QUEUE_STATE_WAITING &&
	    entry->state != QUEUE_STATE_RETRYING)
		return true;
	snprintf(place->segment, sizeof(place->segment), "%s",
	    strchr(entry->file, '/') + 1);
	place->offset = entry->offset;
	place->attempts = entry->attempts;
	place->due_us = entry->due_us;
	place->found = true;
	return false;
}

static int
request_write(const struct queue_dirs *dirs, enum queue_wish wish,
    const struct place *place, const char *name, struct fault *fault)
{
	char new_name[QUEUE_NAME_MAX + 8];
	struct strbuf text = STRBUF_INIT;
	int fd, ret = 0;

	snprintf(new_name, sizeof(new_name), ".new-%s", name);
	fd = openat(dirs->requests, new_name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return fault_errno(fault, FAULT_QUEUE, "create requests/%s",
		    name);
	queue_request_format(&text, wish, place->segment, place->offset,
	    &place->id);
	if (queue_write_at(fd, text.data, text.len, 0) < 0 ||
	    queue_io.fdatasync(fd) < 0 ||
	    queue_io.renameat(dirs->requests, new_name,
	    dirs->requests, name) < 0 ||
	    queue_io.fsync(dirs->requests) < 0) {
		ret = fault_errno(fault, FAULT_QUEUE, "write requests/%s",
		    name);
		(void)queue_io.unlinkat(dirs->requests, new_name, 0);
	}
	strbuf_deinit(&text);
	close(fd);
	return ret;
}

static int
ask_reader(const struct queue_dirs *dirs, enum queue_wish wish,
    const struct place *place, int64_t until_us, struct fault *fault)
{
	char id[UUID_TEXT_LEN + 1], name[QUEUE_NAME_MAX];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", uuid_format(&place->id, id),
	    queue_request_suffix(wish));
	if (request_write(dirs, wish, place, name, fault) < 0)
		return -1;
	while (fstatat(dirs->requests, name, &st, 0) == 0) {
		if (clock_mono_us() > until_us)
			return fault_set(fault, FAULT_QUEUE, "wuts-spool has"
			    " not taken up the request for %s yet; it"
			    " stands", id);
		poll(NULL, 0, POLL_MS);
	}
	return 0;
}

/* Is it so, by what is on the disk? An attempt more than there were before may
   have failed again since it was asked for: once is what was wished. */
static bool
is_granted(enum queue_wish wish, const struct place *place, unsigned before)
{
	if (!place->found)
		return true;
	return wish == QUEUE_WISH_HURRY && (place->attempts == 0 ||
	    place->attempts > before || place->due_us <= clock_wall_us());
}

static int
wish_through_reader(const struct queue_dirs *dirs, enum queue_wish wish,
    const struct uuid *id, int timeout_ms, struct fault *fault)
{
	int64_t until_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
	unsigned before = 0;

	for (int round = 0; round < ASK_AGAIN; round++) {
		struct place place = { .id = *id };
		const struct queue_visitor visitor = {
			.entry = place_entry, .ctx = &place,
		};

		if (queue_walk(dirs, &visitor, NULL, fault) < 0)
			return -1;
		if (!place.found && place.prepared)
			return fault_set(fault, FAULT_QUEUE, "the event's"
			    " transaction is under way: try again");
		if (round == 0)
			before = place.attempts;
		if (is_granted(wish, &place, before))
			return place.found || round > 0;
		if (ask_reader(dirs, wish, &place, until_us, fault) < 0)
			return -1;
	}
	return fault_set(fault, FAULT_QUEUE,
	    "the event could not be %s: try again",
	    wish == QUEUE_WISH_DROP ? "dropped" : "made due");
}

int
queue_wish(const struct queue_dirs *dirs, const char *dir,
    enum queue_wish wish, const struct uuid *id, int timeout_ms,
    struct fault *fault)
{
	if (queue_reader_runs(dirs->root))
		return wish_through_reader(dirs, wish, id, timeout_ms, fault);
	return wish_as_reader(dir, wish, id, fault);
}
