/* SPDX-License-Identifier: MIT */
/* The address guard: the last word on where a delivery connects, asked for the
   very address that libcurl is about to use, after name resolution. So a name
   that resolves to something else a moment later gains nothing. Asked again
   before each request, because a kept connection may have been made under a
   policy that allowed more. */
#include "config.h"

#include "guard.h"

#include "wuts/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

static void
describe(const struct sockaddr *address, char *out, size_t size)
{
	const void *bytes = NULL;

	if (address->sa_family == AF_INET)
		bytes = &((const struct sockaddr_in *)(const void *)address)
		    ->sin_addr;
	else if (address->sa_family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)(const void *)address)
		    ->sin6_addr;
	if (bytes == NULL || inet_ntop(address->sa_family, bytes, out,
	    (socklen_t)size) == NULL)
		snprintf(out, size, "of family %d", address->sa_family);
}

static bool
may_connect(const struct guard *guard, const struct sockaddr *address)
{
	if (guard->is_host_allowed && (address->sa_family == AF_INET ||
	    address->sa_family == AF_INET6))
		return true;
	return address_may_connect(guard->policy, address);
}

curl_socket_t
guard_open_socket(void *ctx, curlsocktype purpose,
    struct curl_sockaddr *address)
{
	struct guard *guard = ctx;
	int fd;

	if (purpose != CURLSOCKTYPE_IPCXN ||
	    !may_connect(guard, &address->addr)) {
		describe(&address->addr, guard->refused,
		    sizeof(guard->refused));
		return CURL_SOCKET_BAD;
	}
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
	    address->protocol);
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

#if LIBCURL_VERSION_NUM >= 0x075000
int
guard_before_request(void *ctx, char *remote, char *local, int remote_port,
    int local_port)
{
	struct guard *guard = ctx;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	const struct sockaddr *address = NULL;

	(void)local;
	(void)remote_port;
	(void)local_port;
	if (inet_pton(AF_INET, remote, &in.sin_addr) == 1)
		address = (const struct sockaddr *)&in;
	else if (inet_pton(AF_INET6, remote, &in6.sin6_addr) == 1)
		address = (const struct sockaddr *)&in6;
	if (address != NULL && may_connect(guard, address))
		return CURL_PREREQFUNC_OK;
	snprintf(guard->refused, sizeof(guard->refused), "%.60s", remote);
	return CURL_PREREQFUNC_ABORT;
}
#endif
