/* SPDX-License-Identifier: MIT */
/* What the operator asks of the running reader: a file in requests/ for each
   record to be dropped, or to be due at once, removed when that is done. A
   request that a crash leaves is done at the next start; done twice it changes
   nothing. */
#include "config.h"

#include "reader_private.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REQUEST_MAX 256

static const struct {
	const char *verb, *suffix;
} wishes[] = {
	[QUEUE_WISH_DROP] = { "drop", ".drop" },
	[QUEUE_WISH_HURRY] = { "retry", ".retry" },
};

struct request {
	enum queue_wish wish;
	char segment[QUEUE_NAME_MAX];
	uint32_t offset;
	struct uuid id;
};

const char *
queue_request_suffix(enum queue_wish wish)
{
	return wishes[wish].suffix;
}

void
queue_request_format(struct strbuf *out, enum queue_wish wish,
    const char *segment, uint32_t offset, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	strbuf_printf(out, "%s %s %" PRIu32 " %s\n", wishes[wish].verb,
	    segment, offset, uuid_format(id, text));
}

/* Exactly as written above, with request_r->wish. */
static bool
parse(const char *text, struct request *request_r)
{
	struct strbuf again = STRBUF_INIT;
	char id[UUID_TEXT_LEN + 1];
	bool same;

	if (sscanf(text, "%*7s %63s %" SCNu32 " %36s", request_r->segment,
	    &request_r->offset, id) != 3 ||
	    !queue_is_name(request_r->segment, ".seg") ||
	    !uuid_parse(id, strlen(id), &request_r->id))
		return false;
	queue_request_format(&again, request_r->wish, request_r->segment,
	    request_r->offset, &request_r->id);
	same = strcmp(again.data, text) == 0;
	strbuf_deinit(&again);
	return same;
}

static int
request_read(int dir_fd, const char *name, struct request *request_r,
    struct fault *fault)
{
	char text[REQUEST_MAX + 1];
	ssize_t n;
	int fd;

	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fault_errno(fault, FAULT_QUEUE, "open requests/%s",
		    name);
	n = read(fd, text, REQUEST_MAX);
	close(fd);
	if (n < 0)
		return fault_errno(fault, FAULT_QUEUE, "read requests/%s",
		    name);
	text[n] = '\0';
	if (!parse(text, request_r))
		return fault_set(fault, FAULT_QUEUE,
		    "requests/%s is no request", name);
	return 0;
}

/* Is the record still to be delivered, by what is on the disk, and how often
   was it tried? What was noted is written before we are called. 1, 0, -1. */
static int
is_waiting(struct queue_reader *reader, struct queue_segment *seg,
    const struct request *request, unsigned *attempts_r, struct fault *fault)
{
	const struct queue_noted *noted;
	struct queue_outcomes outcomes;
	struct queue_view *view = queue_load_view(reader, seg,
	    request->offset);
	struct queue_line line;
	int ret = 1;
	bool bad;

	if (queue_segment_line(reader, seg, request->offset, view, &line,
	    &bad, fault) < 0)
		return bad ? 0 : -1;
	if (!uuid_is_equal(&line.record.id, &request->id))
		return 0;
	for (size_t i = 0; i < seg->pendings.n; i++)
		if (seg->pendings.item[i].offset == request->offset)
			return 0;	/* its transaction decides */
	if (queue_outcomes_load(&outcomes, reader->dirs.done, seg->name,
	    fault) < 0)
		return -1;
	noted = queue_outcomes_find(&outcomes, request->offset);
	*attempts_r = noted != NULL ? noted->attempts : 0;
	if (noted != NULL && queue_outcome_is_final(noted->kind))
		ret = 0;
	queue_outcomes_forget(&outcomes);
	return ret;
}

void
queue_reader_on_hurry(struct queue_reader *reader,
    void (*hurry)(void *ctx, struct queue_pos pos))
{
	reader->hurry = hurry;
}

/* Only the time: it was not tried once more. */
void
queue_reader_hurry(struct queue_reader *reader, struct queue_pos pos,
    unsigned attempts)
{
	struct queue_segment *seg = queue_segment_get(reader, pos.segment);
	uint32_t place;

	if (seg == NULL || !queue_segment_place(seg, pos.offset, &place))
		return;
	queue_outcome_format(&seg->lines, QUEUE_NOTE_RETRY, place, attempts,
	    clock_wall_us());
	if (reader->hurry != NULL)
		reader->hurry(reader->events.ctx, pos);
}

static void
drop(struct queue_reader *reader, struct queue_pos pos,
    const struct uuid *id)
{
	queue_reader_finish(reader, pos, QUEUE_DROPPED, 0, 0);
	queue_loaded_note(&reader->dropped, pos, id, 1);
}

/* 1: done, or there is nothing to do; 0: not yet, -1. */
static int
grant(struct queue_reader *reader, const struct request *request,
    struct fault *fault)
{
	struct queue_segment *seg = queue_segment_find(reader,
	    request->segment);
	char id[UUID_TEXT_LEN + 1];
	struct queue_pos pos;
	unsigned attempts;
	int waiting;

	if (seg == NULL)
		return 1;
	if (request->offset >= seg->scan_off)
		return seg->scanned ? 1 : 0;
	waiting = is_waiting(reader, seg, request, &attempts, fault);
	if (waiting <= 0)
		return waiting < 0 ? -1 : 1;
	pos = (struct queue_pos){ seg->number,
	    queue_segment_known_as(seg, request->offset) };
	if (queue_loaded_has(&reader->dropped, pos) || seg->live == 0)
		return 1;
	if (request->wish == QUEUE_WISH_DROP)
		drop(reader, pos, &request->id);
	else if (attempts > 0)
		queue_reader_hurry(reader, pos, attempts);
	log_info("queue event=%s %s as the operator asked",
	    uuid_format(&request->id, id),
	    request->wish == QUEUE_WISH_DROP ? "dropped" : "due now");
	return 1;
}

static int
take(struct queue_reader *reader, enum queue_wish wish, struct fault *fault)
{
	struct queue_names names = { NULL, 0, 0 };
	struct fault local = { .code = FAULT_NONE };
	struct request request = { .wish = wish };
	int ret = 0;

	if (queue_names_list(&names, reader->dirs.requests,
	    queue_request_suffix(wish)) < 0)
		return fault_errno(fault, FAULT_QUEUE, "list requests/");
	/* Before: so that the log on the disk knows all. After: so that a
	   request goes when it is granted on the disk, not before. */
	if (names.n > 0 && queue_reader_sync(reader, fault) < 0)
		ret = -1;
	for (size_t i = 0; i < names.n && ret == 0; i++) {
		int done = 1;

		if (request_read(reader->dirs.requests, names.name[i],
		    &request, &local) == 0)
			done = grant(reader, &request, fault);
		else
			log_warn("queue %s", local.text);
		if (done < 0 || (done > 0 &&
		    queue_reader_sync(reader, fault) < 0))
			ret = -1;
		else if (done > 0)
			(void)queue_io.unlinkat(reader->dirs.requests,
			    names.name[i], 0);
	}
	queue_names_deinit(&names);
	return ret;
}

int
queue_requests_take(struct queue_reader *reader, struct fault *fault)
{
	if (take(reader, QUEUE_WISH_DROP, fault) < 0)
		return -1;
	return take(reader, QUEUE_WISH_HURRY, fault);
}
