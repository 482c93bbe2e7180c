/* SPDX-License-Identifier: MIT */
/* Cursors of lists: one letter for the list, then hex. Opaque to clients, and
   read as strictly as anything that comes from outside. */
#include "config.h"

#include "service_private.h"

#include "wuts/arena.h"
#include "wuts/fault.h"

#include <string.h>

const char *
cursor_format(struct arena *arena, char kind, const void *data, size_t len)
{
	char *text = arena_alloc(arena, 1 + 2 * len + 1);

	text[0] = kind;
	crypto_hex(data, len, text + 1);
	return text;
}

int
cursor_refuse(const char *cursor, struct fault *fault)
{
	fault_add_field(fault, "cursor",
	    "is not a next_cursor of this list", cursor);
	return service_refuse_fields(fault);
}

int
cursor_parse(const char *cursor, char kind, void *data_r, size_t max_len,
    size_t *len_r, struct fault *fault)
{
	size_t hex_len;

	if (cursor[0] != kind)
		return cursor_refuse(cursor, fault);
	hex_len = strlen(cursor + 1);
	if (hex_len == 0 || hex_len % 2 != 0 || hex_len / 2 > max_len ||
	    !crypto_unhex(cursor + 1, hex_len, data_r))
		return cursor_refuse(cursor, fault);
	*len_r = hex_len / 2;
	return 0;
}

int
cursor_parse_id(const char *cursor, char kind, struct uuid *id_r,
    struct fault *fault)
{
	size_t len = 0;

	if (cursor_parse(cursor, kind, id_r->b, sizeof(id_r->b), &len,
	    fault) < 0)
		return -1;
	return len == sizeof(id_r->b) ? 0 : cursor_refuse(cursor, fault);
}
