/* SPDX-License-Identifier: MIT */
/* What the rules of the model share: about text (characters, names for people
   and names of hosts), and about payloads. */
#ifndef WUTS_MODEL_PRIVATE_H
#define WUTS_MODEL_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "wuts/callback.h"

/* Characters (code points) of valid UTF-8. */
size_t text_chars(const char *text);

enum text_name_verdict {
	TEXT_NAME_GOOD,
	TEXT_NAME_LENGTH,	/* nothing left, or more than chars_max */
	TEXT_NAME_CONTROL	/* a control character inside */
};

/* Copy text without the white space at both ends into name_r, which holds
   chars_max * 4 + 1 bytes; empty unless the verdict is good. */
enum text_name_verdict text_name_trim(const char *text, size_t chars_max,
    char *name_r);

/* Labels of letters, digits, hyphens and underscores, 63 bytes each and 253
   in all; no empty label, no hyphen at a label's end, no trailing dot. */
bool text_is_host_name(const char *host, size_t len);
/* Would a resolver take this host for an address in some spelling? */
bool text_ends_in_number(const char *host, size_t len);

/* --- callback_map.c --- */

/* status NULL: it says none, which nobody has switched off. */
bool callback_wants_status(const struct onprem_settings *settings,
    const char *status);
/* As callback_format(), of data that is no payload. */
bool callback_map(struct strbuf *out, const struct callback_source *source,
    const struct onprem_settings *settings, enum callback_type *type_r);

#endif
