/* SPDX-License-Identifier: MIT */
/* A producer that tells how the world saw each record:
       queue_story DIR COUNT TENANT DEVICE…
   appends COUNT times, round robin over the devices: single records, batches of
   three, prepared and committed ones, in segments so small that all of their
   life happens. Lines on standard output, each in one write: "tried ID",
   "yes ID" (acknowledged), "no ID" (refused); "batch ID ID ID". */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/queue.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 3

static void
tell(const char *word, const struct queue_record *records, size_t n)
{
	char text[256], id[UUID_TEXT_LEN + 1];
	size_t len;

	for (size_t i = 0; i < n; i++) {
		len = (size_t)snprintf(text, sizeof(text), "%s %s\n", word,
		    uuid_format(&records[i].id, id));
		if (write(STDOUT_FILENO, text, len) != (ssize_t)len)
			err(1, "standard output");
	}
}

static void
tell_batch(const struct queue_record *records)
{
	char text[256], ids[BATCH][UUID_TEXT_LEN + 1];
	int len;

	len = snprintf(text, sizeof(text), "batch %s %s %s\n",
	    uuid_format(&records[0].id, ids[0]),
	    uuid_format(&records[1].id, ids[1]),
	    uuid_format(&records[2].id, ids[2]));
	if (write(STDOUT_FILENO, text, (size_t)len) != len)
		err(1, "standard output");
}

static void
make(struct queue_record *record, const struct uuid *tenant,
    const char *device, char body[128])
{
	char id[UUID_TEXT_LEN + 1];

	memset(record, 0, sizeof(*record));
	uuid_new_ordered(&record->id);
	record->tenant_id = *tenant;
	if (!uuid_parse(device, strlen(device), &record->device_id))
		errx(2, "%s is no UUID", device);
	record->event = "message.received";
	record->created_us = clock_wall_us();
	snprintf(body, 128, "{\"id\":\"%s\",\"data\":\"bytes of %s\"}",
	    uuid_format(&record->id, id), id);
	record->body = body;
	record->body_len = strlen(body);
}

static void
append(struct queue_writer *writer, const struct queue_record *records,
    size_t n)
{
	struct fault fault = { .code = FAULT_NONE };

	if (n == BATCH)
		tell_batch(records);
	tell("tried", records, n);
	tell(queue_append(writer, records, n, &fault) == 0 ? "yes" : "no",
	    records, n);
}

/* As with a transaction that commits; until it says so nobody knows. */
static void
prepare(struct queue_writer *writer, const struct queue_record *record)
{
	struct fault fault = { .code = FAULT_NONE };

	tell("tried", record, 1);
	if (queue_prepare(writer, record, &fault) < 0) {
		tell("no", record, 1);
		return;
	}
	queue_commit(writer, &record->id);
}

int
main(int argc, char **argv)
{
	struct queue_limits limits = { .segment_bytes = 3000 };
	struct fault fault = { .code = FAULT_NONE };
	struct queue_record records[BATCH];
	struct queue_writer *writer;
	char bodies[BATCH][128];
	struct uuid tenant;

	if (argc < 5 ||
	    !uuid_parse(argv[3], strlen(argv[3]), &tenant))
		errx(2, "usage: queue_story DIR COUNT TENANT DEVICE…");
	if (queue_writer_open(&writer, argv[1], &limits, &fault) < 0)
		errx(3, "%s", fault.text);
	for (long i = 0; i < atol(argv[2]); i++) {
		const char *device = argv[4 + i % (argc - 4)];

		for (size_t j = 0; j < BATCH; j++)
			make(&records[j], &tenant, device, bodies[j]);
		if (i % 4 == 3)
			prepare(writer, &records[0]);
		else
			append(writer, records, i % 4 == 1 ? BATCH : 1);
	}
	queue_writer_close(&writer);
	return 0;
}
