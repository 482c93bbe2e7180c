/* SPDX-License-Identifier: MIT */
/* The engine's part of the API (spec/onprem.md §7). nginx relays it, after it
   has asked here, with method and URI as the client sent them: router, token
   and role are the same as for every other route. Its question is answered
   with 204 and with what nginx says to the client should it end there: nginx
   takes nothing but headers from such an answer. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/user_service.h"
#include "wuts/uuid.h"

#include "onprem_private.h"

#include <string.h>

#define SAID "X-WUTS-Said"

static bool
is_asked(const struct exchange *x)
{
	return strcmp(x->request.server_relay, RELAY_ASK) == 0;
}

static void
add_id(struct exchange *x, const char *name, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	if (!uuid_is_nil(id))
		response_header(x, name, uuid_format(id, text));
}

/* Into a header goes what may stand there; a name of another dialect's account
   may hold more. */
static bool
is_visible(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* Who asks: for the engine, and for nginx's log. */
static int
add_account(struct exchange *x, struct fault *fault)
{
	const struct identity *who = &x->caller.identity;
	struct user user;

	if (user_service_get(x->service, &x->caller, &who->user_id, &user,
	    fault) < 0)
		return -1;
	add_id(x, "X-WUTS-Tenant", &who->tenant_id);
	add_id(x, "X-WUTS-User", &who->user_id);
	if (user.username[0] != '\0' && is_visible(user.username))
		response_header(x, "X-WUTS-Account", user.username);
	response_header(x, "X-WUTS-Role", who->role == ROLE_ADMIN ?
	    "ROLE_ADMIN" : "ROLE_USER");
	return 0;
}

/* Its words go along as a header, see onprem_relay_say(). */
static void
word_engine_away(struct exchange *x)
{
	struct fault away;

	fault_clear(&away);
	away.code = FAULT_ENGINE_AWAY;
	onprem_write_error(x, &away);
}

/* Not asked, but meant to answer: nginx has no engine behind it; or it has, and
   the path is written in a way that is never relayed. */
int
relay_authorise(struct exchange *x, struct fault *fault)
{
	if (x->request.server_relay[0] == '\0')
		return fault_set(fault, FAULT_NO_ENGINE,
		    "nginx has no wuts-onprem-engine.conf");
	if (!is_asked(x))
		return fault_say(fault, REFUSAL_NOT_FOUND, "no such path");
	if (add_account(x, fault) < 0)
		return fault_prefix(fault, "account");
	word_engine_away(x);
	response_status(x, 204);
	return 0;
}

void
onprem_relay_say(struct exchange *x)
{
	if (is_asked(x) && x->response.body.len > 0)
		response_header(x, SAID, x->response.body.data);
}
