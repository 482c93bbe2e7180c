/* SPDX-License-Identifier: MIT */
/* The reading side, of which there is one: knows the segments, reads on when
   the directories change and hands out what it finds. What becomes of it is
   finish.c's. */
#include "config.h"

#include "reader_private.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/presence.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NEW_PREFIX ".new-"
#define NEW_AGE_S 60	/* what is younger may be in the making */

/* --- what is there --- */

/* open/ before ready/: a segment only moves that way, so a name is in one of
   the two lists at least. */
static int
find_segments(struct queue_reader *reader, bool sealed_too,
    struct fault *fault)
{
	struct queue_names names = { NULL, 0, 0 };

	if (queue_names_list(&names, reader->dirs.open, ".seg") < 0 ||
	    (sealed_too &&
	    queue_names_list(&names, reader->dirs.ready, ".seg") < 0)) {
		queue_names_deinit(&names);
		return fault_errno(fault, FAULT_QUEUE, "list segments");
	}
	if (sealed_too) {
		reader->superseded.n = 0;
		queue_names_take_superseded(&names, &reader->superseded);
	}
	for (size_t i = 0; i < names.n; i++)
		queue_segment_found(reader, names.name[i]);
	queue_names_deinit(&names);
	return 0;
}

/* A log whose segment is gone: the crash came between the two unlinks. */
static void
remove_orphan_logs(struct queue_reader *reader)
{
	struct queue_names names = { NULL, 0, 0 };
	struct stat st;

	if (queue_names_list(&names, reader->dirs.done, ".log") < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		char segment[QUEUE_NAME_MAX];

		queue_name_with(segment, names.name[i], ".seg");
		if (fstatat(reader->dirs.open, segment, &st, 0) < 0 &&
		    fstatat(reader->dirs.ready, segment, &st, 0) < 0)
			(void)queue_io.unlinkat(reader->dirs.done,
			    names.name[i], 0);
	}
	queue_names_deinit(&names);
}

/* What a crash left half made, in open/ by a writer, elsewhere by us. */
static void
remove_half_made(int dir_fd)
{
	const struct dirent *entry;
	struct stat st;
	DIR *dir;
	int fd;

	fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, NEW_PREFIX,
		    sizeof(NEW_PREFIX) - 1) == 0 &&
		    fstatat(dir_fd, entry->d_name, &st, 0) == 0 &&
		    st.st_mtime < time(NULL) - NEW_AGE_S)
			(void)queue_io.unlinkat(dir_fd, entry->d_name, 0);
	closedir(dir);
}

/* --- opening --- */

static int
take_lock(struct queue_reader *reader, const char *dir, struct fault *fault)
{
	reader->lock_fd = openat(reader->dirs.root, "reader.lock",
	    O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (reader->lock_fd < 0)
		return fault_errno(fault, FAULT_QUEUE, "open %s/reader.lock",
		    dir);
	if (queue_lock(reader->lock_fd) == 0) {
		presence_say(reader->lock_fd, NULL);
		return 0;
	}
	if (errno == EAGAIN || errno == EACCES)
		return fault_set(fault, FAULT_QUEUE,
		    "another spooler reads the queue %s", dir);
	return fault_errno(fault, FAULT_QUEUE, "lock %s/reader.lock", dir);
}

void
queue_reader_say(struct queue_reader *reader, const struct crypto_keys *keys)
{
	presence_say(reader->lock_fd, keys);
}

static int
watch(struct queue_reader *reader, const char *dir, struct fault *fault)
{
	struct strbuf path = STRBUF_INIT;

	reader->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (reader->inotify_fd >= 0) {
		strbuf_printf(&path, "%s/open", dir);
		reader->open_watch = inotify_add_watch(reader->inotify_fd,
		    path.data, IN_MODIFY | IN_MOVED_TO);
		strbuf_reset(&path);
		strbuf_printf(&path, "%s/ready", dir);
		reader->ready_watch = inotify_add_watch(reader->inotify_fd,
		    path.data, IN_MOVED_TO);
		strbuf_deinit(&path);
	}
	if (reader->inotify_fd < 0 || reader->open_watch < 0 ||
	    reader->ready_watch < 0)
		return fault_errno(fault, FAULT_QUEUE,
		    "watch the queue %s (fs.inotify limits?)", dir);
	return 0;
}

/* What is there now is ours to count, what comes its writer's. A record that is
   appended in this moment may be counted by both or none. */
static void
begin_tally(struct queue_reader *reader)
{
	for (size_t i = 0; i < reader->nsegments; i++) {
		struct queue_segment *seg = reader->segments[i];
		int fd;

		seg->tally_end = seg->size;
		if (seg->sealed)
			continue;
		fd = queue_segment_fd(reader, seg);
		if (fd < 0 || queue_written_end(fd, seg->size,
		    &seg->tally_end) < 0)
			seg->tally_end = seg->size;
	}
	queue_tally_clear(reader->tally);
}

static void
reader_free(struct queue_reader *reader)
{
	while (reader->nsegments > 0)
		queue_segment_remove(reader,
		    reader->segments[reader->nsegments - 1]);
	free(reader->segments);
	free(reader->dying);
	queue_names_deinit(&reader->superseded);
	queue_loaded_deinit(&reader->loaded);
	queue_loaded_deinit(&reader->dropped);
	queue_tally_close(&reader->tally);
	queue_accounts_close(&reader->accounts);
	queue_view_deinit(&reader->scan_view);
	for (size_t i = 0; i < QUEUE_LOAD_VIEWS; i++)
		queue_view_deinit(&reader->load_views[i]);
	queue_view_deinit(&reader->mark_view);
	if (reader->inotify_fd >= 0)
		close(reader->inotify_fd);
	if (reader->lock_fd >= 0)
		close(reader->lock_fd);
	queue_dirs_close(&reader->dirs);
	free(reader);
}

int
queue_reader_open(struct queue_reader **reader_r, const char *dir,
    const struct queue_events *events, struct fault *fault)
{
	struct queue_reader *reader = mem_calloc(1, sizeof(*reader));

	*reader_r = NULL;
	reader->events = *events;
	reader->lock_fd = reader->inotify_fd = -1;
	queue_view_init(&reader->scan_view);
	for (size_t i = 0; i < QUEUE_LOAD_VIEWS; i++)
		queue_view_init(&reader->load_views[i]);
	queue_view_init(&reader->mark_view);
	/* The watch comes before the first look: what appears in between is
	   seen twice, not missed. */
	if (queue_dirs_open(&reader->dirs, dir, true, fault) < 0 ||
	    take_lock(reader, dir, fault) < 0 ||
	    queue_tally_open(&reader->tally, reader->dirs.root, fault) < 0 ||
	    queue_accounts_open(&reader->accounts, reader->dirs.root,
	    fault) < 0 ||
	    watch(reader, dir, fault) < 0 ||
	    find_segments(reader, true, fault) < 0) {
		reader_free(reader);
		return -1;
	}
	queue_accounts_recover(reader->accounts, &reader->dirs);
	begin_tally(reader);
	remove_orphan_logs(reader);
	remove_half_made(reader->dirs.open);
	remove_half_made(reader->dirs.ready);
	remove_half_made(reader->dirs.corrupt);
	remove_half_made(reader->dirs.requests);
	if (queue_superseded_remove(reader, fault) < 0)
		log_warn("queue %s; tried again every second", fault->text);
	*reader_r = reader;
	return 0;
}

int
queue_reader_fd(const struct queue_reader *reader)
{
	return reader->inotify_fd;
}

/* --- reading --- */

/* The doorbell. That something was written somewhere in open/ is all we take
   from it: looking at each open segment is cheaper than finding the one. */
static void
hear(struct queue_reader *reader)
{
	_Alignas(struct inotify_event) char buf[16 << 10];
	bool written = false;
	ssize_t n;

	while ((n = read(reader->inotify_fd, buf, sizeof(buf))) > 0) {
		const char *p = buf;

		while (p < buf + n) {
			const struct inotify_event *event =
			    (const void *)p;

			if ((event->mask & IN_Q_OVERFLOW) != 0)
				reader->lost_track = written = true;
			else if ((event->mask & IN_MOVED_TO) != 0)
				queue_segment_found(reader, event->name);
			else
				written = true;
			p += sizeof(*event) + event->len;
		}
	}
	for (size_t i = reader->nsegments; written && i > 0; i--)
		if (!reader->segments[i - 1]->sealed)
			reader->segments[i - 1]->dirty = true;
}

/* A scan has come to its end. */
static void
note_all_read(struct queue_reader *reader, uint64_t counted)
{
	for (size_t i = 0; i < reader->nsegments; i++)
		if (reader->segments[i]->dirty || reader->segments[i]->failed)
			return;
	reader->is_read = true;
	reader->counted = counted;
	queue_publish(reader);
}

/* One segment that cannot be read must not hold up the others. */
static void
put_off(struct queue_segment *seg, const struct fault *fault)
{
	if (!seg->failed)
		log_error("queue %s; tried again every second", fault->text);
	seg->failed = true;
	seg->dirty = false;
}

int
queue_reader_scan(struct queue_reader *reader, size_t max_records,
    struct fault *fault)
{
	struct fault local = { .code = FAULT_NONE };
	size_t budget = max_records > 0 ? max_records : 1;
	uint64_t counted = queue_tally_total(reader->tally,
	    QUEUE_TOTAL_ACCEPTED);

	hear(reader);
	if (reader->lost_track) {
		if (find_segments(reader, true, fault) < 0)
			return -1;
		reader->lost_track = false;
	}
	for (size_t i = 0; i < reader->nsegments && budget > 0; ) {
		struct queue_segment *seg = reader->segments[i];

		if (!seg->dirty) {
			i++;
			continue;
		}
		if (queue_scan_segment(reader, seg, &budget, &local) < 0)
			put_off(seg, &local);
		/* It may be gone by now. */
		if (i < reader->nsegments && reader->segments[i] == seg)
			i++;
	}
	if (budget == 0)
		return 1;
	note_all_read(reader, counted);
	return 0;
}

int
queue_reader_adopt(struct queue_reader *reader, struct fault *fault)
{
	struct fault local = { .code = FAULT_NONE };

	hear(reader);
	if (find_segments(reader, false, fault) < 0)
		return -1;
	for (size_t i = 0; i < reader->nsegments; ) {
		struct queue_segment *seg = reader->segments[i];
		int fd;

		if (seg->failed && !seg->scanned)
			seg->dirty = true;
		if (seg->sealed) {
			i++;
			continue;
		}
		fd = queue_segment_fd(reader, seg);
		if (fd >= 0 && queue_is_locked(fd)) {
			i++;
			continue;
		}
		if (queue_adopt_segment(reader, seg, &local) < 0)
			put_off(seg, &local);
		if (i < reader->nsegments && reader->segments[i] == seg)
			i++;
	}
	if (queue_superseded_remove(reader, fault) < 0 ||
	    queue_requests_take(reader, fault) < 0)
		return -1;
	return queue_finished_remove(reader, fault);
}

void
queue_resolve(struct queue_reader *reader, struct queue_pos pos,
    bool committed)
{
	struct queue_segment *seg = queue_segment_get(reader, pos.segment);
	struct queue_pending pending;

	if (seg == NULL || !queue_pendings_take_offset(&seg->pendings,
	    pos.offset, &pending))
		return;
	queue_outcome_format(&seg->lines, committed ? QUEUE_NOTE_COMMITTED :
	    QUEUE_NOTE_DISCARDED, pos.offset, 0, 0);
	if (!committed)
		return;
	queue_scan_committed(reader, seg, &pending, true);
}

/* Set aside, and nobody's any more. */
static void
forget_damaged(struct queue_reader *reader, struct queue_segment *seg)
{
	if (seg->live == 0)
		return;
	seg->live--;
	queue_accounts_damage(reader->accounts, seg);
}

int
queue_reader_load(struct queue_reader *reader, struct queue_pos pos,
    struct strbuf *buf, struct queue_record *record_r, struct fault *fault)
{
	struct queue_segment *seg = queue_segment_get(reader, pos.segment);
	struct queue_view *view;
	struct queue_line line;
	struct uuid account;
	size_t event_size, request_size;
	struct queue_loaded_item dropped;
	uint32_t place;
	bool bad;

	if (queue_loaded_take(&reader->dropped, pos, &dropped))
		return 1;
	if (seg == NULL)
		return fault_set(fault, FAULT_QUEUE,
		    "load: no segment number %" PRIu32, pos.segment);
	if (!queue_segment_place(seg, pos.offset, &place)) {
		forget_damaged(reader, seg);
		return fault_set(fault, FAULT_QUEUE,
		    "segment %s: the record at %" PRIu32 " was damaged",
		    seg->name, pos.offset);
	}
	view = queue_load_view(reader, seg, place);
	if (queue_segment_line(reader, seg, place, view, &line, &bad,
	    fault) < 0) {
		if (bad) {
			queue_segment_set_aside(reader, seg, place,
			    queue_view_resync(view,
			    (uint64_t)place + 1, seg->size));
			forget_damaged(reader, seg);
		}
		return -1;
	}
	queue_line_bind(&line);
	account = queue_tally_account(&line.record);
	queue_loaded_note(&reader->loaded, pos, &account,
	    (uint32_t)queue_tally_bytes(&line.record));
	event_size = strlen(line.event) + 1;
	request_size = strlen(line.request) + 1;
	strbuf_reset(buf);
	strbuf_append(buf, line.event, event_size);
	strbuf_append(buf, line.request, request_size);
	strbuf_append(buf, line.record.body, line.record.body_len);
	*record_r = line.record;
	record_r->event = buf->data;
	record_r->request = buf->data + event_size;
	record_r->body = buf->data + event_size + request_size;
	return 0;
}

int64_t
queue_reader_prepared_horizon(const struct queue_reader *reader)
{
	int64_t horizon_us = INT64_MAX;

	for (size_t i = 0; i < reader->nsegments; i++) {
		const struct queue_segment *seg = reader->segments[i];

		for (size_t j = 0; j < seg->pendings.n; j++)
			if (seg->pendings.item[j].created_us < horizon_us)
				horizon_us = seg->pendings.item[j].created_us;
		/* Not read to its end: its writer's start, which begins the
		   name, is older than anything in it. */
		if (!seg->scanned && (seg->sealed || seg->scan_off == 0)) {
			int64_t start_us = strtoll(seg->name, NULL, 16);

			if (start_us < horizon_us)
				horizon_us = start_us;
		}
	}
	return horizon_us;
}

void
queue_reader_close(struct queue_reader **readerp)
{
	struct queue_reader *reader = *readerp;
	struct fault fault = { .code = FAULT_NONE };

	*readerp = NULL;
	if (reader == NULL)
		return;
	if (queue_reader_sync(reader, &fault) < 0)
		log_error("queue %s", fault.text);
	reader_free(reader);
}
