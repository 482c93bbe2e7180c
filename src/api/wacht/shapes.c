/* SPDX-License-Identifier: MIT */
/* Scalars and lists of the Wacht dialect (spec/wacht.md §1.5, §1.6, §1.8). */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/uuid.h"

#include "wacht_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int
wacht_answer_nothing(struct exchange *x)
{
	struct json_writer *w = response_json(x);

	response_status(x, 200);
	json_write_object_begin(w);
	json_write_object_end(w);
	return 0;
}

struct json_writer *
wacht_list_begin(struct exchange *x)
{
	struct json_writer *w = response_json(x);

	response_status(x, 200);
	json_write_object_begin(w);
	json_write_key(w, "data");
	json_write_array_begin(w);
	return w;
}

int
wacht_list_end(struct exchange *x, uint64_t total, uint64_t limit,
    uint64_t offset, bool has_more)
{
	struct json_writer *w = response_json(x);

	json_write_array_end(w);
	json_member_int(w, "total", (int64_t)total);
	json_member_int(w, "limit", (int64_t)limit);
	json_member_int(w, "offset", (int64_t)offset);
	json_member_bool(w, "has_more", has_more);
	json_write_object_end(w);
	return 0;
}

int
wacht_list_end_whole(struct exchange *x, size_t n)
{
	return wacht_list_end(x, n, n, 0, false);
}
