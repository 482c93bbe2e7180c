/* SPDX-License-Identifier: MIT */
/* GET /stats/app and /stats/db (spec/onprem.md §5 H3, H4): of the tenant that
   asks. What only an engine could know is reported as none. */
#include "config.h"

#include "wuts/arena.h"
#include "wuts/callback.h"
#include "wuts/callback_service.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/monitor_service.h"

#include "onprem_private.h"

#include <stdio.h>

#define RESULT_SIZE 16

static const char *const message_types[] = { "audio", "button", "contacts",
    "document", "image", "interactive", "location", "order", "sticker",
    "system", "text", "unknown", "video", "voice" };
static const char *const contact_types[] = { "non_whatsapp_user",
    "whatsapp_user" };

static void
add_one(struct samples *s, const char *name, const char *help, uint64_t value)
{
	samples_metric(s, name, "gauge", help);
	samples_add(s, NULL, 0, value);
}

static void
add_none(struct samples *s, const char *name, const char *help,
    const char *const *types, size_t ntypes)
{
	struct sample_label label = { "type", NULL };

	samples_metric(s, name, "gauge", help);
	for (size_t i = 0; i < ntypes; i++) {
		label.value = types[i];
		samples_add(s, &label, 1, 0);
	}
}

static uint64_t
waiting(const struct exchange *x)
{
	return monitor_service_callbacks(x->service,
	    &x->caller.identity.tenant_id);
}

static const char *
result_name(int result, char buf[RESULT_SIZE])
{
	if (result == 0)
		return "success";
	snprintf(buf, RESULT_SIZE, "%d", result < 0 ? -result : result);
	return buf;
}

static void
add_durations(struct samples *s, const char *name, const char *help,
    const struct callback_count *counts, size_t n, bool is_sum)
{
	char buf[RESULT_SIZE];
	struct sample_label labels[] = { { "result", NULL },
	    { "type", NULL } };

	samples_metric(s, name, "counter", help);
	for (size_t i = 0; i < n; i++) {
		/* A release that knows more may have written it. */
		if (counts[i].type >= CALLBACK_TYPE_COUNT)
			continue;
		labels[0].value = result_name(counts[i].result, buf);
		labels[1].value = callback_type_name(counts[i].type);
		samples_add(s, labels, 2, is_sum ?
		    counts[i].sum_us / 1000 : counts[i].count);
	}
}

int
stats_get_app(struct exchange *x, struct fault *fault)
{
	struct callback_count *counts;
	struct samples s;
	size_t n;

	if (samples_begin(&s, x, "stats", "app", fault) < 0)
		return -1;
	add_one(&s, "callback_queue_size",
	    "Callbacks that wait or are under way", waiting(x));
	counts = arena_alloc(x->arena, CALLBACK_COUNTS_MAX * sizeof(*counts));
	n = callback_service_counts(x->service,
	    &x->caller.identity.tenant_id, counts, CALLBACK_COUNTS_MAX);
	add_durations(&s, "callback_requests_duration_ms_count",
	    "Requests to the webhook", counts, n, false);
	add_durations(&s, "callback_requests_duration_ms_sum",
	    "Milliseconds that they took", counts, n, true);
	return samples_end(&s);
}

int
stats_get_db(struct exchange *x, struct fault *fault)
{
	struct samples s;

	if (samples_begin(&s, x, "stats", "db", fault) < 0)
		return -1;
	add_one(&s, "db_pending_callbacks",
	    "Callbacks that wait or are under way", waiting(x));
	add_one(&s, "db_pending_messages", "Messages that wait", 0);
	add_one(&s, "db_message_receipts", "Receipts kept", 0);
	add_none(&s, "db_messages", "Messages kept", message_types,
	    sizeof(message_types) / sizeof(message_types[0]));
	add_none(&s, "db_contacts", "Contacts kept", contact_types,
	    sizeof(contact_types) / sizeof(contact_types[0]));
	return samples_end(&s);
}
