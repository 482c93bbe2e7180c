/* SPDX-License-Identifier: MIT */
/* The link of a user to an account at an identity provider, and a passkey.
   Both are made elsewhere and only kept, shown and ended here. */
#ifndef WUTS_CONNECTION_H
#define WUTS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/uuid.h"

#define CONNECTION_TOKEN_MAX 4096	/* bytes */
#define PASSKEY_NAME_MAX 255		/* characters */
#define PASSKEY_TRANSPORTS_MAX 255	/* bytes: words, commas between */

/* Texts are borrowed; absent ones are "". */
struct connection {
	struct uuid id;
	struct uuid tenant_id;
	struct uuid user_id;
	struct uuid email_id;		/* nil: bound to no address */
	const char *provider;		/* "github_oauth" */
	const char *email;
	const char *access_token;
	const char *refresh_token;
	int64_t created_us;
	int64_t updated_us;
};

struct passkey {
	struct uuid id;
	struct uuid tenant_id;
	struct uuid user_id;
	const char *name;
	int64_t sign_count;
	const char *transports;		/* "usb,internal"; NULL: not known */
	const char *device_type;	/* NULL: not known */
	int backed_up;			/* 1, 0; -1: not known */
	const uint8_t *credential_id;
	size_t credential_id_len;
	const uint8_t *public_key;
	size_t public_key_len;
	const uint8_t *aaguid;		/* 16 bytes; NULL: not known */
	int64_t created_us;
	int64_t updated_us;
	int64_t last_used_us;		/* 0: never */
};

/* Is it one of the nine that spec/wacht.md §2 names? */
bool connection_provider_is_known(const char *provider);

/* Trimmed into name_r. NULL when good, else the sentence for the client. */
const char *passkey_name_check(const char *text,
    char name_r[PASSKEY_NAME_MAX * 4 + 1]);

#endif
