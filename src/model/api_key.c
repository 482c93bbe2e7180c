/* SPDX-License-Identifier: MIT */
/* What an API key looks like and what its fields may be. */
#include "config.h"

#include "wuts/api_key.h"

#include "model_private.h"

#include <string.h>

#define API_KEY_LEAD "wuts_"

static const char *const scope_names[API_KEY_SCOPE_COUNT] = {
	[API_KEY_FULL] = "full",
	[API_KEY_READ] = "read",
};

const char *
api_key_scope_name(enum api_key_scope scope)
{
	return scope_names[scope];
}

bool
api_key_scope_parse(const char *name, enum api_key_scope *scope_r)
{
	int i;

	for (i = 0; i < API_KEY_SCOPE_COUNT; i++) {
		if (strcmp(name, scope_names[i]) == 0) {
			*scope_r = (enum api_key_scope)i;
			return true;
		}
	}
	return false;
}

const char *
api_key_name_check(const char *text, char name_r[API_KEY_NAME_MAX * 4 + 1])
{
	switch (text_name_trim(text, API_KEY_NAME_MAX, name_r)) {
	case TEXT_NAME_LENGTH:
		return "must be 1 to 100 characters";
	case TEXT_NAME_CONTROL:
		return "must not contain control characters";
	case TEXT_NAME_GOOD:
		break;
	}
	return NULL;
}

bool
api_key_is_text(const char *text, size_t len)
{
	size_t i;

	if (len != API_KEY_TEXT_LEN ||
	    memcmp(text, API_KEY_LEAD, sizeof(API_KEY_LEAD) - 1) != 0)
		return false;
	for (i = sizeof(API_KEY_LEAD) - 1; i < len; i++) {
		if ((text[i] < 'a' || text[i] > 'z') &&
		    (text[i] < 'A' || text[i] > 'Z') &&
		    (text[i] < '0' || text[i] > '9'))
			return false;
	}
	return true;
}
