/* SPDX-License-Identifier: MIT */
/* Certificates (spec/onprem.md §4, C1-C5): PEM text goes in and comes out byte
   for byte. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/onprem_service.h"
#include "wuts/settings.h"

#include "onprem_private.h"

#include <string.h>

static int
take_pem(struct exchange *x, const char **pem_r, size_t *len_r,
    struct fault *fault)
{
	if (request_body(x, pem_r, len_r, NULL, fault) < 0)
		return -1;
	return *len_r > 0 ? 0 : fault_add_field(fault, "certificate",
	    ONPREM_IS_REQUIRED, NULL);
}

static int
answer_pem(struct exchange *x, const void *pem, size_t len)
{
	response_status(x, 200);
	response_header(x, "Content-Type", "text/plain;charset=UTF-8");
	response_header(x, "Content-Disposition",
	    "attachment; filename=\"ca.pem\"");
	strbuf_append(&x->response.body, pem, len);
	return 0;
}

int
certificates_set_ca(struct exchange *x, struct fault *fault)
{
	const char *pem;
	size_t len;

	if (take_pem(x, &pem, &len, fault) < 0)
		return -1;

	if (onprem_service_set_ca(x->service, &x->caller,
	    &x->caller.identity.tenant_id, pem, len, fault) < 0)
		return -1;
	return onprem_answer_empty(x);
}

int
certificates_get_ca(struct exchange *x, struct fault *fault)
{
	const uint8_t *pem;
	size_t len;

	if (onprem_service_get_ca(x->service, x->arena,
	    &x->caller.identity.tenant_id, &pem, &len, fault) < 0)
		return -1;
	return answer_pem(x, pem, len);
}

int
certificates_delete_ca(struct exchange *x, struct fault *fault)
{
	if (onprem_service_delete_ca(x->service, &x->caller,
	    &x->caller.identity.tenant_id, fault) < 0)
		return -1;
	return onprem_answer_empty(x);
}

/* Where the feature is off, nothing that was sent matters. */
int
certificates_set_external(struct exchange *x, struct fault *fault)
{
	const char *pem;
	size_t len;

	if (request_body(x, &pem, &len, NULL, fault) < 0)
		return -1;
	if (x->settings->onprem_certificate_file[0] != '\0' && len == 0)
		return take_pem(x, &pem, &len, fault);

	if (onprem_service_set_certificate(x->service, &x->caller,
	    &x->caller.identity.tenant_id, pem, len, fault) < 0)
		return -1;
	return onprem_answer_empty(x);
}

int
certificates_get_external_ca(struct exchange *x, struct fault *fault)
{
	const char *pem;

	if (onprem_service_get_certificate_ca(x->service, x->arena, &pem,
	    fault) < 0)
		return -1;
	return answer_pem(x, pem, strlen(pem));
}
