/* SPDX-License-Identifier: MIT */
/* Which addresses may be connected to. */
#ifndef WUTS_SRC_SPOOL_GUARD_H
#define WUTS_SRC_SPOOL_GUARD_H

#include <curl/curl.h>
#include <stdbool.h>

struct address_policy;

struct guard {
	const struct address_policy *policy;
	bool is_host_allowed;	/* whatever its address */
	char refused[64];	/* the last address refused, or empty */
};

/* For CURLOPT_OPENSOCKETFUNCTION; ctx is a struct guard. */
curl_socket_t guard_open_socket(void *ctx, curlsocktype purpose,
    struct curl_sockaddr *address);
/* For CURLOPT_PREREQFUNCTION, likewise. */
int guard_before_request(void *ctx, char *remote, char *local,
    int remote_port, int local_port);

#endif
