/* SPDX-License-Identifier: MIT */
/* GET /stats/app and /stats/db (spec/onprem.md §5 H3, H4): of the tenant that
   asks. What only an engine could know is reported as none. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/monitor_service.h"

#include "onprem_private.h"

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

int
stats_get_app(struct exchange *x, struct fault *fault)
{
	struct samples s;

	if (samples_begin(&s, x, "stats", "app", fault) < 0)
		return -1;
	add_one(&s, "callback_queue_size",
	    "Callbacks that wait or are under way", waiting(x));
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
