/* SPDX-License-Identifier: MIT */
/* wutsctl queue status. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/queue.h"
#include "wuts/settings.h"
#include "wuts/strbuf.h"

#include <inttypes.h>
#include <stdio.h>

static void
print_number(const char *name, uint64_t number, const char *meaning)
{
	printf("%-10s%12" PRIu64 "  %s\n", name, number, meaning);
}

static void
print_text(const struct queue_status *status)
{
	char oldest[CLOCK_RFC3339_SIZE];

	print_number("waiting", status->waiting, "events to be delivered");
	print_number("retrying", status->retrying,
	    "of these, tried at least once");
	print_number("prepared", status->prepared,
	    "events whose transaction is under way");
	print_number("dead", status->dead, "events given up");
	print_number("corrupt", status->corrupt, "files set aside as damaged");
	print_number("segments", status->segments_open +
	    status->segments_ready, "queue files");
	print_number("bytes", status->bytes, "in them");
	if (status->oldest_created_us != 0)
		printf("oldest    %s, %" PRId64 " s ago\n",
		    clock_format(status->oldest_created_us, oldest),
		    (clock_wall_us() - status->oldest_created_us) /
		    CLOCK_SECOND_US);
	printf("wuts-spool %s\n", status->reader_runs ?
	    "is running" : "is not running: start it, nothing is delivered");
}

static void
write_number(struct json_writer *w, const char *key, uint64_t number)
{
	json_write_key(w, key);
	json_write_int(w, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

static void
print_json(const struct queue_status *status)
{
	struct strbuf out = STRBUF_INIT;
	char oldest[CLOCK_RFC3339_SIZE];
	struct json_writer w;

	json_writer_init(&w, &out);
	json_write_object_begin(&w);
	write_number(&w, "waiting", status->waiting);
	write_number(&w, "retrying", status->retrying);
	write_number(&w, "prepared", status->prepared);
	write_number(&w, "dead", status->dead);
	write_number(&w, "corrupt", status->corrupt);
	write_number(&w, "segments_open", status->segments_open);
	write_number(&w, "segments_ready", status->segments_ready);
	write_number(&w, "bytes", status->bytes);
	json_write_key(&w, "oldest");
	if (status->oldest_created_us != 0)
		json_write_string(&w,
		    clock_format(status->oldest_created_us, oldest));
	else
		json_write_null(&w);
	json_write_key(&w, "spooler_running");
	json_write_bool(&w, status->reader_runs);
	json_write_object_end(&w);
	puts(out.data);
	strbuf_deinit(&out);
}

int
ctl_queue_status(const struct ctl *ctl)
{
	struct queue_status status;
	struct settings *settings;
	struct fault fault;
	int ret;

	fault_clear(&fault);
	/* Without the secrets: looking at a directory needs none. */
	if (settings_load_paths(&settings, ctl->config, &fault) < 0)
		return ctl_failed(&fault);
	ret = queue_status_read(settings->queue_dir, &status, &fault);
	settings_free(&settings);
	if (ret < 0)
		return ctl_failed(&fault);
	if (ctl->json)
		print_json(&status);
	else
		print_text(&status);
	return CTL_OK;
}
