/* SPDX-License-Identifier: MIT */
/* The commands of wutsctl and what they share. */
#ifndef WUTS_CTL_PRIVATE_H
#define WUTS_CTL_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/service.h"
#include "wuts/strbuf.h"

struct arena;
struct settings;
struct tenant;
struct user;
struct uuid;

/* Exit statuses: done, failed, called the wrong way. */
enum {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2
};

#define CTL_ARGS_MAX 4

/* The command line, taken apart. Texts are valid UTF-8; what was not given is
   NULL. */
struct ctl {
	const char *config;	/* NULL: the default */
	const char *sql_dir;
	const char *action, *after, *device, *event, *expires, *limit, *role,
	    *scope, *since, *state, *tenant, *user, *webhook;
	bool json, yes, check, dead, generate, finish, secrets, step;
	const char *args[CTL_ARGS_MAX];
};

/* One line on standard error, "wutsctl: …", and what to do where we know; a
   line for each field that was refused. Returns CTL_FAILED. */
int ctl_failed(const struct fault *fault);

/* 0: limit_r is --limit, or 0 when it was not given. -1: it is no number. */
int ctl_limit(const struct ctl *ctl, unsigned *limit_r, struct fault *fault);

int ctl_init(const struct ctl *ctl);
int ctl_migrate(const struct ctl *ctl);
int ctl_doctor(const struct ctl *ctl);
int ctl_export(const struct ctl *ctl);
int ctl_import(const struct ctl *ctl);
int ctl_top(const struct ctl *ctl);
int ctl_trace(const struct ctl *ctl);

int ctl_onprem_disable(const struct ctl *ctl);
int ctl_onprem_enable(const struct ctl *ctl);
int ctl_onprem_show(const struct ctl *ctl);

int ctl_queue_drop(const struct ctl *ctl);
int ctl_queue_list(const struct ctl *ctl);
int ctl_queue_retry(const struct ctl *ctl);
int ctl_queue_show(const struct ctl *ctl);
int ctl_queue_status(const struct ctl *ctl);
int ctl_queue_verify(const struct ctl *ctl);

int ctl_audit_list(const struct ctl *ctl);
int ctl_audit_verify(const struct ctl *ctl);

int ctl_key_create(const struct ctl *ctl);
int ctl_key_delete(const struct ctl *ctl);
int ctl_key_list(const struct ctl *ctl);
int ctl_key_rotate(const struct ctl *ctl);

int ctl_matrix_allow(const struct ctl *ctl);
int ctl_matrix_deny(const struct ctl *ctl);
int ctl_matrix_reset(const struct ctl *ctl);
int ctl_matrix_show(const struct ctl *ctl);

int ctl_tenant_create(const struct ctl *ctl);
int ctl_tenant_policy(const struct ctl *ctl);
int ctl_tenant_delete(const struct ctl *ctl);
int ctl_tenant_list(const struct ctl *ctl);
int ctl_tenant_show(const struct ctl *ctl);

int ctl_user_activate(const struct ctl *ctl);
int ctl_user_create(const struct ctl *ctl);
int ctl_user_deactivate(const struct ctl *ctl);
int ctl_user_delete(const struct ctl *ctl);
int ctl_user_list(const struct ctl *ctl);
int ctl_user_role(const struct ctl *ctl);
int ctl_user_show(const struct ctl *ctl);
int ctl_user_token(const struct ctl *ctl);

/* Create the database where needed and bring its schema up to date, saying
   what is done. CTL_OK or CTL_FAILED. */
int ctl_apply_schema(const struct ctl *ctl, const struct settings *settings);

/* --- nginx.c --- */

/* What an nginx configuration, with all that it includes, says about us. */
struct nginx_facts {
	unsigned passes;	/* fastcgi_pass to our socket */
	unsigned without_authorization;	/* of these: it is cut off */
	unsigned keepalive;	/* of these: upstream with keepalive */
	unsigned without_keep_conn;	/* of these: it is in vain */
	unsigned onprem;	/* servers of the On-Premises dialect */
	unsigned onprem_engines;	/* of these: with an engine */
	unsigned engine_locations;
	unsigned engines_without_pass;	/* of these: lead nowhere */
	unsigned servers_without_engine;	/* pass to us, have none, and
					   are no On-Premises ones */
};

/* engine: setting engine_location; empty: the name that the relay which comes
   with WUTS has is looked for. -1: FAULT_CONFIG, a file cannot be read or
   understood. */
int nginx_facts_read(const char *path, const char *socket,
    const char *engine, struct nginx_facts *facts_r, struct fault *fault);

/* --- session.c: one command that calls the services --- */

struct session {
	const struct ctl *ctl;
	struct settings *settings;
	struct service *service;
	struct arena *arena;
	struct caller caller;	/* the operator */
	struct fault fault;
	struct strbuf out;	/* of --json, written out as it grows */
	struct json_writer w;
};

/* Configuration, privileges, services; in --json the object has begun. False:
   it was said why. */
bool session_open(struct session *session, const struct ctl *ctl);

/* Ends the object of --json, or says what session->fault holds when ret is -1.
   Frees everything. Returns the exit status. */
int session_close(struct session *session, int ret);

/* Write out what has gathered when it is much: lists stream. */
void session_flush(struct session *session);

/* The tenant that the text names by its id or its name, the user that the
   command's first argument names by its id, or with --tenant by its e-mail.
   0 / -1. */
int session_tenant(struct session *session, const char *text,
    struct tenant *tenant_r);
int session_user(struct session *session, struct user *user_r);

/* The role of that name. 0 / -1. */
int session_role(struct session *session, const char *text,
    enum role *role_r);

/* As ctl_limit(). */
int session_limit(struct session *session, unsigned *limit_r);

/* --- prompt.c: what is asked of the person, or of standard input --- */

#define PROMPT_LINE_MAX 1024

/* A password: with --generate made up, *is_generated_r true; on a terminal
   asked for twice without echo; else the first line of standard input. The
   caller wipes it. 0 / -1. */
int prompt_password(const struct ctl *ctl, char password_r[PROMPT_LINE_MAX],
    bool *is_generated_r, struct fault *fault);

/* What cannot be undone: 0 when --yes was given or what was typed on the
   terminal again. */
int prompt_confirm(const struct ctl *ctl, const char *warning,
    const char *name, struct fault *fault);

/* --- shape.c: how things look, for people and for programs --- */

/* A line "name      value". */
void print_text(const char *name, const char *value);
void print_uuid(const char *name, const struct uuid *uuid);
/* us 0: the word for never. */
void print_time(const char *name, int64_t us, const char *never);
void print_number(const char *name, uint64_t number);

void write_number(struct json_writer *w, const char *key, uint64_t number);

void write_tenant_members(struct json_writer *w, const struct tenant *tenant);
/* token NULL: without. */
void write_user(struct json_writer *w, const struct user *user,
    const char *token);

#endif
