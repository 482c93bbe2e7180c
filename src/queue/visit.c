/* SPDX-License-Identifier: MIT */
/* Looking at everything in a queue, for the operator. Takes no lock and changes
   nothing: beside a running spooler what is told is a moment old, and a file
   that goes away while we look has just been finished or rewritten. */
#include "config.h"

#include "reader_private.h"

#include "wuts/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRESS_LINES 4096

struct walk {
	const struct queue_dirs *dirs;
	const struct queue_visitor *visitor;
	const struct queue_walk_files *files;
	struct queue_outcomes noted;
	struct queue_pendings pendings;
	struct queue_view view;
	struct queue_view again;	/* for records whose mark comes later */
	char file[QUEUE_NAME_MAX + 8];
	uint64_t done, all;	/* bytes */
	bool damaged;		/* something in this file does not hold */
	bool over;
};

static void
tell_trouble(struct walk *walk, const char *file, uint64_t offset,
    const char *what)
{
	if (walk->visitor->trouble != NULL)
		walk->visitor->trouble(walk->visitor->ctx, file, offset,
		    what);
}

static void
tell_progress(const struct walk *walk, uint64_t more)
{
	if (walk->visitor->progress != NULL)
		walk->visitor->progress(walk->visitor->ctx,
		    walk->done + more, walk->all);
}

static void
tell_entry(struct walk *walk, uint32_t offset, struct queue_line *line,
    enum queue_state state, const struct queue_pending *pending)
{
	struct queue_entry entry = {
		.record = line->record,
		.state = state,
		.attempts = pending->attempts,
		.due_us = pending->due_us,
		.file = walk->file,
		.offset = offset,
	};

	entry.record.event = line->event;
	entry.record.request = line->request;
	if (walk->visitor->entry != NULL &&
	    !walk->visitor->entry(walk->visitor->ctx, &entry))
		walk->over = true;
}

/* A prepared record, now that its end is known. */
static void
tell_pending(struct walk *walk, uint64_t size,
    const struct queue_pending *pending, enum queue_state state)
{
	struct queue_line line;

	if (queue_view_line(&walk->again, pending->offset, size, &line) ==
	    QUEUE_READ_OK)
		tell_entry(walk, pending->offset, &line, state, pending);
}

static enum queue_state
state_of(const struct queue_noted *noted)
{
	switch (noted->kind) {
	case QUEUE_NOTE_DELIVERED:
		return QUEUE_STATE_DELIVERED;
	case QUEUE_NOTE_DEAD:
		return QUEUE_STATE_DIED;
	case QUEUE_NOTE_DROPPED:
		return QUEUE_STATE_DROPPED;
	case QUEUE_NOTE_DISCARDED:
		return QUEUE_STATE_DISCARDED;
	case QUEUE_NOTE_REPLAYED:
		return QUEUE_STATE_REPLAYED;
	default:
		return noted->attempts > 0 ? QUEUE_STATE_RETRYING :
		    QUEUE_STATE_WAITING;
	}
}

static void
take_record(struct walk *walk, uint32_t offset, struct queue_line *line,
    bool is_letter)
{
	struct queue_pending pending = {
		.id = line->record.id,
		.created_us = line->record.created_us,
		.offset = offset,
	};
	enum queue_state state = is_letter ? QUEUE_STATE_DEAD :
	    QUEUE_STATE_WAITING;
	struct queue_noted *noted = NULL;

	if (walk->noted.n > 0)
		noted = queue_outcomes_at(&walk->noted, offset);
	if (noted != NULL) {
		noted->seen = true;
		pending.attempts = noted->attempts;
		pending.due_us = noted->due_us;
		state = state_of(noted);
	}
	if (!is_letter && line->prepared && (noted == NULL ||
	    (!noted->claimed && !queue_outcome_is_final(noted->kind))))
		queue_pendings_add(&walk->pendings, &pending);
	else
		tell_entry(walk, offset, line, state, &pending);
}

static void
take_mark(struct walk *walk, uint64_t size, const struct queue_line *line)
{
	struct queue_pending pending;

	if (!queue_pendings_take_id(&walk->pendings, &line->record.id,
	    &pending))
		return;
	tell_pending(walk, size, &pending,
	    !line->commit ? QUEUE_STATE_DISCARDED : pending.attempts > 0 ?
	    QUEUE_STATE_RETRYING : QUEUE_STATE_WAITING);
}

/* The line at offset. While a writer lives, an append counts when it is
   whole. */
static enum queue_read
line_at(struct walk *walk, uint64_t offset, uint64_t size, bool is_open,
    uint64_t *whole_to, struct queue_line *line_r)
{
	enum queue_read got;

	got = queue_view_line(&walk->view, offset, size, line_r);
	if (got != QUEUE_READ_OK || !is_open || offset < *whole_to ||
	    line_r->kind != QUEUE_LINE_RECORD || line_r->more == 0)
		return got;
	got = queue_view_batch(&walk->view, offset, size, whole_to);
	if (got != QUEUE_READ_OK)
		return got;
	return queue_view_line(&walk->view, offset, size, line_r);
}

static void
take_lines(struct walk *walk, int fd, uint64_t size, bool is_open,
    bool is_letters)
{
	uint64_t offset = 0, whole_to = 0, next;
	struct queue_line line;
	unsigned lines = 0;
	char what[64];

	queue_view_start(&walk->view, fd, 0);
	queue_view_start(&walk->again, fd, 0);
	while (!walk->over && offset < size) {
		enum queue_read got = line_at(walk, offset, size, is_open,
		    &whole_to, &line);

		if (++lines % PROGRESS_LINES == 0)
			tell_progress(walk, offset);
		if (got == QUEUE_READ_OK && line.kind == QUEUE_LINE_RECORD)
			take_record(walk, (uint32_t)offset, &line,
			    is_letters);
		else if (got == QUEUE_READ_OK &&
		    line.kind == QUEUE_LINE_MARK && !is_letters)
			take_mark(walk, size, &line);
		if (got == QUEUE_READ_OK) {
			offset += line.len;
			continue;
		}
		if (got == QUEUE_READ_ERROR)
			tell_trouble(walk, walk->file, offset,
			    strerror(walk->view.error));
		/* In an open segment what does not hold is the end. */
		if (got == QUEUE_READ_ERROR || got == QUEUE_READ_END ||
		    is_open)
			break;
		next = queue_view_resync(&walk->view, offset + 1, size);
		/* A letter torn by a crash: its record is in the queue. */
		if (is_letters && got == QUEUE_READ_SHORT && next == size)
			break;
		walk->damaged = true;
		snprintf(what, sizeof(what), "%" PRIu64 " damaged bytes",
		    next - offset);
		tell_trouble(walk, walk->file, offset, what);
		offset = next;
	}
}

static void
take_rest(struct walk *walk, uint64_t size, const char *log_dir,
    const char *name, bool is_open)
{
	char stem[QUEUE_NAME_MAX], log[QUEUE_NAME_MAX + 8];

	for (size_t i = 0; i < walk->pendings.n && !walk->over; i++)
		tell_pending(walk, size, &walk->pendings.item[i],
		    QUEUE_STATE_PREPARED);
	queue_name_with(stem, name, ".log");
	snprintf(log, sizeof(log), "%s/%s", log_dir, stem);
	if (walk->noted.damaged > 0)
		tell_trouble(walk, log, 0, "damaged lines");
	if (walk->over || walk->damaged || is_open)
		return;
	for (size_t i = 0; i < walk->noted.n; i++)
		if (!walk->noted.noted[i].seen)
			tell_trouble(walk, log, walk->noted.noted[i].offset,
			    "an outcome of no record");
}

static void
file_begin(struct walk *walk, const char *dir, const char *name,
    uint64_t bytes)
{
	snprintf(walk->file, sizeof(walk->file), "%s/%s", dir, name);
	walk->damaged = false;
	walk->pendings.n = 0;
	tell_progress(walk, 0);
	if (walk->files != NULL)
		walk->files->file(walk->files->ctx, walk->file, bytes);
}

/* Finished, or rewritten, since we listed it? Its log, which goes after it,
   says nothing any more. */
static bool
is_gone(const struct walk *walk, const char *name)
{
	struct stat st;

	return (walk->dirs->open < 0 ||
	    fstatat(walk->dirs->open, name, &st, 0) < 0) &&
	    fstatat(walk->dirs->ready, name, &st, 0) < 0;
}

static int
walk_segment(struct walk *walk, const char *name, struct fault *fault)
{
	char next[QUEUE_NAME_MAX];
	bool is_open = true;
	struct stat st;
	int fd;

	fd = openat(walk->dirs->open, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		is_open = false;
		fd = openat(walk->dirs->ready, name, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0 && errno != ENOENT)
		return fault_errno(fault, FAULT_QUEUE, "open segment %s",
		    name);
	if (fd >= 0 && (fstat(fd, &st) < 0 || queue_outcomes_load(&walk->noted,
	    walk->dirs->done, name, fault) < 0)) {
		close(fd);
		return fault_prefix(fault, "segment %s", name);
	}
	if (fd < 0 || is_gone(walk, name)) {
		if (fd >= 0)
			close(fd);
		queue_outcomes_forget(&walk->noted);
		queue_name_next(next, name);
		return is_gone(walk, next) ? 0 :
		    walk_segment(walk, next, fault);
	}
	file_begin(walk, is_open ? "open" : "ready", name,
	    (uint64_t)st.st_size);
	take_lines(walk, fd, (uint64_t)st.st_size, is_open, false);
	take_rest(walk, (uint64_t)st.st_size, "done", name, is_open);
	walk->done += (uint64_t)st.st_size;
	queue_outcomes_forget(&walk->noted);
	close(fd);
	return 0;
}

static int
walk_letters(struct walk *walk, const char *name, struct fault *fault)
{
	struct stat st;
	int fd;

	fd = openat(walk->dirs->dead, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : fault_errno(fault, FAULT_QUEUE,
		    "open dead/%s", name);
	if (fstat(fd, &st) < 0 || queue_outcomes_load(&walk->noted,
	    walk->dirs->dead, name, fault) < 0) {
		close(fd);
		return fault_prefix(fault, "dead/%s", name);
	}
	file_begin(walk, "dead", name, (uint64_t)st.st_size);
	take_lines(walk, fd, (uint64_t)st.st_size, false, true);
	take_rest(walk, (uint64_t)st.st_size, "dead", name, false);
	walk->done += (uint64_t)st.st_size;
	queue_outcomes_forget(&walk->noted);
	close(fd);
	return 0;
}

static void
add_sizes(struct walk *walk, int dir_fd, const struct queue_names *names)
{
	struct stat st;

	for (size_t i = 0; i < names->n; i++)
		if (fstatat(dir_fd, names->name[i], &st, 0) == 0)
			walk->all += (uint64_t)st.st_size;
}

/* open/ before ready/: none that is being sealed is missed, and one may be in
   both lists. */
static int
list_all(struct walk *walk, struct queue_names *open,
    struct queue_names *ready, struct queue_names *dead, struct fault *fault)
{
	const struct queue_dirs *dirs = walk->dirs;

	if ((dirs->open >= 0 &&
	    queue_names_list(open, dirs->open, ".seg") < 0) ||
	    (dirs->ready >= 0 &&
	    queue_names_list(ready, dirs->ready, ".seg") < 0) ||
	    (dirs->dead >= 0 &&
	    queue_names_list(dead, dirs->dead, ".seg") < 0))
		return fault_errno(fault, FAULT_QUEUE, "list the queue");
	add_sizes(walk, dirs->open, open);
	add_sizes(walk, dirs->ready, ready);
	add_sizes(walk, dirs->dead, dead);
	queue_names_take_superseded(ready, NULL);
	return 0;
}

int
queue_walk(const struct queue_dirs *dirs,
    const struct queue_visitor *visitor,
    const struct queue_walk_files *files, struct fault *fault)
{
	struct queue_names open = { NULL, 0, 0 }, ready = { NULL, 0, 0 };
	struct queue_names dead = { NULL, 0, 0 };
	struct walk walk = {
		.dirs = dirs, .visitor = visitor, .files = files,
	};
	int ret;

	queue_view_init(&walk.view);
	queue_view_init(&walk.again);
	ret = list_all(&walk, &open, &ready, &dead, fault);
	for (size_t i = 0; ret == 0 && !walk.over && i < open.n; i++)
		if (!queue_names_has(&ready, open.name[i]))
			ret = walk_segment(&walk, open.name[i], fault);
	for (size_t i = 0; ret == 0 && !walk.over && i < ready.n; i++)
		ret = walk_segment(&walk, ready.name[i], fault);
	for (size_t i = 0; ret == 0 && !walk.over && i < dead.n; i++)
		if (queue_dead_is_day(dead.name[i], ".seg"))
			ret = walk_letters(&walk, dead.name[i], fault);
	if (ret == 0)
		tell_progress(&walk, walk.all - walk.done);
	queue_names_deinit(&open);
	queue_names_deinit(&ready);
	queue_names_deinit(&dead);
	free(walk.pendings.item);
	queue_view_deinit(&walk.view);
	queue_view_deinit(&walk.again);
	return ret;
}

int
queue_visit(const char *dir, const struct queue_visitor *visitor,
    struct fault *fault)
{
	struct queue_dirs dirs;
	int ret;

	if (queue_dirs_open(&dirs, dir, false, fault) < 0)
		return -1;
	ret = queue_walk(&dirs, visitor, NULL, fault);
	queue_dirs_close(&dirs);
	return ret;
}

bool
queue_reader_runs(int root_fd)
{
	bool runs;
	int fd;

	fd = openat(root_fd, "reader.lock", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	runs = queue_is_locked(fd);
	close(fd);
	return runs;
}
