/* SPDX-License-Identifier: MIT */
/* The handlers of the operations endpoints that have a file of their own. */
#ifndef WUTS_API_OPS_PRIVATE_H
#define WUTS_API_OPS_PRIVATE_H

struct exchange;
struct fault;

int openapi_show(struct exchange *x, struct fault *fault);

#endif
