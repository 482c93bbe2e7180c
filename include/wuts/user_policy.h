/* SPDX-License-Identifier: MIT */
/* What a tenant asks of its users' fields in the Wacht dialect, and the rules
   themselves (spec/wacht.md §4). Pure. */
#ifndef WUTS_USER_POLICY_H
#define WUTS_USER_POLICY_H

#include <stdbool.h>
#include <stddef.h>

struct fault;

#define USERNAME_CHARS_MAX 128

struct user_policy {
	bool names_required;
	bool email_enabled;
	bool email_required;
	bool phone_enabled;
	bool phone_required;
	bool username_enabled;
	bool username_required;
	unsigned username_min;		/* characters */
	unsigned username_max;
	bool password_enabled;
	unsigned password_min;		/* characters */
	bool password_lower;
	bool password_upper;
	bool password_digit;
	bool password_special;
	bool expose_provider_tokens;
	unsigned requests_per_minute;	/* of a key; 0: any number */
};

void user_policy_init(struct user_policy *policy);

/* The settings by their names, for whoever shows and changes them: "true",
   "false", or a number. */
size_t user_policy_count(void);
const char *user_policy_name(size_t i);
#define USER_POLICY_VALUE_SIZE 12
char *user_policy_format(const struct user_policy *policy, size_t i,
    char buf[USER_POLICY_VALUE_SIZE]);
/* NULL when good, else the sentence for the operator. */
const char *user_policy_set(struct user_policy *policy, const char *name,
    const char *value);

/* Each adds to fault a field for every rule that value breaks; value is valid
   UTF-8. An absent value ("" or NULL) breaks only what is required. */
void user_policy_check_name(const struct user_policy *policy,
    const char *field, const char *value, struct fault *fault);
void user_policy_check_email(const struct user_policy *policy,
    const char *field, const char *value, struct fault *fault);
void user_policy_check_username(const struct user_policy *policy,
    const char *field, const char *value, struct fault *fault);
/* skip: only what no password may be. */
void user_policy_check_password(const struct user_policy *policy,
    const char *field, const char *value, bool skip, struct fault *fault);

/* Is anything but white space in it? */
bool user_text_is_blank(const char *text);

#endif
