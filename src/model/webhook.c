/* SPDX-License-Identifier: MIT */
/* What a webhook's URL, headers and secret may be. The URL is read here once
   more narrowly than any HTTP client would, so that what is checked and what
   is later connected to cannot be two different hosts. */
#include "config.h"

#include "wuts/webhook.h"

#include "wuts/address.h"

#include "model_private.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define HEADER_NAME_MAX 128
#define PORT_MAX 65535
#define PORT_DIGITS_MAX 5

static const char bad_host[] = "must name a valid host";
static const char bad_address[] = "must not point to a private, local or"
    " reserved address";

/* Names that WUTS, HTTP's framing or the connection own. A hyphen at the end
   stands for every name that begins so. */
static const char *const owned_headers[] = {
	"Connection",
	"Content-",
	"Expect",
	"Host",
	"Keep-Alive",
	"Proxy-",
	"TE",
	"Trailer",
	"Transfer-Encoding",
	"Upgrade",
	"User-Agent",
	"Webhook-",
	"X-WUTS-",
};

/* A part of the URL. */
struct span {
	const char *text;
	size_t len;
};

static bool
is_visible(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text <= 0x20 || *text > 0x7e)
			return false;
	}
	return true;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_port(const char *text, size_t len)
{
	unsigned value = 0;
	size_t i;

	if (len == 0 || len > PORT_DIGITS_MAX || text[0] == '0')
		return false;
	for (i = 0; i < len; i++) {
		if (!is_digit(text[i]))
			return false;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	return value <= PORT_MAX;
}

/* Divide host[:port] or [address][:port]; the brackets stay with the host. */
static bool
authority_split(struct span authority, struct span *host_r)
{
	const char *end = authority.text + authority.len, *host_end;

	if (authority.len > 0 && authority.text[0] == '[') {
		host_end = memchr(authority.text, ']', authority.len);
		if (host_end == NULL)
			return false;
		host_end++;
	} else {
		host_end = memchr(authority.text, ':', authority.len);
		if (host_end == NULL)
			host_end = end;
	}
	host_r->text = authority.text;
	host_r->len = (size_t)(host_end - authority.text);
	if (host_end == end)
		return true;
	return *host_end == ':' &&
	    is_port(host_end + 1, (size_t)(end - host_end - 1));
}

static const char *
ipv6_check(struct span host, const struct address_policy *addresses)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
	char text[INET6_ADDRSTRLEN];

	if (host.len < 2 || host.len - 2 >= sizeof(text))
		return bad_host;
	memcpy(text, host.text + 1, host.len - 2);
	text[host.len - 2] = '\0';
	/* inet_pton() takes no zone, so none passes. */
	if (inet_pton(AF_INET6, text, &address.sin6_addr) != 1)
		return bad_host;
	if (!address_may_connect(addresses,
	    (const struct sockaddr *)(const void *)&address))
		return bad_address;
	return NULL;
}

static const char *
ipv4_check(struct span host, const struct address_policy *addresses)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	char text[INET_ADDRSTRLEN];

	if (host.len >= sizeof(text))
		return bad_host;
	memcpy(text, host.text, host.len);
	text[host.len] = '\0';
	/* Four decimal numbers without leading zeros: neither octal, nor hex,
	   nor the short forms that inet_aton() takes. */
	if (inet_pton(AF_INET, text, &address.sin_addr) != 1)
		return bad_host;
	if (!address_may_connect(addresses,
	    (const struct sockaddr *)(const void *)&address))
		return bad_address;
	return NULL;
}

static bool
is_localhost(struct span host)
{
	static const char name[] = "localhost";
	size_t name_len = sizeof(name) - 1;

	if (host.len < name_len || strncasecmp(host.text + host.len - name_len,
	    name, name_len) != 0)
		return false;
	return host.len == name_len ||
	    host.text[host.len - name_len - 1] == '.';
}

static bool
may_loop_back(const struct address_policy *addresses)
{
	struct sockaddr_in ipv4 = { .sin_family = AF_INET };
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };

	ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ipv6.sin6_addr = in6addr_loopback;
	return address_may_connect(addresses,
	    (const struct sockaddr *)(const void *)&ipv4) ||
	    address_may_connect(addresses,
	    (const struct sockaddr *)(const void *)&ipv6);
}

static const char *
host_check(struct span host, const struct address_policy *addresses)
{
	if (host.len > 0 && host.text[0] == '[')
		return ipv6_check(host, addresses);
	if (text_ends_in_number(host.text, host.len))
		return ipv4_check(host, addresses);
	/* The dot of a fully qualified name. With it, a number at the end is
	   again an address, but no longer a plain one. */
	if (host.len > 0 && host.text[host.len - 1] == '.')
		host.len--;
	if (text_ends_in_number(host.text, host.len) ||
	    !text_is_host_name(host.text, host.len))
		return bad_host;
	/* Every name is judged by what it resolves to when it is delivered to;
	   for this one the answer is known now. */
	if (is_localhost(host) && !may_loop_back(addresses) &&
	    !address_host_is_allowed(addresses, host.text, host.len))
		return bad_address;
	return NULL;
}

/* What stands between the scheme and the path. */
static struct span
authority_of(const char *behind_scheme)
{
	return (struct span){ behind_scheme, strcspn(behind_scheme, "/?") };
}

const char *
webhook_url_check(const char *url, const struct webhook_policy *policy)
{
	static const char https[] = "https://", http[] = "http://";
	struct span authority, host;
	const char *rest;

	if (strlen(url) > WEBHOOK_URL_MAX)
		return "must be at most 2048 characters";
	if (!is_visible(url))
		return "must contain visible ASCII characters only";
	if (strncasecmp(url, https, sizeof(https) - 1) == 0)
		rest = url + sizeof(https) - 1;
	else if (policy->http && strncasecmp(url, http, sizeof(http) - 1) == 0)
		rest = url + sizeof(http) - 1;
	else
		return policy->http ? "must be an http or https URL" :
		    "must be an https URL";
	if (strchr(url, '#') != NULL)
		return "must not contain a fragment";
	authority = authority_of(rest);
	if (memchr(authority.text, '@', authority.len) != NULL)
		return "must not contain user information";
	if (!authority_split(authority, &host))
		return "must name a valid host and port";
	return host_check(host, policy->addresses);
}

bool
webhook_host_is_allowed(const char *url,
    const struct address_policy *addresses)
{
	const char *rest = strstr(url, "://");
	struct span host;

	return addresses != NULL && addresses->nhosts > 0 && rest != NULL &&
	    authority_split(authority_of(rest + 3), &host) &&
	    address_host_is_allowed(addresses, host.text, host.len);
}

/* token of RFC 9110 */
static bool
is_token(const char *text)
{
	for (; *text != '\0'; text++) {
		if (!is_digit(*text) && !(*text >= 'a' && *text <= 'z') &&
		    !(*text >= 'A' && *text <= 'Z') &&
		    strchr("!#$%&'*+-.^_`|~", *text) == NULL)
			return false;
	}
	return true;
}

static bool
is_owned_header(const char *name)
{
	const char *owned;
	size_t i, len;

	for (i = 0; i < sizeof(owned_headers) / sizeof(owned_headers[0]); i++) {
		owned = owned_headers[i];
		len = strlen(owned);
		if (strncasecmp(name, owned, len) == 0 &&
		    (owned[len - 1] == '-' || name[len] == '\0'))
			return true;
	}
	return false;
}

const char *
webhook_header_check(const char *name, const char *value)
{
	size_t len = strlen(value), i;

	if (*name == '\0' || strlen(name) > HEADER_NAME_MAX || !is_token(name))
		return "name must be an HTTP token of 1 to 128 characters";
	if (is_owned_header(name))
		return "name is reserved";
	if (len == 0 || len > WEBHOOK_HEADER_VALUE_MAX)
		return "value must be 1 to 1024 characters";
	for (i = 0; i < len; i++) {
		if (value[i] < 0x20 || value[i] > 0x7e)
			return "value must contain visible ASCII characters"
			    " only";
	}
	if (value[0] == ' ' || value[len - 1] == ' ')
		return "value must not begin or end with a blank";
	return NULL;
}

const char *
webhook_secret_check(const char *secret)
{
	size_t len = strlen(secret);

	if (len < WEBHOOK_SECRET_MIN || len > WEBHOOK_SECRET_MAX)
		return "must be 8 to 128 bytes";
	return NULL;
}
