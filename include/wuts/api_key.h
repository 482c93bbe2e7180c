/* SPDX-License-Identifier: MIT */
/* An API key: a tenant's own credential, which no user stands behind
   (spec/wuts.md §4 "POST /api-keys"). */
#ifndef WUTS_API_KEY_H
#define WUTS_API_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/uuid.h"

#define API_KEY_NAME_MAX 100		/* characters */
/* "wuts_" and 40 characters of a-z, A-Z, 0-9 */
#define API_KEY_TEXT_LEN 45
/* What is shown of a key for ever: "wuts_" and its first 7 characters. */
#define API_KEY_PREFIX_LEN 12

enum api_key_scope {
	API_KEY_FULL,		/* what an admin of the tenant may */
	API_KEY_READ,		/* of that, GET only */
	API_KEY_SCOPE_COUNT
};

struct api_key {
	struct uuid id;
	struct uuid tenant_id;
	char name[API_KEY_NAME_MAX * 4 + 1];
	char prefix[API_KEY_PREFIX_LEN + 1];
	enum api_key_scope scope;
	int64_t created_us;
	int64_t expires_us;		/* 0: never */
	int64_t last_used_us;		/* 0: not yet; to the minute */
};

/* "full", "read". */
const char *api_key_scope_name(enum api_key_scope scope);
bool api_key_scope_parse(const char *name, enum api_key_scope *scope_r);

/* Trimmed into name_r. NULL when good: 1-100 characters, no control
   characters; else the sentence for the client. */
const char *api_key_name_check(const char *text,
    char name_r[API_KEY_NAME_MAX * 4 + 1]);

/* Has the text the form of a key? It decides which table is asked. */
bool api_key_is_text(const char *text, size_t len);

#endif
