/* SPDX-License-Identifier: MIT */
/* The two datagrams of a test delivery. Both ends run as the same user, but
   what arrives is judged as if they did not. */
#include "config.h"

#include "wuts/trial.h"

#include "wuts/event.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/strbuf.h"

#include <limits.h>
#include <string.h>

void
trial_request_format(struct strbuf *out, const struct trial_request *request)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_write_object_begin(&w);
	json_member_uuid(&w, "id", &request->id);
	json_member_uuid(&w, "tenant", &request->tenant_id);
	json_member_uuid(&w, "device", &request->device_id);
	json_member_text(&w, "event", request->event);
	json_member_text(&w, "body", request->body);
	json_write_object_end(&w);
}

void
trial_reply_format(struct strbuf *out, const struct trial_reply *reply)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_write_object_begin(&w);
	json_member_uuid(&w, "id", &reply->id);
	json_member_int(&w, "end", reply->end);
	json_member_int(&w, "status", reply->status);
	json_member_int(&w, "duration", reply->duration_us);
	json_member_text(&w, "error", reply->error);
	json_member_text(&w, "excerpt", reply->excerpt);
	json_write_object_end(&w);
}

static bool
read_id(json_t *tree, const char *key, struct uuid *id_r)
{
	json_t *value = json_object_get(tree, key);

	return json_is_string(value) && uuid_parse(json_string_value(value),
	    json_string_length(value), id_r);
}

static bool
read_text(json_t *tree, const char *key, const char **text_r)
{
	*text_r = json_string_value(json_object_get(tree, key));
	return *text_r != NULL;
}

static bool
read_int(json_t *tree, const char *key, int64_t max, int64_t *value_r)
{
	json_t *value = json_object_get(tree, key);

	*value_r = json_integer_value(value);
	return json_is_integer(value) && *value_r >= 0 && *value_r <= max;
}

json_t *
trial_request_parse(const char *data, size_t len,
    struct trial_request *request_r)
{
	struct fault ignored;
	json_t *tree;

	fault_clear(&ignored);
	tree = json_text_parse(data, len, &ignored);
	if (tree != NULL && read_id(tree, "id", &request_r->id) &&
	    read_id(tree, "tenant", &request_r->tenant_id) &&
	    read_id(tree, "device", &request_r->device_id) &&
	    read_text(tree, "event", &request_r->event) &&
	    event_find(request_r->event) >= 0 &&
	    read_text(tree, "body", &request_r->body))
		return tree;
	json_decref(tree);
	return NULL;
}

json_t *
trial_reply_parse(const char *data, size_t len, struct trial_reply *reply_r)
{
	struct fault ignored;
	int64_t end, status;
	json_t *tree;

	fault_clear(&ignored);
	tree = json_text_parse(data, len, &ignored);
	if (tree != NULL && read_id(tree, "id", &reply_r->id) &&
	    read_int(tree, "end", TRIAL_FAILED, &end) &&
	    read_int(tree, "status", 999, &status) &&
	    read_int(tree, "duration", INT64_MAX, &reply_r->duration_us) &&
	    read_text(tree, "error", &reply_r->error) &&
	    read_text(tree, "excerpt", &reply_r->excerpt)) {
		reply_r->end = (enum trial_end)end;
		reply_r->status = (unsigned)status;
		return tree;
	}
	json_decref(tree);
	return NULL;
}
