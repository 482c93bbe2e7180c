/* SPDX-License-Identifier: MIT */
/* wutsctl user: what an operator does to users without HTTP. The operator
   stands above the matrix and the guards of a tenant, so these are also the
   way back in when nobody is admin any more. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/tenant.h"
#include "wuts/user_service.h"

#include <stdio.h>
#include <string.h>

/* --- list, show --- */

/* The token that comes along is nobody's business here. */
static int
list_row(void *ctx, const struct user *user, const char *token,
    struct fault *fault)
{
	struct session *session = ctx;
	char id[UUID_TEXT_LEN + 1], created[CLOCK_RFC3339_SIZE];

	(void)token;
	(void)fault;
	if (session->ctl->json) {
		write_user(&session->w, user, NULL);
		session_flush(session);
	} else {
		printf("%s  %-8s  %-6s  %s  %s\n", uuid_format(&user->id, id),
		    role_name(user->role), user->active ? "yes" : "no",
		    clock_format(user->created_us, created), user_called(user, id));
	}
	return 0;
}

static int
list(struct session *session)
{
	struct json_writer *w = &session->w;
	struct tenant tenant;
	const char *next;
	unsigned limit;
	int ret;

	if (session_limit(session, &limit) < 0 ||
	    session_tenant(session, session->ctl->args[0], &tenant) < 0)
		return -1;
	if (session->ctl->json) {
		json_write_key(w, "users");
		json_write_array_begin(w);
	} else {
		printf("%-36s  %-8s  %-6s  %-20s  %s\n", "ID", "ROLE",
		    "ACTIVE", "CREATED", "E-MAIL");
	}
	ret = user_service_list(session->service, session->arena, &tenant.id,
	    NULL, limit, list_row, session, &next, &session->fault);
	if (session->ctl->json)
		json_write_array_end(w);
	return ret;
}

int
ctl_user_list(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, list(&session));
}

static void
show(struct session *session, const struct user *user)
{
	if (session->ctl->json) {
		json_write_key(&session->w, "data");
		write_user(&session->w, user, NULL);
		return;
	}
	print_uuid("id", &user->id);
	print_uuid("tenant", &user->tenant_id);
	print_text("e-mail", user->email);
	print_text("user name", user->username);
	print_text("role", role_name(user->role));
	print_text("active", user->active ? "yes" : "no");
	print_time("created", user->created_us, "");
	print_time("updated", user->updated_us, "");
}

int
ctl_user_show(const struct ctl *ctl)
{
	struct session session;
	struct user user;
	int ret;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	ret = session_user(&session, &user);
	if (ret == 0)
		show(&session, &user);
	return session_close(&session, ret);
}

/* --- create --- */

/* password NULL: it is known to whoever gave it. */
static void
show_created(struct session *session, const struct user_registered *result,
    const char *password)
{
	struct json_writer *w = &session->w;

	if (session->ctl->json) {
		json_write_key(w, "user");
		write_user(w, &result->user, result->token);
		if (password != NULL)
			json_member_text(w, "password", password);
		return;
	}
	show(session, &result->user);
	if (password != NULL)
		print_text("password", password);
	print_text("token", result->token);
}

static int
create(struct session *session)
{
	const struct ctl *ctl = session->ctl;
	char password[PROMPT_LINE_MAX];
	struct user_registration input = {
		.email = ctl->args[1],
		.password = password,
		.role = ROLE_USER,
		.webhook_url = ctl->webhook
	};
	struct user_registered result;
	struct tenant tenant;
	bool is_generated;
	int ret;

	if ((ctl->role != NULL &&
	    session_role(session, ctl->role, &input.role) < 0) ||
	    session_tenant(session, ctl->args[0], &tenant) < 0)
		return -1;
	input.tenant_id = tenant.id;
	ret = prompt_password(ctl, password, &is_generated, &session->fault);
	if (ret == 0)
		ret = user_service_create(session->service, &session->caller,
		    &input, &result, &session->fault);
	if (ret == 0)
		show_created(session, &result, is_generated ? password : NULL);
	crypto_wipe(password, sizeof(password));
	return ret;
}

int
ctl_user_create(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, create(&session));
}

/* --- role, activate, deactivate --- */

static int
change(struct session *session, const struct user_change *asked,
    struct user *before_r, struct user *after_r)
{
	struct user user;

	if (session_user(session, &user) < 0)
		return -1;
	return user_service_change(session->service, &session->caller,
	    &user.id, asked, NULL, before_r, after_r, &session->fault);
}

static void
show_role(struct session *session, const struct user *before,
    const struct user *after)
{
	struct json_writer *w = &session->w;
	char id[UUID_TEXT_LEN + 1];

	if (!session->ctl->json) {
		printf("%s was %s, is %s%s\n", user_called(after, id),
		    role_name(before->role), role_name(after->role),
		    after->active ? "" : " (and not active: see wutsctl user"
		    " activate)");
		return;
	}
	json_write_key(w, "data");
	json_write_object_begin(w);
	json_member_uuid(w, "user_id", &after->id);
	json_member_text(w, "old_role", role_name(before->role));
	json_member_text(w, "new_role", role_name(after->role));
	json_write_object_end(w);
}

int
ctl_user_role(const struct ctl *ctl)
{
	struct user_change asked = { .has_role = true };
	struct user before, after;
	struct session session;
	int ret;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	ret = session_role(&session, ctl->args[1], &asked.role);
	if (ret == 0)
		ret = change(&session, &asked, &before, &after);
	if (ret == 0)
		show_role(&session, &before, &after);
	return session_close(&session, ret);
}

static int
set_active(const struct ctl *ctl, bool active)
{
	struct user_change asked = { .has_active = true, .active = active };
	struct user before, after;
	char id[UUID_TEXT_LEN + 1];
	struct session session;
	int ret;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	ret = change(&session, &asked, &before, &after);
	if (ret == 0 && ctl->json)
		show(&session, &after);
	else if (ret == 0)
		printf("%s is %s%s\n", user_called(&after, id),
		    before.active == active ? "already " : "",
		    active ? "active" : "inactive");
	return session_close(&session, ret);
}

int
ctl_user_activate(const struct ctl *ctl)
{
	return set_active(ctl, true);
}

int
ctl_user_deactivate(const struct ctl *ctl)
{
	return set_active(ctl, false);
}

/* --- delete --- */

static int
delete(struct session *session)
{
	struct json_writer *w = &session->w;
	char warning[128 + USER_EMAIL_MAX], id[UUID_TEXT_LEN + 1];
	struct user user;

	if (session_user(session, &user) < 0)
		return -1;
	snprintf(warning, sizeof(warning),
	    "this deletes user %s with its devices for good",
	    user_called(&user, id));
	if (prompt_confirm(session->ctl, warning, user_called(&user, id),
	    &session->fault) < 0 ||
	    user_service_delete(session->service, &session->caller, &user.id,
	    NULL, &session->fault) < 0)
		return -1;
	if (session->ctl->json) {
		json_write_key(w, "data");
		json_write_object_begin(w);
		json_member_uuid(w, "user_id", &user.id);
		json_write_object_end(w);
	} else {
		printf("deleted user %s\n", user_called(&user, id));
	}
	return 0;
}

int
ctl_user_delete(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, delete(&session));
}

/* --- token --- */

int
ctl_user_token(const struct ctl *ctl)
{
	char token[UUID_TEXT_LEN + 1];
	struct session session;
	struct user user;
	int ret;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	ret = session_user(&session, &user);
	if (ret == 0)
		ret = user_service_rotate_token(session.service,
		    &session.caller, &user.id, token, &session.fault);
	if (ret == 0 && ctl->json)
		json_member_text(&session.w, "token", token);
	else if (ret == 0)
		puts(token);
	crypto_wipe(token, sizeof(token));
	return session_close(&session, ret);
}
