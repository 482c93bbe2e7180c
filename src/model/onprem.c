/* SPDX-License-Identifier: MIT */
/* What a user name, a password and a webhook's host may be in the On-Premises
   dialect, and which number an account of the engine's has. */
#include "config.h"

#include "wuts/onprem.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool
is_between(char c, char first, char last)
{
	return c >= first && c <= last;
}

static bool
is_alphanumeric(char c)
{
	return is_between(c, 'a', 'z') || is_between(c, 'A', 'Z') ||
	    is_between(c, '0', '9');
}

const char *
onprem_username_check(const char *username)
{
	/* Segments of paths below /v1/users. */
	static const char reserved[] = "must not be login or logout";
	size_t len = strlen(username), i;

	if (len < ONPREM_USERNAME_MIN || len > ONPREM_USERNAME_MAX)
		return "must have 4 to 32 characters";
	for (i = 0; i < len; i++)
		if (!is_alphanumeric(username[i]) &&
		    strchr("._@-", username[i]) == NULL)
			return "must consist of letters, digits and ._@-";
	if (strcmp(username, "login") == 0 || strcmp(username, "logout") == 0)
		return reserved;
	return NULL;
}

const char *
onprem_password_check(const char *password)
{
	static const char rule[] = "must have 8 to 64 characters, with at "
	    "least one digit, one upper-case letter, one lower-case letter "
	    "and one special character";
	bool digit = false, upper = false, lower = false, special = false;
	size_t len = strlen(password), i;
	char c;

	if (len < ONPREM_PASSWORD_MIN || len > ONPREM_PASSWORD_MAX)
		return rule;
	for (i = 0; i < len; i++) {
		c = password[i];
		if ((unsigned char)c < ' ' || c == '\x7f')
			return "must not hold control characters";
		digit |= is_between(c, '0', '9');
		upper |= is_between(c, 'A', 'Z');
		lower |= is_between(c, 'a', 'z');
		/* Visible ASCII that is none of these: the 32 marks. */
		special |= is_between(c, '!', '~') && !is_alphanumeric(c);
	}
	return digit && upper && lower && special ? NULL : rule;
}

void
onprem_take_number(const char *jid, char wa_id_r[ONPREM_WA_ID_MAX + 1])
{
	size_t len;

	wa_id_r[0] = '\0';
	jid += *jid == '+';
	len = strspn(jid, "0123456789");
	if (len == 0 || len > ONPREM_WA_ID_MAX ||
	    strchr(".:@", jid[len]) == NULL)
		return;
	memcpy(wa_id_r, jid, len);
	wa_id_r[len] = '\0';
}

/* --- the host of a webhook --- */

static bool
is_ipv6(const char *text, size_t len)
{
	char buf[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (len >= sizeof(buf))
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return inet_pton(AF_INET6, buf, &address) == 1;
}

/* Names of containers may hold what those of the DNS may not. */
static bool
is_host(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_alphanumeric(text[i]) && text[i] != '-' &&
		    text[i] != '.' && text[i] != '_')
			return false;
	return len > 0;
}

/* None is the usual one. */
static bool
is_port(const char *text, size_t len)
{
	if (len > 5 || strspn(text, "0123456789") < len)
		return false;
	return len == 0 || (atoi(text) >= 1 && atoi(text) <= 65535);
}

const char *
onprem_url_check_host(const char *url)
{
	const char *host = strstr(url, "://") + 3, *end, *past;
	bool is_good;

	past = host + strcspn(host, "/?");
	if (host[0] == '[') {
		end = memchr(host, ']', (size_t)(past - host));
		is_good = end != NULL && is_ipv6(host + 1,
		    (size_t)(end - host - 1));
		end = is_good ? end + 1 : past;
	} else {
		end = host + strcspn(host, ":/?");
		is_good = is_host(host, (size_t)(end - host));
	}
	if (!is_good)
		return "must name a host";
	return end == past || (*end == ':' &&
	    is_port(end + 1, (size_t)(past - end - 1))) ? NULL :
	    "must have a port from 1 to 65535";
}
