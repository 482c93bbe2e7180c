/* SPDX-License-Identifier: MIT */
/* Who asks (spec/wuts.md §2): the Authorization header and nothing else. The
   answers tell a missing token from an invalid one and no more. Only a token
   that is nobody's counts towards the failure limit: a missing header guesses
   nothing, and a user on a master's path has proved who it is. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/identity_service.h"
#include "wuts/metrics_service.h"

#include "http_private.h"

#include <string.h>
#include <strings.h>

#define TOKEN_MAX 256

enum token_form {
	TOKEN_MISSING,
	TOKEN_MALFORMED,
	TOKEN_GIVEN
};

struct token {
	const char *text;
	size_t len;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t
word_length(const char *text)
{
	size_t len = 0;

	while (text[len] > ' ' && text[len] <= '~')
		len++;
	return len;
}

static const char *
skip_blanks(const char *text)
{
	while (is_blank(*text))
		text++;
	return text;
}

/* "Bearer <token>", or the token alone. */
static enum token_form
take_token(const char *header, struct token *token_r)
{
	const char *word = skip_blanks(header);
	size_t len = word_length(word);
	bool is_bearer = len == 6 && strncasecmp(word, "Bearer", 6) == 0;

	if (*word == '\0')
		return TOKEN_MISSING;
	if (is_bearer && (is_blank(word[len]) || word[len] == '\0')) {
		word = skip_blanks(word + len);
		if (*word == '\0')
			return TOKEN_MISSING;
		len = word_length(word);
	}
	if (len == 0 || len > TOKEN_MAX || *skip_blanks(word + len) != '\0')
		return TOKEN_MALFORMED;
	token_r->text = word;
	token_r->len = len;
	return TOKEN_GIVEN;
}

bool
request_authorization(const struct exchange *x, const char *scheme,
    const char **word_r, size_t *len_r)
{
	const char *word = skip_blanks(x->request.authorization);
	size_t len = strlen(scheme);

	if (strncasecmp(word, scheme, len) != 0 || !is_blank(word[len]))
		return false;
	word = skip_blanks(word + len);
	len = word_length(word);
	*word_r = word;
	*len_r = len;
	return len > 0 && *skip_blanks(word + len) == '\0';
}

static bool
is_masters(const struct exchange *x)
{
	return x->route->access == ACCESS_MASTER ||
	    x->route->access == ACCESS_METRICS;
}

static int
refuse(const struct exchange *x, enum token_form form, struct fault *fault)
{
	if (form == TOKEN_MISSING)
		return fault_say(fault, REFUSAL_UNAUTHORIZED, "%s",
		    is_masters(x) ?
		    "master token required" : "missing token");
	return fault_say(fault, REFUSAL_UNAUTHORIZED, "%s",
	    is_masters(x) ?
	    "invalid master token" : "invalid token");
}

/* A known caller against the route's access column. */
static int
check_column(const struct exchange *x, struct fault *fault)
{
	const struct identity *who = &x->caller.identity;

	switch (x->route->access) {
	case ACCESS_PUBLIC:
		return 0;
	case ACCESS_METRICS:
	case ACCESS_MASTER:
		if (who->kind == IDENTITY_MASTER)
			return 0;
		return fault_say(fault, REFUSAL_UNAUTHORIZED,
		    "master token required");
	case ACCESS_ENGINE:
		return 0;
	case ACCESS_USER:
		if (who->kind == IDENTITY_USER)
			return 0;
		return fault_say(fault, REFUSAL_FORBIDDEN,
		    "a user's token is required");
	case ACCESS_ADMIN:
		if (who->kind == IDENTITY_MASTER ||
		    who->kind == IDENTITY_KEY ||
		    (who->kind == IDENTITY_USER && who->role == ROLE_ADMIN))
			return 0;
		return fault_say(fault, REFUSAL_FORBIDDEN,
		    "admin role required");
	case ACCESS_MEMBER:
		break;
	}
	if (who->kind == IDENTITY_MASTER || who->kind == IDENTITY_USER ||
	    who->kind == IDENTITY_KEY)
		return 0;
	return fault_say(fault, REFUSAL_FORBIDDEN,
	    "the engine token only reports events");
}

static int
check_access(const struct exchange *x, struct fault *fault)
{
	if (check_column(x, fault) < 0)
		return -1;
	if (x->caller.identity.read_only && x->request.method != HTTP_GET)
		return fault_say(fault, REFUSAL_FORBIDDEN,
		    "this key may only read");
	return 0;
}

/* Who has the token, and the user that the route is about along with it. */
static int
find_caller(struct exchange *x, const struct token *token,
    struct fault *fault)
{
	const char *text = x->request.args[0];
	struct uuid user_id;
	bool has_user = (x->route->flags & ROUTE_READS_USER) != 0 &&
	    uuid_parse(text, strlen(text), &user_id);

	return identity_service_find_with_user(x->service, token->text,
	    token->len, has_user ? &user_id : NULL, &x->caller.identity,
	    fault);
}

int
auth_check(struct exchange *x, struct fault *fault)
{
	struct token token;
	enum token_form form;
	unsigned wait_s;
	int found;

	if (x->route->access == ACCESS_PUBLIC ||
	    (x->route->access == ACCESS_METRICS &&
	    metrics_service_may_read(x->service, x->request.address)))
		return 0;
	form = take_token(x->request.authorization, &token);
	if (form != TOKEN_GIVEN)
		return refuse(x, form, fault);
	wait_s = identity_service_wait_s(x->service, x->request.address);
	if (wait_s > 0) {
		fault_say(fault, REFUSAL_RATE_LIMITED,
		    "too many failed attempts, try again in %u s", wait_s);
		fault->retry_after_s = wait_s;
		return -1;
	}
	found = find_caller(x, &token, fault);
	if (found < 0)
		return fault_prefix(fault, "authenticate");
	if (found == 0) {
		identity_service_count_failure(x->service, x->request.address);
		return refuse(x, TOKEN_MALFORMED, fault);
	}
	return check_access(x, fault);
}
