/* SPDX-License-Identifier: MIT */
/* Whether a webhook's settings may be what a client sent (spec/wuts.md §4
   "Webhooks"). Every problem is named, not only the first. */
#include "config.h"

#include "webhook_private.h"

#include "wuts/event.h"
#include "wuts/fault.h"
#include "wuts/json.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static void
check_range(struct fault *fault, const char *field, long value, long min,
    long max)
{
	char message[80], text[24];

	if (value >= min && value <= max)
		return;
	snprintf(message, sizeof(message), "must be %ld to %ld", min, max);
	snprintf(text, sizeof(text), "%ld", value);
	fault_add_field(fault, field, message, text);
}

/* Names are compared as HTTP does; at most WEBHOOK_HEADERS_MAX of them. */
static bool
is_name_taken(const struct webhook_header *headers, size_t n,
    const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcasecmp(headers[i].name, name) == 0)
			return true;
	return false;
}

/* Values of headers may be credentials: they are never echoed. */
static void
check_headers(const struct webhook_input *input, struct fault *fault)
{
	char field[64], message[80];
	const char *problem;
	size_t i;

	if (input->nheaders > WEBHOOK_HEADERS_MAX) {
		snprintf(message, sizeof(message), "must be at most %d",
		    WEBHOOK_HEADERS_MAX);
		fault_add_field(fault, "headers", message, NULL);
		return;
	}
	for (i = 0; i < input->nheaders; i++) {
		problem = webhook_header_check(input->headers[i].name,
		    input->headers[i].value);
		if (problem == NULL && is_name_taken(input->headers, i,
		    input->headers[i].name))
			problem = "is there twice, in another case";
		if (problem == NULL)
			continue;
		snprintf(field, sizeof(field), "headers.%.40s",
		    input->headers[i].name);
		fault_add_field(fault, field, problem, "***");
	}
}

static int
check_event_names(const struct webhook_input *input, struct fault *fault)
{
	size_t i;

	for (i = 0; i < input->nevents; i++)
		if (event_pattern_find(input->events[i]) < 0)
			return fault_say(fault, REFUSAL_UNKNOWN_EVENT,
			    "unknown event: %.*s", EVENT_NAME_MAX,
			    input->events[i]);
	return 0;
}

int
webhook_input_check(const struct service *service,
    const struct webhook_input *input, struct fault *fault)
{
	struct webhook_policy policy = service_webhook_policy(service);
	const char *problem;

	fault_clear(fault);
	problem = input->url == NULL ? "is required" :
	    webhook_url_check(input->url, &policy);
	if (problem != NULL)
		fault_add_field(fault, "webhook_url", problem,
		    service_webhook_url_shown(input->url));
	if (input->nevents == 0)
		fault_add_field(fault, "enabled_events",
		    "must name at least one event", NULL);
	check_range(fault, "retry_attempts", input->retry_attempts, 0,
	    WEBHOOK_RETRY_MAX);
	check_range(fault, "timeout", input->timeout_s, 1,
	    WEBHOOK_TIMEOUT_MAX_S);
	check_range(fault, "max_concurrency", input->max_concurrency, 1,
	    WEBHOOK_CONCURRENCY_MAX);
	check_range(fault, "rate_limit", input->rate_limit, 0,
	    WEBHOOK_RATE_MAX);
	problem = input->secret == NULL ? NULL :
	    webhook_secret_check(input->secret);
	if (problem != NULL)
		fault_add_field(fault, "secret", problem, "***");
	check_headers(input, fault);
	if (fault->nfields > 0)
		return service_refuse_fields(fault);
	return check_event_names(input, fault);
}

/* As asked, each name or pattern once. */
void
webhook_write_events(struct strbuf *out, const char *const *events,
    size_t nevents)
{
	bool is_there[EVENT_PATTERN_LIMIT] = { false };
	struct json_writer w;
	int number;
	size_t i;

	json_writer_init(&w, out);
	json_write_array_begin(&w);
	for (i = 0; i < nevents; i++) {
		number = event_pattern_find(events[i]);
		if (number < 0 || is_there[number])
			continue;
		is_there[number] = true;
		json_write_string(&w, events[i]);
	}
	json_write_array_end(&w);
}
