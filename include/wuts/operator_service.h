/* SPDX-License-Identifier: MIT */
/* Things by the names that people use for them, for the operator: over HTTP
   everything is named by its id. */
#ifndef WUTS_OPERATOR_SERVICE_H
#define WUTS_OPERATOR_SERVICE_H

struct fault;
struct service;
struct tenant;
struct user;
struct uuid;

/* The tenant that text names: by its id, or by its name in whatever case. An
   id goes before a name that looks like one. 1 / 0 / -1 FAULT_DATABASE. */
int operator_service_find_tenant(struct service *service, const char *text,
    struct tenant *tenant_r, struct fault *fault);

/* By e-mail in whatever case, else by user name. 1 / 0 / -1 FAULT_DATABASE. */
int operator_service_find_user(struct service *service,
    const struct uuid *tenant_id, const char *email, struct user *user_r,
    struct fault *fault);

#endif
