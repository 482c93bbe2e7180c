/* SPDX-License-Identifier: MIT */
/* Log-in, log-out and accounts (spec/onprem.md §2, U1-U6). */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/onprem_service.h"
#include "wuts/session_service.h"

#include "onprem_private.h"

#include <string.h>

#define EXPIRES_SIZE 26	/* 2021-07-25 08:50:48+00:00 and NUL */

bool
onprem_is_login(const struct exchange *x)
{
	return x->route != NULL && x->route->handler == accounts_login;
}

/* Clients parse this very pattern. */
static const char *
format_expiry(int64_t wall_us, char buf[EXPIRES_SIZE])
{
	static const char zone[] = "+00:00";
	char text[CLOCK_RFC3339_SIZE];
	size_t len;

	clock_format(wall_us, text);
	len = strlen(text) - 1;		/* without the Z */
	text[10] = ' ';
	memcpy(buf, text, len);
	memcpy(buf + len, zone, sizeof(zone));
	return buf;
}

/* "users":[{ …: the rest of the object is the caller's. */
static struct json_writer *
begin_users(struct exchange *x, unsigned status)
{
	struct json_writer *w = onprem_begin(x, status);

	json_write_key(w, "users");
	json_write_array_begin(w);
	json_write_object_begin(w);
	return w;
}

static int
end_users(struct exchange *x)
{
	struct json_writer *w = response_json(x);

	json_write_object_end(w);
	json_write_array_end(w);
	return onprem_end(x);
}

static int
answer_username(struct exchange *x, unsigned status, const char *username)
{
	json_member_text(begin_users(x, status), "username", username);
	return end_users(x);
}

static int
answer_session(struct exchange *x, struct session_opened *opened)
{
	struct json_writer *w = begin_users(x, 200);
	char expires[EXPIRES_SIZE];

	json_member_text(w, "token", opened->token);
	json_member_text(w, "expires_after",
	    format_expiry(opened->session.expires_us, expires));
	crypto_wipe(opened->token, sizeof(opened->token));
	return end_users(x);
}

/* Credentials before the body: who is not known is told nothing about it. */
int
accounts_login(struct exchange *x, struct fault *fault)
{
	struct onprem_login login = {
		.tenant_id = &x->caller.identity.tenant_id,
		.user_agent = x->request.user_agent
	};
	struct session_opened opened;
	const char *new_password = NULL;
	const json_t *body;
	struct user user;

	if (onprem_take_basic(x, &login.username, &login.password,
	    fault) < 0 ||
	    onprem_service_check_login(x->service, &x->caller, &login, &user,
	    fault) < 0 ||
	    onprem_take_object(x, &body, fault) < 0 ||
	    onprem_take_string(body, "new_password", &new_password,
	    fault) < 0 ||
	    onprem_take_string(body, "otp", &login.otp, fault) < 0)
		return -1;

	if (onprem_service_login(x->service, &x->caller, &login, &user,
	    new_password, &opened, fault) < 0)
		return -1;
	return answer_session(x, &opened);
}

int
accounts_logout(struct exchange *x, struct fault *fault)
{
	const struct identity *who = &x->caller.identity;
	const json_t *body;

	if (request_json(x, &body, fault) < 0)
		return -1;
	if (uuid_is_nil(&who->session_id))
		return fault_say(fault, REFUSAL_FORBIDDEN,
		    "This token does not come from a log-in");

	/* Somebody else may have ended it a moment ago. */
	if (session_service_revoke(x->service, &x->caller, &who->user_id,
	    &who->session_id, fault) < 0)
		return fault->code == REFUSAL_SESSION_NOT_FOUND ?
		    fault_say(fault, REFUSAL_UNAUTHORIZED,
		    "Invalid credentials") : -1;
	return onprem_answer_empty(x);
}

int
accounts_create(struct exchange *x, struct fault *fault)
{
	const char *username, *password;
	const json_t *body;

	if (onprem_take_object(x, &body, fault) < 0 ||
	    onprem_need_string(body, "username", &username, fault) < 0 ||
	    onprem_need_string(body, "password", &password, fault) < 0)
		return -1;

	if (onprem_service_create_user(x->service, &x->caller, username,
	    password, fault) < 0)
		return -1;
	return answer_username(x, 201, username);
}

int
accounts_get(struct exchange *x, struct fault *fault)
{
	struct json_writer *w;
	struct user user;

	if (onprem_service_get_user(x->service, &x->caller,
	    x->request.args[0], &user, fault) < 0)
		return -1;

	w = begin_users(x, 200);
	json_member_text(w, "username", user.username);
	json_member_text(w, "ROLES",
	    user.role == ROLE_ADMIN && strcmp(user.username,
	    ONPREM_ADMIN) == 0 ? "ROLE_ADMIN" : "ROLE_USER");
	return end_users(x);
}

int
accounts_update(struct exchange *x, struct fault *fault)
{
	const char *username = x->request.args[0], *password;
	const json_t *body;

	if (onprem_service_check_access(x->service, &x->caller, username,
	    fault) < 0 ||
	    onprem_take_object(x, &body, fault) < 0 ||
	    onprem_need_string(body, "password", &password, fault) < 0)
		return -1;

	if (onprem_service_set_password(x->service, &x->caller, username,
	    password, fault) < 0)
		return -1;
	return answer_username(x, 200, username);
}

int
accounts_delete(struct exchange *x, struct fault *fault)
{
	const char *username = x->request.args[0];

	if (onprem_service_delete_user(x->service, &x->caller, username,
	    fault) < 0)
		return -1;
	return answer_username(x, 200, username);
}
