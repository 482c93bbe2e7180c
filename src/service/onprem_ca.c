/* SPDX-License-Identifier: MIT */
/* Certificates of the On-Premises dialect: what a tenant's webhooks trust, and
   what this server shows to the world. */
#include "config.h"

#include "wuts/onprem_service.h"

#include "service_private.h"
#include "wuts/arena.h"
#include "wuts/certificate.h"
#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/onprem_store.h"
#include "wuts/settings.h"

#define FIELD "certificate"
#define SERVER_FILE_MAX ((size_t)256 << 10)

struct ca_replacement {
	const char *pem;
	size_t len;
};

static int
replace_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct ca_replacement *ca = ctx;

	if (onprem_lock_as_admin(change, fault) < 0)
		return -1;
	if (onprem_store_replace_ca(change->db, &change->tenant_id, ca->pem,
	    ca->len, change->now_us, fault) < 0)
		return fault_prefix(fault, "replace CA");
	return change_audit(change, "onprem.ca_replaced", &change->tenant_id,
	    NULL, NULL, fault);
}

int
onprem_service_set_ca(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, const char *pem, size_t len,
    struct fault *fault)
{
	struct ca_replacement ca = { .pem = pem, .len = len };
	const char *problem;

	fault_clear(fault);
	problem = certificate_check_bundle(pem, len,
	    ONPREM_CA_CERTIFICATES_MAX);
	if (problem != NULL) {
		fault_add_field(fault, FIELD, problem, NULL);
		return service_refuse_fields(fault);
	}
	if (change_run(service, caller, tenant_id, replace_body, &ca,
	    fault) < 0)
		return fault_prefix(fault, "set CA");
	return 0;
}

static int
refuse_no_ca(struct fault *fault)
{
	return fault_say(fault, REFUSAL_CERTIFICATE_NOT_FOUND,
	    "No webhook CA certificates found");
}

int
onprem_service_get_ca(struct service *service, struct arena *arena,
    const struct uuid *tenant_id, const uint8_t **pem_r, size_t *len_r,
    struct fault *fault)
{
	int found;

	found = onprem_store_find_ca(service->db, arena, tenant_id, pem_r,
	    len_r, fault);
	if (found < 0)
		return fault_prefix(fault, "find CA");
	return found == 1 ? 0 : refuse_no_ca(fault);
}

static int
delete_body(struct change *change, void *ctx, struct fault *fault)
{
	int deleted;

	(void)ctx;
	if (onprem_lock_as_admin(change, fault) < 0)
		return -1;
	deleted = onprem_store_delete_ca(change->db, &change->tenant_id,
	    fault);
	if (deleted < 0)
		return fault_prefix(fault, "delete CA");
	return deleted == 0 ? refuse_no_ca(fault) :
	    change_audit(change, "onprem.ca_deleted", &change->tenant_id,
	    NULL, NULL, fault);
}

int
onprem_service_delete_ca(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, struct fault *fault)
{
	fault_clear(fault);
	if (change_run(service, caller, tenant_id, delete_body, NULL,
	    fault) < 0)
		return fault_prefix(fault, "delete CA");
	return 0;
}

/* --- the server's own --- */

static int
note_body(struct change *change, void *ctx, struct fault *fault)
{
	(void)ctx;
	if (onprem_lock_as_admin(change, fault) < 0)
		return -1;
	return change_audit(change, "onprem.certificate_replaced",
	    &change->tenant_id, NULL, NULL, fault);
}

/* The entry in the trail first: a file that was replaced without one would be
   nobody's doing. */
int
onprem_service_set_certificate(struct service *service,
    const struct caller *caller, const struct uuid *tenant_id,
    const char *pem, size_t len, struct fault *fault)
{
	const char *path = service->settings->onprem_certificate_file;
	const char *problem;

	fault_clear(fault);
	if (path[0] == '\0')
		return fault_say(fault, REFUSAL_FORBIDDEN,
		    "This server does not take certificates");
	problem = certificate_check_server(pem, len);
	if (problem != NULL) {
		fault_add_field(fault, FIELD, problem, NULL);
		return service_refuse_fields(fault);
	}
	if (change_run(service, caller, tenant_id, note_body, NULL,
	    fault) < 0)
		return fault_prefix(fault, "set certificate");
	return file_replace(path, pem, len, 0600, fault);
}

int
onprem_service_get_certificate_ca(struct service *service,
    struct arena *arena, const char **pem_r, struct fault *fault)
{
	const char *path = service->settings->onprem_certificate_file;
	struct strbuf file = STRBUF_INIT;
	const char *chain = NULL;
	struct fault unread;

	fault_clear(&unread);
	if (path[0] != '\0' &&
	    file_read(path, SERVER_FILE_MAX, &file, &unread) == 0)
		chain = certificate_find_chain(file.data);
	if (chain != NULL)
		*pem_r = arena_strdup(arena, chain);
	if (file.data != NULL)
		crypto_wipe(file.data, file.len);
	strbuf_deinit(&file);
	return chain != NULL ? 0 : fault_say(fault,
	    REFUSAL_CERTIFICATE_NOT_FOUND, "No CA certificate found");
}
