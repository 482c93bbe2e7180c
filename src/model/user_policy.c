/* SPDX-License-Identifier: MIT */
/* The rules for a user's fields in the Wacht dialect (spec/wacht.md §4), and
   the settings in them that are a tenant's. */
#include "config.h"

#include "wuts/user_policy.h"

#include "wuts/fault.h"
#include "wuts/user.h"
#include "wuts/user_profile.h"
#include "wuts/utf8.h"

#include "model_private.h"

#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#define PASSWORD_BYTES_MAX 1024
#define PASSWORD_MIN_MAX 128
#define REQUESTS_MAX 1000000
#define SPECIALS "!@#$%^&*()_+-=[]{}|;:,.<>?"

static const struct setting {
	const char *name;
	size_t offset;
	unsigned max;		/* 0: true or false */
} settings[] = {
	{ "names_required", offsetof(struct user_policy, names_required), 0 },
	{ "email_enabled", offsetof(struct user_policy, email_enabled), 0 },
	{ "email_required", offsetof(struct user_policy, email_required), 0 },
	{ "phone_enabled", offsetof(struct user_policy, phone_enabled), 0 },
	{ "phone_required", offsetof(struct user_policy, phone_required), 0 },
	{ "username_enabled",
	    offsetof(struct user_policy, username_enabled), 0 },
	{ "username_required",
	    offsetof(struct user_policy, username_required), 0 },
	{ "username_min", offsetof(struct user_policy, username_min),
	    USERNAME_CHARS_MAX },
	{ "username_max", offsetof(struct user_policy, username_max),
	    USERNAME_CHARS_MAX },
	{ "password_enabled",
	    offsetof(struct user_policy, password_enabled), 0 },
	{ "password_min", offsetof(struct user_policy, password_min),
	    PASSWORD_MIN_MAX },
	{ "password_lower", offsetof(struct user_policy, password_lower), 0 },
	{ "password_upper", offsetof(struct user_policy, password_upper), 0 },
	{ "password_digit", offsetof(struct user_policy, password_digit), 0 },
	{ "password_special",
	    offsetof(struct user_policy, password_special), 0 },
	{ "expose_provider_tokens",
	    offsetof(struct user_policy, expose_provider_tokens), 0 },
	{ "requests_per_minute",
	    offsetof(struct user_policy, requests_per_minute),
	    REQUESTS_MAX },
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

void
user_policy_init(struct user_policy *policy)
{
	*policy = (struct user_policy) {
		.names_required = true,
		.email_enabled = true,
		.email_required = true,
		.phone_enabled = true,
		.username_enabled = true,
		.username_min = 3,
		.username_max = 30,
		.password_enabled = true,
		.password_min = 8,
		.password_lower = true,
		.password_upper = true,
		.password_digit = true,
		.password_special = true
	};
}

size_t
user_policy_count(void)
{
	return SETTINGS;
}

const char *
user_policy_name(size_t i)
{
	return settings[i].name;
}

char *
user_policy_format(const struct user_policy *policy, size_t i,
    char buf[USER_POLICY_VALUE_SIZE])
{
	const char *at = (const char *)policy + settings[i].offset;
	unsigned number;
	bool flag;

	if (settings[i].max == 0) {
		memcpy(&flag, at, sizeof(flag));
		snprintf(buf, USER_POLICY_VALUE_SIZE, "%s",
		    flag ? "true" : "false");
	} else {
		memcpy(&number, at, sizeof(number));
		snprintf(buf, USER_POLICY_VALUE_SIZE, "%u", number);
	}
	return buf;
}

static bool
parse_number(const char *text, unsigned max, unsigned *number_r)
{
	unsigned number = 0;

	if (*text == '\0')
		return false;
	for (; *text >= '0' && *text <= '9' && number <= max; text++)
		number = number * 10 + (unsigned)(*text - '0');
	*number_r = number;
	return *text == '\0' && number <= max;
}

static const char *
set_one(struct user_policy *policy, const struct setting *setting,
    const char *value)
{
	char *at = (char *)policy + setting->offset;
	bool flag = strcmp(value, "true") == 0;
	unsigned number;

	if (setting->max == 0) {
		if (!flag && strcmp(value, "false") != 0)
			return "must be true or false";
		memcpy(at, &flag, sizeof(flag));
		return NULL;
	}
	if (!parse_number(value, setting->max, &number) ||
	    (number == 0 && setting->max != REQUESTS_MAX))
		return setting->max == REQUESTS_MAX ?
		    "must be a number from 0 to 1000000" :
		    "must be a number from 1 to 128";
	memcpy(at, &number, sizeof(number));
	return NULL;
}

const char *
user_policy_set(struct user_policy *policy, const char *name,
    const char *value)
{
	struct user_policy asked = *policy;
	const char *problem;
	size_t i;

	for (i = 0; i < SETTINGS; i++)
		if (strcmp(settings[i].name, name) == 0)
			break;
	if (i == SETTINGS)
		return "is no setting of a policy";
	problem = set_one(&asked, &settings[i], value);
	if (problem != NULL)
		return problem;
	*policy = asked;
	return NULL;
}

/* --- characters --- */

/* The next character, a NUL at the end; what is no UTF-8 is a control
   character. */
static wint_t
next_char(const char **textp)
{
	const unsigned char *p = (const unsigned char *)*textp;
	size_t len = utf8_sequence_len(*textp, strlen(*textp));
	uint32_t c;

	if (*p == '\0')
		return 0;
	*textp += len == 0 ? 1 : len;
	switch (len) {
	case 1:
		return p[0];
	case 2:
		return (wint_t)((p[0] & 0x1fu) << 6 | (p[1] & 0x3fu));
	case 3:
		c = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 |
		    (p[2] & 0x3fu);
		return (wint_t)c;
	case 4:
		c = (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 |
		    (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
		return (wint_t)c;
	}
	return 0x7f;
}

static bool
is_ascii_alnum(wint_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

/* Letters and digits of any script. The process itself stays in the C locale,
   where it prints and parses; only this asks C.UTF-8. A system without that
   knows ASCII alone. */
static bool
is_alnum(wint_t c)
{
	static locale_t locale;
	static bool is_asked;

	if (c < 0x80)
		return is_ascii_alnum(c);
	if (!is_asked) {
		is_asked = true;
		locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	}
	return locale != (locale_t)0 && iswalnum_l(c, locale) != 0;
}

bool
user_text_is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n\v\f")] == '\0';
}

static bool
is_absent(const char *value)
{
	return value == NULL || value[0] == '\0';
}

/* --- the rules --- */

static void
add(struct fault *fault, const char *field, const char *message)
{
	fault_add_field(fault, field, message, NULL);
}

void
user_policy_check_name(const struct user_policy *policy, const char *field,
    const char *value, struct fault *fault)
{
	const char *text = value;
	bool has_control = false;
	size_t chars = 0;
	wint_t c;

	if (policy->names_required &&
	    (is_absent(value) || user_text_is_blank(value)))
		add(fault, field, "is required");
	if (is_absent(value))
		return;
	while ((c = next_char(&text)) != 0) {
		chars++;
		has_control |= c < 0x20 || (c >= 0x7f && c <= 0x9f);
	}
	if (chars > USER_NAME_MAX)
		add(fault, field, "must be at most 255 characters");
	if (has_control)
		add(fault, field, "must not hold control characters");
}

static bool
is_of(const char *text, size_t len, const char *more)
{
	for (size_t i = 0; i < len; i++)
		if (!is_ascii_alnum((unsigned char)text[i]) &&
		    strchr(more, text[i]) == NULL)
			return false;
	return len > 0;
}

static bool
has_stray_dot(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '.' && (i == 0 || i == len - 1 ||
		    text[i - 1] == '.'))
			return true;
	return false;
}

static bool
is_address(const char *text)
{
	const char *at = strchr(text, '@'), *domain, *last;
	size_t local_len, domain_len, i;

	if (at == NULL || strlen(text) > USER_EMAIL_MAX)
		return false;
	local_len = (size_t)(at - text);
	domain = at + 1;
	domain_len = strlen(domain);
	last = strrchr(domain, '.');
	if (!is_of(text, local_len, "._%+-") ||
	    !is_of(domain, domain_len, ".-") || last == NULL ||
	    has_stray_dot(text, local_len) || has_stray_dot(domain, domain_len))
		return false;
	for (i = 1; last[i] != '\0'; i++)
		if ((last[i] | 0x20) < 'a' || (last[i] | 0x20) > 'z')
			return false;
	return i > 2;
}

void
user_policy_check_email(const struct user_policy *policy, const char *field,
    const char *value, struct fault *fault)
{
	if (is_absent(value)) {
		if (policy->email_enabled && policy->email_required)
			add(fault, field, "is required");
		return;
	}
	if (!policy->email_enabled)
		add(fault, field, "is not used by this deployment");
	else if (!is_address(value))
		add(fault, field, "must be a valid email address");
}

void
user_policy_check_username(const struct user_policy *policy,
    const char *field, const char *value, struct fault *fault)
{
	const char *text = value;
	bool is_strange = false;
	char message[64];
	size_t chars = 0;
	wint_t c;

	if (is_absent(value)) {
		if (policy->username_enabled && policy->username_required)
			add(fault, field, "is required");
		return;
	}
	if (!policy->username_enabled) {
		add(fault, field, "is not used by this deployment");
		return;
	}
	while ((c = next_char(&text)) != 0) {
		chars++;
		is_strange |= !is_alnum(c) && c != '_' && c != '-';
	}
	if (chars < policy->username_min || chars > policy->username_max ||
	    strlen(value) > USER_USERNAME_MAX) {
		snprintf(message, sizeof(message),
		    "must be %u to %u characters", policy->username_min,
		    policy->username_max);
		add(fault, field, message);
	}
	if (is_strange)
		add(fault, field,
		    "must be letters, digits, underscores and hyphens");
}

/* The classes that a password must have a character of. */
static void
check_classes(const struct user_policy *policy, const char *field,
    const char *value, struct fault *fault)
{
	bool lower = false, upper = false, digit = false, special = false;
	const char *c;

	for (c = value; *c != '\0'; c++) {
		lower |= *c >= 'a' && *c <= 'z';
		upper |= *c >= 'A' && *c <= 'Z';
		digit |= *c >= '0' && *c <= '9';
		special |= strchr(SPECIALS, *c) != NULL;
	}
	if (policy->password_lower && !lower)
		add(fault, field, "must have a lower-case letter");
	if (policy->password_upper && !upper)
		add(fault, field, "must have an upper-case letter");
	if (policy->password_digit && !digit)
		add(fault, field, "must have a digit");
	if (policy->password_special && !special)
		add(fault, field, "must have a special character of "
		    SPECIALS);
}

void
user_policy_check_password(const struct user_policy *policy,
    const char *field, const char *value, bool skip, struct fault *fault)
{
	char message[64];

	if (is_absent(value)) {
		add(fault, field, "is required");
		return;
	}
	if (strlen(value) > PASSWORD_BYTES_MAX)
		add(fault, field, "must be at most 1024 bytes");
	if (skip)
		return;
	if (text_chars(value) < policy->password_min) {
		snprintf(message, sizeof(message),
		    "must be at least %u characters", policy->password_min);
		add(fault, field, message);
	}
	check_classes(policy, field, value, fault);
}
