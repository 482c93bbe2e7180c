/* SPDX-License-Identifier: MIT */
/* What the tests of the request path stand on: an exchange on one end of a
   socket pair, the web server's side on the other, and stand-ins of the
   services that src/http calls. */
#ifndef WUTS_TEST_HTTP_RIG_H
#define WUTS_TEST_HTTP_RIG_H

#include "wuts/http.h"
#include "wuts/settings.h"

#include "fcgi_client.h"

/* What the identity service is to do, and what it was asked. */
struct fake {
	unsigned wait_s;
	unsigned failures;
	unsigned lookups;
	bool is_database_down;
};
extern struct fake fake;
/* Who may read metrics without a token. */
#define FAKE_METRICS_ADDRESS "203.0.113.99"

/* The one row of the idempotency service. */
struct kept {
	char key[300], target[300], body[300];
	unsigned status;		/* 0: in flight */
	char text[4096];
	size_t len;
	bool exists;
	unsigned finished, abandoned;	/* since the row was made */
};
extern struct kept kept;

/* What the service stores inside a transaction. */
void keep(const struct idempotency_answer *answer);

struct rig {
	struct settings settings;
	struct exchange x;
	FCGX_Request fcgi;
	int client;
	char origin[32];
	const struct dialect *dialect;	/* the test's main() sets it */
};
extern struct rig rig;

int rig_set_up(void **state);
int rig_tear_down(void **state);
void connect_rig(void);
void hang_up(void);
/* Serve what waits on the connection; as the worker does it. */
void serve_one(void);

/* For dialects: the fault as it is, so that tests see it. */
void write_fault(struct exchange *x, const struct fault *fault);

struct ask {
	const char *method, *uri, *authorization, *content_type, *length;
	const char *id, *origin, *server_error, *server_relay, *key;
	const char *body;
	size_t body_len;	/* 0: the string's */
	bool is_kept;
};
#define ASK(...) (&(const struct ask) { __VA_ARGS__ })

void ask(const struct ask *a, struct fcgi_answer *answer);
/* The answer has this status, and this in its body (NULL: anything). */
void expect(const struct ask *a, unsigned status, const char *in_body);
/* value NULL: there is no such header. */
void expect_header(const struct ask *a, const char *name, const char *value);

#endif
