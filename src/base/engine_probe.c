/* SPDX-License-Identifier: MIT */
/* The file is one line, "connected 1781524800000000 60\n": the state, when, and
   for how many seconds that counts. It is replaced whole. A missing one says
   that nobody has asked yet; one that is old, that nobody asks any more. */
#include "config.h"

#include "wuts/engine_probe.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/strbuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FILE_NAME "engine"
#define LINE_MAX_LEN 64

int
engine_probe_say(const char *run_dir, bool is_connected, int64_t wall_us,
    unsigned counts_s, struct fault *fault)
{
	struct strbuf path = STRBUF_INIT;
	char line[LINE_MAX_LEN];
	int len, ret;

	len = snprintf(line, sizeof(line), "%s %" PRId64 " %u\n",
	    is_connected ? "connected" : "disconnected", wall_us, counts_s);
	strbuf_printf(&path, "%s/" FILE_NAME, run_dir);
	ret = file_replace(path.data, line, (size_t)len, 0644, fault);
	strbuf_deinit(&path);
	return ret;
}

static enum engine_state
parse(const char *line, int64_t wall_us)
{
	char word[16];
	int64_t said_us;
	unsigned counts_s = ENGINE_PROBE_COUNTS_S;

	/* Earlier releases did not say how long. */
	if (sscanf(line, "%15s %" SCNd64 " %5u", word, &said_us,
	    &counts_s) < 2 || strcmp(word, "connected") != 0 ||
	    wall_us - said_us > counts_s * INT64_C(1000000))
		return ENGINE_DISCONNECTED;
	return ENGINE_CONNECTED;
}

enum engine_state
engine_probe_read(const char *run_dir, int64_t wall_us)
{
	struct strbuf path = STRBUF_INIT, line = STRBUF_INIT;
	enum engine_state state = ENGINE_ASKED;
	struct fault fault;

	fault_clear(&fault);
	strbuf_printf(&path, "%s/" FILE_NAME, run_dir);
	if (file_read(path.data, LINE_MAX_LEN, &line, &fault) == 0)
		state = parse(line.data != NULL ? line.data : "", wall_us);
	strbuf_deinit(&line);
	strbuf_deinit(&path);
	return state;
}
