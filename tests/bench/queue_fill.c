/* SPDX-License-Identifier: MIT */
/* Fill a queue with a backlog for the spooler to drain:
       queue_fill DIR COUNT TENANT DEVICE…
   COUNT message.received events of 600 bytes, round robin over the devices. */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/queue.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_LEN 600

static struct queue_record records[QUEUE_BATCH_MAX];
static char event_body[EVENT_LEN + 1];

int
main(int argc, char **argv)
{
	struct queue_limits limits = { .segment_bytes = 16 << 20 };
	struct queue_writer *writer;
	struct fault fault = { .code = FAULT_NONE };
	struct uuid tenant, device;
	long count, made = 0;

	if (argc < 5)
		errx(2, "usage: queue_fill DIR COUNT TENANT DEVICE…");
	count = atol(argv[2]);
	if (!uuid_parse(argv[3], strlen(argv[3]), &tenant))
		errx(2, "%s is no UUID", argv[3]);
	memset(event_body, 'e', EVENT_LEN);
	if (queue_writer_open(&writer, argv[1], &limits, &fault) < 0)
		errx(1, "%s", fault.text);
	while (made < count) {
		size_t n = 0;

		for (; n < QUEUE_BATCH_MAX && made < count; n++, made++) {
			const char *text = argv[4 + made % (argc - 4)];

			if (!uuid_parse(text, strlen(text), &device))
				errx(2, "%s is no UUID", text);
			uuid_new_ordered(&records[n].id);
			records[n].tenant_id = tenant;
			records[n].device_id = device;
			records[n].event = "message.received";
			records[n].created_us = clock_wall_us();
			records[n].body = event_body;
			records[n].body_len = EVENT_LEN;
		}
		if (queue_append(writer, records, n, &fault) < 0)
			errx(1, "%s", fault.text);
	}
	queue_writer_close(&writer);
	return 0;
}
