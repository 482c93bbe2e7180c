/* SPDX-License-Identifier: MIT */
/* What the files of table users share. */
#ifndef WUTS_STORE_USER_PRIVATE_H
#define WUTS_STORE_USER_PRIVATE_H

#include "store_private.h"

struct user;

/* As user_fetch() takes them, from one table alone or from one of several. */
#define USER_COLUMNS \
	"id, tenant_id, email, username, role, active," \
	" must_change_password, created_at, updated_at"

#define USER_COLUMNS_OF(table) \
	table ".id, " table ".tenant_id, " table ".email, " \
	table ".username, " table ".role, " table ".active, " \
	table ".must_change_password, " table ".created_at, " \
	table ".updated_at"

void user_fetch(struct columns *out, struct user *user);
/* None is NULL, so that many may have none. */
const char *user_text_or_null(const char *text);
/* For WHERE tenant_id = ? AND id = ?: the first parameters. */
void user_bind_id(struct params *in, const struct uuid *tenant_id,
    const struct uuid *id);

#endif
