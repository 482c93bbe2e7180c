/* SPDX-License-Identifier: MIT */
/* What the name of a tenant may be. Whether it is taken is the database's to
   know. */
#include "config.h"

#include "wuts/tenant.h"

#include "model_private.h"

const char *
tenant_name_check(const char *text, char name_r[TENANT_NAME_SIZE])
{
	switch (text_name_trim(text, TENANT_NAME_MAX, name_r)) {
	case TEXT_NAME_LENGTH:
		return "must be 1 to 120 characters";
	case TEXT_NAME_CONTROL:
		return "must not contain control characters";
	case TEXT_NAME_GOOD:
		break;
	}
	return NULL;
}
