/* SPDX-License-Identifier: MIT */
/* A tenant, and what its name may be. */
#ifndef WUTS_TENANT_H
#define WUTS_TENANT_H

#include <stdint.h>

#include "wuts/uuid.h"

#define TENANT_NAME_MAX 120		/* characters */
#define TENANT_NAME_SIZE (TENANT_NAME_MAX * 4 + 1)

struct tenant {
	struct uuid id;
	char name[TENANT_NAME_SIZE];
	int64_t created_us;
	int64_t updated_us;
};

/* Trim Unicode white space at both ends into name_r. NULL when the result is
   a name: 1-120 characters, no control characters (spec/wuts.md §4 "POST
   /register"); else the sentence for the client. text is valid UTF-8. */
const char *tenant_name_check(const char *text, char name_r[TENANT_NAME_SIZE]);

#endif
