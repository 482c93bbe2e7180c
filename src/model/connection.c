/* SPDX-License-Identifier: MIT */
/* Which identity providers there are, and what a passkey may be called. */
#include "config.h"

#include "wuts/connection.h"
#include "model_private.h"

#include <string.h>

static const char *const providers[] = {
	"apple_oauth", "discord_oauth", "facebook_oauth", "github_oauth",
	"gitlab_oauth", "google_oauth", "linkedin_oauth", "microsoft_oauth",
	"x_oauth"
};

bool
connection_provider_is_known(const char *provider)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
		if (strcmp(provider, providers[i]) == 0)
			return true;
	return false;
}

const char *
passkey_name_check(const char *text, char name_r[PASSKEY_NAME_MAX * 4 + 1])
{
	switch (text_name_trim(text, PASSKEY_NAME_MAX, name_r)) {
	case TEXT_NAME_GOOD:
		return NULL;
	case TEXT_NAME_LENGTH:
		return "must have 1 to 255 characters";
	case TEXT_NAME_CONTROL:
		break;
	}
	return "must not hold control characters";
}
