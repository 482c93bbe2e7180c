/* SPDX-License-Identifier: MIT */
/* What the files of the Wacht users dialect (spec/wacht.md) share: the
   handlers that routes.c lists, the ways of taking a request apart, and the
   scalars and lists of its answers. */
#ifndef WUTS_API_WACHT_PRIVATE_H
#define WUTS_API_WACHT_PRIVATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange;
struct fault;
struct input_field;
struct json_writer;
struct uuid;

/* --- handlers: 0, or -1 with the fault --- */

int wacht_users_list(struct exchange *x, struct fault *fault);
int wacht_users_create(struct exchange *x, struct fault *fault);
int wacht_users_get(struct exchange *x, struct fault *fault);
int wacht_users_update(struct exchange *x, struct fault *fault);
int wacht_users_delete(struct exchange *x, struct fault *fault);
int wacht_password_set(struct exchange *x, struct fault *fault);
int wacht_password_remove(struct exchange *x, struct fault *fault);

int wacht_emails_add(struct exchange *x, struct fault *fault);
int wacht_emails_update(struct exchange *x, struct fault *fault);
int wacht_emails_delete(struct exchange *x, struct fault *fault);
int wacht_emails_make_primary(struct exchange *x, struct fault *fault);

int wacht_phones_add(struct exchange *x, struct fault *fault);
int wacht_phones_update(struct exchange *x, struct fault *fault);
int wacht_phones_delete(struct exchange *x, struct fault *fault);
int wacht_phones_make_primary(struct exchange *x, struct fault *fault);

/* --- auth.c, error.c --- */

/* Who asks (§1.2): an API key of a tenant, or an active admin of it. */
int wacht_authenticate(struct exchange *x, struct fault *fault);
void wacht_write_error(struct exchange *x, const struct fault *fault);

/* --- input.c: the first lines of every handler --- */

/* {user_id} of the path, and that every query parameter stands there once and
   is UTF-8. -1: REFUSAL_NOT_FOUND (an encoded slash), REFUSAL_VALIDATION. */
int wacht_input_user(struct exchange *x, struct uuid *user_id_r,
    struct fault *fault);
/* The same and the second id of the path, called name in a refusal. */
int wacht_input_user_and(struct exchange *x, const char *name,
    struct uuid *user_id_r, struct uuid *id_r, struct fault *fault);

/* The body as request_object() takes it, but without any media type or with
   another one than JSON it is REFUSAL_MEDIA_TYPE. Routes with fields have
   WACHT_JSON, those without WACHT_NO_BODY as their flags. */
int wacht_input_object(struct exchange *x, const struct input_field *fields,
    size_t nfields, const json_t **values_r, struct fault *fault);
#define WACHT_JSON (ROUTE_ANY_MEDIA | ROUTE_BODY_KIB(64))
#define WACHT_FORM (ROUTE_ANY_MEDIA | ROUTE_BODY_KIB(6144))
#define WACHT_NO_BODY (ROUTE_ANY_MEDIA | ROUTE_BODY_KIB(6144))

/* ?name=true or false; false when absent. -1: anything else. */
int wacht_input_query_bool(const struct exchange *x, const char *name,
    bool *value_r, struct fault *fault);

/* ?name= as a number of digits, at most max; *value_r stays when absent. A
   field is added to fault for anything else. */
void wacht_input_query_number(const struct exchange *x, const char *name,
    uint64_t max, uint64_t *value_r, struct fault *fault);
#define LIST_DEFAULT 10
#define LIST_MAX 1000
/* ?search= without white space at both ends; NULL when nothing is left. */
void wacht_input_query_search(struct exchange *x, const char **search_r,
    struct fault *fault);

/* --- shapes.c: scalars, members of an object that stands open --- */

/* --- shapes.c: answers --- */

/* 200 and {}. Returns 0. */
int wacht_answer_nothing(struct exchange *x);
/* {"data":[, whose items follow; then the other members of a list. */
struct json_writer *wacht_list_begin(struct exchange *x);
int wacht_list_end(struct exchange *x, uint64_t total, uint64_t limit,
    uint64_t offset, bool has_more);
/* A list that gave all its n items. */
int wacht_list_end_whole(struct exchange *x, size_t n);

#endif
