/* SPDX-License-Identifier: MIT */
/* wutsctl top: the queue as it moves, a second a picture; one picture when
   nobody watches. From the running counts, which cost nothing to read; what
   must be read from the files is looked at as rarely as it takes long. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/clock.h"
#include "wuts/queue.h"
#include "wuts/settings.h"
#include "wuts/uuid.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define PERIOD_US CLOCK_SECOND_US
#define LOOK_SHARE 20		/* of the time, at most one part for looks */
#define TENANTS 10

struct top {
	const char *dir;
	struct queue_counts now, before;
	int64_t now_us, before_us;
	struct queue_status status;
	int64_t look_us;	/* when to look at the files again */
	struct strbuf out;
};

static const struct {
	enum queue_total total;
	const char *name;
} rows[] = {
	{ QUEUE_TOTAL_ACCEPTED, "accepted" },
	{ QUEUE_TOTAL_DELIVERED, "delivered" },
	{ QUEUE_TOTAL_RETRIED, "retried" },
	{ QUEUE_TOTAL_DEAD, "dead" },
	{ QUEUE_TOTAL_DROPPED, "dropped" },
};

static volatile sig_atomic_t stopped;

static void
on_signal(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

static int
take(struct top *top, struct fault *fault)
{
	int64_t begun_us = clock_mono_us();

	top->before = top->now;
	top->before_us = top->now_us;
	top->now_us = begun_us;
	if (queue_counts_read(top->dir, &top->now, fault) < 0)
		return -1;
	if (begun_us < top->look_us)
		return 0;
	if (queue_status_read(top->dir, &top->status, fault) < 0)
		return -1;
	top->look_us = clock_mono_us() +
	    (clock_mono_us() - begun_us) * LOOK_SHARE;
	return 0;
}

/* A second, of what was counted since the last picture. */
static double
rate(const struct top *top, enum queue_total total)
{
	uint64_t now = top->now.totals[total];
	uint64_t before = top->before.totals[total];

	if (top->before_us == 0 || now < before)
		return 0;
	return (double)(now - before) * CLOCK_SECOND_US /
	    (double)(top->now_us - top->before_us);
}

static void
draw_head(struct top *top)
{
	const struct queue_status *status = &top->status;
	char time[CLOCK_RFC3339_SIZE];

	strbuf_printf(&top->out, "%s  %s  wuts-spool %s\n\n",
	    clock_format(clock_wall_us(), time), top->dir,
	    status->reader_runs ? "is running" : "is NOT running");
	strbuf_printf(&top->out, "waiting   %12" PRIu64 "  %" PRIu64
	    " KiB of events, %" PRIu64 " KiB of files\n", top->now.records,
	    top->now.bytes >> 10, status->bytes >> 10);
	strbuf_printf(&top->out, "retrying  %12" PRIu64 "\n"
	    "prepared  %12" PRIu64 "\nletters   %12" PRIu64 "\n",
	    status->retrying, status->prepared, status->dead);
	if (status->corrupt > 0)
		strbuf_printf(&top->out, "corrupt   %12" PRIu64
		    "  files: see wutsctl queue verify\n", status->corrupt);
	if (status->oldest_created_us != 0)
		strbuf_printf(&top->out, "oldest    %12" PRId64
		    "  seconds\n", (clock_wall_us() -
		    status->oldest_created_us) / CLOCK_SECOND_US);
}

static void
draw(struct top *top)
{
	char id[UUID_TEXT_LEN + 1];

	strbuf_reset(&top->out);
	draw_head(top);
	strbuf_printf(&top->out, "\n%-10s%12s%12s\n", "", "a second",
	    "in all");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		strbuf_printf(&top->out, "%-10s%12.0f%12" PRIu64 "\n",
		    rows[i].name, rate(top, rows[i].total),
		    top->now.totals[rows[i].total]);
	if (top->now.ntenants > 0)
		strbuf_printf(&top->out, "\n%-36s%12s%12s\n", "tenant",
		    "waiting", "KiB");
	for (size_t i = 0; i < top->now.ntenants && i < TENANTS; i++)
		strbuf_printf(&top->out, "%s%12" PRIu64 "%12" PRIu64 "%s\n",
		    uuid_format(&top->now.tenants[i].tenant_id, id),
		    top->now.tenants[i].records,
		    top->now.tenants[i].bytes >> 10,
		    top->now.tenants[i].callbacks ? "  On-Premises" : "");
}

/* True: the person wants to end. */
static bool
wait_for_key(int64_t until_us)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t left_us;
	char key;

	while (!stopped && (left_us = until_us - clock_mono_us()) > 0) {
		if (poll(&in, 1, (int)(left_us / 1000) + 1) <= 0)
			continue;
		if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' ||
		    key == 'Q' || key == 4)
			return true;
	}
	return stopped != 0;
}

/* Each line is cleared to its end, then all below, so nothing flickers. */
static void
paint(const struct top *top)
{
	const char *line = top->out.data, *end;

	fputs("\033[H", stdout);
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
		printf("%.*s\033[K\n", (int)(end - line), line);
	fputs("\033[K\nq ends\033[K\033[J", stdout);
	fflush(stdout);
}

static int
watch(struct top *top, struct fault *fault)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct termios as_was, raw;
	int ret = 0;

	if (tcgetattr(STDIN_FILENO, &as_was) < 0)
		return fault_errno(fault, FAULT_IO, "terminal");
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	raw = as_was;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs("\033[?1049h\033[?25l", stdout);
	do {
		ret = take(top, fault);
		if (ret == 0) {
			draw(top);
			paint(top);
		}
	} while (ret == 0 && !wait_for_key(top->now_us + PERIOD_US));
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &as_was);
	return ret;
}

int
ctl_top(const struct ctl *ctl)
{
	struct top top = { .out = STRBUF_INIT };
	struct settings *settings;
	struct fault fault;
	int ret;

	fault_clear(&fault);
	if (settings_load_paths(&settings, ctl->config, &fault) < 0)
		return ctl_failed(&fault);
	top.dir = settings->queue_dir;
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
		ret = watch(&top, &fault);
	} else if ((ret = take(&top, &fault)) == 0) {
		draw(&top);
		fputs(top.out.data, stdout);
	}
	strbuf_deinit(&top.out);
	settings_free(&settings);
	return ret < 0 ? ctl_failed(&fault) : CTL_OK;
}
