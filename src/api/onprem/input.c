/* SPDX-License-Identifier: MIT */
/* Taking a request of the On-Premises dialect apart (spec/onprem.md §1.6,
   §1.7): no media type is asked for, `null` and nothing are no body. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/http.h"

#include "onprem_private.h"

int
onprem_take_object(struct exchange *x, const json_t **object_r,
    struct fault *fault)
{
	if (request_json(x, object_r, fault) < 0)
		return -1;
	if (*object_r == NULL || json_is_object(*object_r))
		return 0;
	if (json_is_null(*object_r)) {
		*object_r = NULL;
		return 0;
	}
	return fault_say(fault, REFUSAL_INVALID_JSON,
	    "The request must be a JSON object");
}

int
onprem_take_string(const json_t *object, const char *name,
    const char **text_r, struct fault *fault)
{
	const json_t *value = json_object_get(object, name);

	*text_r = json_string_value(value);
	if (value == NULL || *text_r != NULL)
		return value != NULL;
	return fault_add_field(fault, name, "must be a string", NULL);
}

int
onprem_need_string(const json_t *object, const char *name,
    const char **text_r, struct fault *fault)
{
	int given = onprem_take_string(object, name, text_r, fault);

	return given != 0 ? given :
	    fault_add_field(fault, name, ONPREM_IS_REQUIRED, NULL);
}
