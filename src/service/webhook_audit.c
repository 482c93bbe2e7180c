/* SPDX-License-Identifier: MIT */
/* What the audit trail says of a webhook: no secret, no header, and of its URL
   only the origin. */
#include "config.h"

#include "webhook_private.h"

#include "wuts/fault.h"
#include "wuts/json.h"

#include <string.h>

size_t
webhook_origin_length(const char *url)
{
	const char *host = strstr(url, "://");

	if (host == NULL)
		return 0;
	host += 3;
	return (size_t)(host - url) + strcspn(host, "/?#");
}

static void
describe(struct strbuf *out, const struct webhook *webhook)
{
	char id[3 + 2 * WEBHOOK_ID_LEN + 1] = "wh_";
	struct json_writer w;

	crypto_hex(webhook->id, sizeof(webhook->id), id + 3);
	json_writer_init(&w, out);
	json_write_object_begin(&w);
	json_member_text(&w, "webhook_id", id);
	json_write_key(&w, "origin");
	json_write_string_len(&w, webhook->url,
	    webhook_origin_length(webhook->url));
	json_write_key(&w, "enabled_events");
	json_write_raw(&w, webhook->enabled_events,
	    strlen(webhook->enabled_events));
	json_member_bool(&w, "enabled", webhook->enabled);
	json_write_object_end(&w);
}

int
webhook_audit(struct change *change, const char *action,
    const struct webhook *before, const struct webhook *after,
    struct fault *fault)
{
	const struct webhook *webhook = after != NULL ? after : before;
	struct strbuf old_value = STRBUF_INIT, new_value = STRBUF_INIT;
	const struct uuid *target_id = &webhook->device_id;
	int ret;

	if (uuid_is_nil(target_id))
		target_id = &webhook->tenant_id;
	if (before != NULL)
		describe(&old_value, before);
	if (after != NULL)
		describe(&new_value, after);
	ret = change_audit(change, action, target_id, old_value.data,
	    new_value.data, fault);
	strbuf_deinit(&new_value);
	strbuf_deinit(&old_value);
	return ret;
}
