/* SPDX-License-Identifier: MIT */
/* Resealing, shared among its files. */
#ifndef WUTS_KEY_PRIVATE_H
#define WUTS_KEY_PRIVATE_H

struct fault;
struct key_reseal;
struct service;
struct uuid;

/* What hangs on the users of a tenant; adds to total. */
int key_reseal_details(struct service *service, const struct uuid *tenant_id,
    struct key_reseal *total, struct fault *fault);

#endif
