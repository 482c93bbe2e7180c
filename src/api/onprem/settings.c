/* SPDX-License-Identifier: MIT */
/* The application settings (spec/onprem.md §3, S1-S3). */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/onprem_service.h"

#include "onprem_private.h"

int
settings_get(struct exchange *x, struct fault *fault)
{
	struct onprem onprem;
	struct json_writer *w;
	int found;

	found = onprem_service_get(x->service, &x->caller.identity.tenant_id,
	    &onprem, fault);
	if (found < 0)
		return -1;
	if (found == 0)
		return fault_say(fault, FAULT_NOT_READY, "The tenant does not"
		    " speak this dialect any more");

	w = onprem_begin(x, 200);
	json_write_key(w, "settings");
	json_write_object_begin(w);
	json_write_key(w, "application");
	onprem_settings_write(w, &onprem.settings, onprem.wa_id);
	json_write_object_end(w);
	return onprem_end(x);
}

int
settings_patch(struct exchange *x, struct fault *fault)
{
	const json_t *body;

	if (onprem_take_object(x, &body, fault) < 0)
		return -1;
	if (body == NULL)
		return fault_add_field(fault, "The body", ONPREM_IS_REQUIRED,
		    NULL);

	if (onprem_service_patch(x->service, &x->caller,
	    &x->caller.identity.tenant_id, body, fault) < 0)
		return -1;
	return onprem_answer_empty(x);
}

int
settings_reset(struct exchange *x, struct fault *fault)
{
	if (onprem_service_reset(x->service, &x->caller,
	    &x->caller.identity.tenant_id, fault) < 0)
		return -1;
	return onprem_answer_empty(x);
}
