/* SPDX-License-Identifier: MIT */
/* A phone number of a user, as spec/wacht.md §4 has it. At most one of a user
   is the primary one. */
#ifndef WUTS_USER_PHONE_H
#define WUTS_USER_PHONE_H

#include <stdbool.h>
#include <stdint.h>

#include "wuts/uuid.h"

#define PHONE_DIGITS_MAX 15
#define PHONE_CODE_MAX 5		/* '+' and 4 digits */
#define PHONE_NUMBER_MAX 16		/* '+' and 15 digits */

struct user_phone {
	struct uuid id;
	struct uuid tenant_id;
	struct uuid user_id;
	char country_code[PHONE_CODE_MAX + 1];	/* "" or "+1" */
	char phone_number[PHONE_NUMBER_MAX + 1];
	bool is_primary;
	bool verified;
	int64_t verified_us;		/* 0: never */
	int64_t created_us;
	int64_t updated_us;
};

/* Both parts without separators into code_r and number_r. NULL when good, else
   the sentence for the client, of the number, or of the code when *bad_code_r
   says so. */
const char *phone_parse(const char *code, const char *number,
    char code_r[PHONE_CODE_MAX + 1], char number_r[PHONE_NUMBER_MAX + 1],
    bool *bad_code_r);
/* The digits of both: what makes two numbers the same one. */
char *phone_key(const struct user_phone *phone,
    char key_r[PHONE_DIGITS_MAX + 1]);
/* "+15551234567": what is shown where there is one member for both. */
#define PHONE_WHOLE_MAX (PHONE_CODE_MAX + PHONE_NUMBER_MAX)
char *phone_whole(const struct user_phone *phone,
    char whole_r[PHONE_WHOLE_MAX + 1]);

#endif
