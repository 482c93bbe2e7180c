/* SPDX-License-Identifier: MIT */
/* The operator's changes: dead letters put back or dropped, waiting records
   dropped or due at once. One operator at a time, by a lock. A dead letter is
   put back by a writer like any other, synced, and only then noted in the log
   of its day, so a crash puts it back twice, never not at all. */
#include "config.h"

#include "reader_private.h"

#include "wuts/fault.h"
#include "wuts/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_RECORDS 64
#define BATCH_BYTES (1 << 20)

struct queue_mender {
	char *dir;
	struct queue_dirs dirs;
	struct queue_limits limits;
	struct queue_writer *writer;	/* NULL: not needed yet */
	int lock_fd;
};

/* --- opening --- */

int
queue_mender_open(struct queue_mender **mender_r, const char *dir,
    const struct queue_limits *limits, struct fault *fault)
{
	struct queue_mender *mender = mem_calloc(1, sizeof(*mender));

	*mender_r = NULL;
	mender->lock_fd = -1;
	mender->limits = (struct queue_limits){
		.segment_bytes = limits->segment_bytes,
		.max_bytes = limits->max_bytes,
		.disk_reserve = limits->disk_reserve,
	};
	if (queue_dirs_open(&mender->dirs, dir, true, fault) < 0) {
		free(mender);
		return -1;
	}
	mender->dir = mem_strdup(dir);
	mender->lock_fd = openat(mender->dirs.root, "operator.lock",
	    O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (mender->lock_fd >= 0 && queue_lock(mender->lock_fd) == 0) {
		*mender_r = mender;
		return 0;
	}
	if (mender->lock_fd >= 0 && (errno == EAGAIN || errno == EACCES))
		fault_set(fault, FAULT_QUEUE,
		    "another wutsctl changes this queue: wait for its end");
	else
		fault_errno(fault, FAULT_QUEUE, "lock %s/operator.lock", dir);
	queue_mender_close(&mender);
	return -1;
}

void
queue_mender_close(struct queue_mender **menderp)
{
	struct queue_mender *mender = *menderp;

	*menderp = NULL;
	if (mender == NULL)
		return;
	queue_writer_close(&mender->writer);
	if (mender->lock_fd >= 0)
		close(mender->lock_fd);
	queue_dirs_close(&mender->dirs);
	free(mender->dir);
	free(mender);
}

/* --- dead letters --- */

struct batch {
	const char *day;		/* the file's name */
	enum queue_letter_end end;
	struct queue_outcomes noted;
	struct queue_record records[BATCH_RECORDS];
	struct strbuf texts[BATCH_RECORDS];	/* of the records */
	struct strbuf lines;		/* for the log */
	size_t n;
	size_t bytes;
};

static void
batch_add(struct batch *batch, uint32_t offset, const struct queue_line *line)
{
	struct queue_record *record = &batch->records[batch->n];
	struct strbuf *text = &batch->texts[batch->n];
	size_t event_size = strlen(line->event) + 1;

	*record = line->record;
	strbuf_reset(text);
	strbuf_append(text, line->event, event_size);
	strbuf_append(text, record->body, record->body_len);
	record->event = text->data;
	record->body = text->data + event_size;
	queue_outcome_format(&batch->lines,
	    batch->end == QUEUE_LETTER_REPLAY ? QUEUE_NOTE_REPLAYED :
	    QUEUE_NOTE_DROPPED, offset, 0, 0);
	batch->bytes += text->len;
	batch->n++;
}

static int
batch_end(struct queue_mender *mender, struct batch *batch, size_t *n_r,
    struct fault *fault)
{
	if (batch->n == 0)
		return 0;
	if (batch->end == QUEUE_LETTER_REPLAY &&
	    ((mender->writer == NULL && queue_writer_open(&mender->writer,
	    mender->dir, &mender->limits, fault) < 0) ||
	    queue_append(mender->writer, batch->records, batch->n,
	    fault) < 0))
		return -1;
	if (queue_outcomes_sync(&batch->noted, mender->dirs.dead, batch->day,
	    &batch->lines, fault) < 0)
		return -1;
	*n_r += batch->n;
	batch->n = batch->bytes = 0;
	strbuf_reset(&batch->lines);
	return 0;
}

struct wish {
	bool (*wanted)(void *ctx, const struct queue_entry *entry);
	void *ctx;
};

static bool
is_wanted(const struct wish *wish, const struct batch *batch,
    uint32_t offset, const struct queue_line *line)
{
	const struct queue_noted *noted = queue_outcomes_find(&batch->noted,
	    offset);
	char file[QUEUE_NAME_MAX + 8];
	struct queue_entry entry = {
		.record = line->record,
		.state = QUEUE_STATE_DEAD,
		.file = file,
		.offset = offset,
	};

	if (noted != NULL && queue_outcome_is_final(noted->kind))
		return false;
	entry.record.event = line->event;
	entry.record.request = line->request;
	snprintf(file, sizeof(file), "dead/%s", batch->day);
	return wish->wanted(wish->ctx, &entry);
}

static int
letters_of_day(struct queue_mender *mender, struct batch *batch, int fd,
    const struct wish *wish, size_t *n_r, struct fault *fault)
{
	struct queue_view view;
	struct queue_line line;
	uint64_t offset = 0, size;
	struct stat st;
	int ret = 0;

	size = fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	queue_view_init(&view);
	queue_view_start(&view, fd, 0);
	while (ret == 0 && offset < size) {
		enum queue_read got = queue_view_line(&view, offset, size,
		    &line);

		if (got == QUEUE_READ_ERROR || got == QUEUE_READ_END)
			break;
		if (got != QUEUE_READ_OK) {
			offset = queue_view_resync(&view, offset + 1, size);
			continue;
		}
		if (line.kind == QUEUE_LINE_RECORD &&
		    is_wanted(wish, batch, (uint32_t)offset, &line))
			batch_add(batch, (uint32_t)offset, &line);
		offset += line.len;
		if (batch->n == BATCH_RECORDS || batch->bytes >= BATCH_BYTES)
			ret = batch_end(mender, batch, n_r, fault);
	}
	if (view.error != 0) {
		errno = view.error;
		ret = fault_errno(fault, FAULT_QUEUE, "read dead/%s",
		    batch->day);
	}
	queue_view_deinit(&view);
	return ret == 0 ? batch_end(mender, batch, n_r, fault) : -1;
}

static int
day(struct queue_mender *mender, const char *name, enum queue_letter_end end,
    const struct wish *wish, size_t *n_r, struct fault *fault)
{
	struct batch *batch;
	int fd, ret;

	fd = openat(mender->dirs.dead, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : fault_errno(fault, FAULT_QUEUE,
		    "open dead/%s", name);
	batch = mem_calloc(1, sizeof(*batch));
	batch->day = name;
	batch->end = end;
	ret = queue_outcomes_load(&batch->noted, mender->dirs.dead, name,
	    fault);
	if (ret == 0)
		ret = letters_of_day(mender, batch, fd, wish, n_r, fault);
	queue_outcomes_forget(&batch->noted);
	for (size_t i = 0; i < BATCH_RECORDS; i++)
		strbuf_deinit(&batch->texts[i]);
	strbuf_deinit(&batch->lines);
	free(batch);
	close(fd);
	return ret;
}

int
queue_mender_letters(struct queue_mender *mender, enum queue_letter_end end,
    bool (*wanted)(void *ctx, const struct queue_entry *entry), void *ctx,
    size_t *n_r, struct fault *fault)
{
	struct queue_names names = { NULL, 0, 0 };
	struct wish wish = { wanted, ctx };
	int ret = 0;

	*n_r = 0;
	if (queue_names_list(&names, mender->dirs.dead, ".seg") < 0)
		return fault_errno(fault, FAULT_QUEUE, "list dead/");
	for (size_t i = 0; i < names.n && ret == 0; i++)
		if (queue_dead_is_day(names.name[i], ".seg"))
			ret = day(mender, names.name[i], end, &wish, n_r,
			    fault);
	queue_names_deinit(&names);
	return ret;
}

/* --- what waits --- */

int
queue_mender_drop(struct queue_mender *mender, const struct uuid *id,
    int timeout_ms, struct fault *fault)
{
	return queue_wish(&mender->dirs, mender->dir, QUEUE_WISH_DROP, id,
	    timeout_ms, fault);
}

int
queue_mender_hurry(struct queue_mender *mender, const struct uuid *id,
    int timeout_ms, struct fault *fault)
{
	return queue_wish(&mender->dirs, mender->dir, QUEUE_WISH_HURRY, id,
	    timeout_ms, fault);
}
