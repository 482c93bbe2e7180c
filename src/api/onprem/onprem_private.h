/* SPDX-License-Identifier: MIT */
/* What the files of the On-Premises dialect share. */
#ifndef WUTS_API_ONPREM_PRIVATE_H
#define WUTS_API_ONPREM_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct exchange;
struct fault;
struct json_writer;

/* --- handlers: 0, or -1 with the fault --- */

int root_greet(struct exchange *x, struct fault *fault);
int accounts_login(struct exchange *x, struct fault *fault);
int accounts_logout(struct exchange *x, struct fault *fault);
int accounts_create(struct exchange *x, struct fault *fault);
int accounts_get(struct exchange *x, struct fault *fault);
int accounts_update(struct exchange *x, struct fault *fault);
int accounts_delete(struct exchange *x, struct fault *fault);
int settings_get(struct exchange *x, struct fault *fault);
int settings_patch(struct exchange *x, struct fault *fault);
int settings_reset(struct exchange *x, struct fault *fault);
int certificates_set_ca(struct exchange *x, struct fault *fault);
int certificates_get_ca(struct exchange *x, struct fault *fault);
int certificates_delete_ca(struct exchange *x, struct fault *fault);
int certificates_set_external(struct exchange *x, struct fault *fault);
int certificates_get_external_ca(struct exchange *x, struct fault *fault);
int health_get(struct exchange *x, struct fault *fault);
int metrics_get(struct exchange *x, struct fault *fault);
int stats_get_app(struct exchange *x, struct fault *fault);
int stats_get_db(struct exchange *x, struct fault *fault);
int support_get(struct exchange *x, struct fault *fault);
/* Every route that nginx relays. */
int relay_authorise(struct exchange *x, struct fault *fault);

/* --- auth.c --- */

/* A route that the operator's key opens, too. */
#define ONPREM_APIKEY ROUTE_OF_DIALECT(0)

int onprem_authenticate(struct exchange *x, struct fault *fault);
/* The log-in's credentials, in the arena. -1: REFUSAL_UNAUTHORIZED. */
int onprem_take_basic(const struct exchange *x, const char **username_r,
    const char **password_r, struct fault *fault);
/* Is this the log-in, which is the only one to ask for Basic? */
bool onprem_is_login(const struct exchange *x);

/* --- input.c --- */

/* The body, borrowed from the exchange; NULL: there is none. -1:
   REFUSAL_INVALID_JSON, REFUSAL_PAYLOAD_TOO_LARGE. */
int onprem_take_object(struct exchange *x, const json_t **object_r,
    struct fault *fault);
/* A member of it, or of NULL. 1 / 0: absent / -1: REFUSAL_VALIDATION. */
int onprem_take_string(const json_t *object, const char *name,
    const char **text_r, struct fault *fault);
/* The same of one that must be there. */
int onprem_need_string(const json_t *object, const char *name,
    const char **text_r, struct fault *fault);

/* --- error.c: the envelopes --- */

/* Begin an answer; write the payload's member; end it with meta (returns
   0). */
struct json_writer *onprem_begin(struct exchange *x, unsigned status);
int onprem_end(struct exchange *x);
/* Nothing but meta. */
int onprem_answer_empty(struct exchange *x);

/* A field with this message is missing, any other message says it is bad. */
#define ONPREM_IS_REQUIRED "is required"

/* --- samples.c: numbers, in JSON or as Prometheus reads them --- */

struct samples {
	struct exchange *x;
	struct json_writer *w;
	bool is_text;		/* ?format=prometheus */
	bool is_nested;
	bool has_metric;
	const char *name;	/* of the metric */
};
struct sample_label {
	const char *name;
	const char *value;
};

/* outer, and inner unless NULL: the members around them in JSON. -1: the
   query asks for another form. */
int samples_begin(struct samples *s, struct exchange *x, const char *outer,
    const char *inner, struct fault *fault);
void samples_metric(struct samples *s, const char *name, const char *type,
    const char *help);
/* Labels sorted by name. */
void samples_add(struct samples *s, const struct sample_label *labels,
    size_t nlabels, uint64_t value);
int samples_end(struct samples *s);

/* --- relay.c --- */

/* When nginx only asks: what the answer's body would say, as a header. */
void onprem_relay_say(struct exchange *x);

/* --- error.c: errors and headers --- */

void onprem_write_error(struct exchange *x, const struct fault *fault);
void onprem_add_headers(struct exchange *x);

#endif
