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
print_count(const char *name, uint64_t number, const char *meaning)
{
	printf("%-10s%12" PRIu64 "  %s\n", name, number, meaning);
}

static void
print_status(const struct queue_status *status)
{
	char oldest[CLOCK_RFC3339_SIZE];

	print_count("waiting", status->waiting, "events to be delivered");
	print_count("retrying", status->retrying,
	    "of these, tried at least once");
	print_count("prepared", status->prepared,
	    "events whose transaction is under way");
	print_count("dead", status->dead, "events given up");
	print_count("corrupt", status->corrupt, "files set aside as damaged");
	print_count("segments", status->segments_open +
	    status->segments_ready, "queue files");
	print_count("bytes", status->bytes, "in them");
	if (status->oldest_created_us != 0)
		printf("oldest    %s, %" PRId64 " s ago\n",
		    clock_format(status->oldest_created_us, oldest),
		    (clock_wall_us() - status->oldest_created_us) /
		    CLOCK_SECOND_US);
	printf("wuts-spool %s\n", status->reader_runs ?
	    "is running" : "is not running: start it, nothing is delivered");
}

static void
print_json(const struct queue_status *status)
{
	struct strbuf out = STRBUF_INIT;
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
	json_member_time_or_null(&w, "oldest", status->oldest_created_us);
	json_member_bool(&w, "spooler_running", status->reader_runs);
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
		print_status(&status);
	return CTL_OK;
}
