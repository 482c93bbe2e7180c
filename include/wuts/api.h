/* SPDX-License-Identifier: MIT */
/* The dialects, each one table of routes. */
#ifndef WUTS_API_H
#define WUTS_API_H

struct dialect;

extern const struct dialect api_wuts;	/* / (spec/wuts.md §4-5) */
extern const struct dialect api_onprem;	/* /v1 (spec/onprem.md) */
extern const struct dialect api_wacht;	/* /wacht (spec/wacht.md) */
extern const struct dialect api_ops;	/* /healthz, /readyz (§7) */

/* The error envelope of the WUTS dialect (§1), which ops shares. */
struct exchange;
struct fault;
void api_wuts_write_error(struct exchange *x, const struct fault *fault);

#endif
