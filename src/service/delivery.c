/* SPDX-License-Identifier: MIT */
/* Reading the delivery log. Who may see which webhook's is decided before: a
   scope names a device that the caller reaches, or its own tenant. */
#include "config.h"

#include "wuts/delivery_service.h"

#include "service_private.h"
#include "wuts/delivery_store.h"
#include "wuts/fault.h"

#include <string.h>

#define CURSOR_KIND 'd'
#define CURSOR_LEN (8 + sizeof(struct uuid))

struct delivery_page {
	delivery_listed *row;
	void *ctx;
	unsigned limit;
	unsigned seen;
	bool has_more;
	struct uuid last_id;
	int64_t last_us;
};

static int
page_row(void *ctx, const struct delivery_entry *entry, struct fault *fault)
{
	struct delivery_page *page = ctx;

	if (page->limit > 0 && page->seen == page->limit) {
		page->has_more = true;
		return 0;
	}
	page->seen++;
	page->last_id = entry->id;
	page->last_us = entry->created_us;
	return page->row(page->ctx, entry, fault);
}

/* The time and the id of the last row. */
static const char *
format_cursor(struct arena *arena, const struct delivery_page *page)
{
	uint8_t data[CURSOR_LEN];
	uint64_t time = (uint64_t)page->last_us;
	size_t i;

	for (i = 0; i < 8; i++)
		data[i] = (uint8_t)(time >> (56 - 8 * i));
	memcpy(data + 8, page->last_id.b, sizeof(page->last_id.b));
	return cursor_format(arena, CURSOR_KIND, data, sizeof(data));
}

static int
parse_cursor(const char *cursor, struct delivery_entry *after,
    struct fault *fault)
{
	uint8_t data[CURSOR_LEN];
	uint64_t time = 0;
	size_t len = 0, i;

	if (cursor_parse(cursor, CURSOR_KIND, data, sizeof(data), &len,
	    fault) < 0)
		return -1;
	for (i = 0; i < 8 && i < len; i++)
		time = time << 8 | data[i];
	/* Nothing that a column of the database cannot hold. */
	if (len != sizeof(data) || time > INT64_C(253402300799999999))
		return cursor_refuse(cursor, fault);
	after->created_us = (int64_t)time;
	memcpy(after->id.b, data + 8, sizeof(after->id.b));
	return 0;
}

int
delivery_service_list(struct service *service, struct arena *arena,
    const struct delivery_query *query, delivery_listed *row, void *ctx,
    const char **next_cursor_r, struct fault *fault)
{
	struct delivery_filter filter = {
		.tenant_id = query->scope.tenant_id,
		.device_id = query->scope.device_id,
		.state = query->state,
		.event = query->event,
		.since_us = query->since_us,
		/* One row more than asked for tells of another page. */
		.limit = query->limit > 0 ? query->limit + 1 : 0
	};
	struct delivery_page page = {
		.row = row,
		.ctx = ctx,
		.limit = query->limit
	};
	struct delivery_entry after;

	*next_cursor_r = NULL;
	if (query->cursor != NULL) {
		if (parse_cursor(query->cursor, &after, fault) < 0)
			return -1;
		filter.after = &after;
	}
	if (delivery_store_list(service->db, &filter, page_row, &page,
	    fault) < 0)
		return fault_prefix(fault, "list deliveries");
	if (page.has_more)
		*next_cursor_r = format_cursor(arena, &page);
	return 0;
}
