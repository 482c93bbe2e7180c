/* SPDX-License-Identifier: MIT */
/* Which webhooks are given up: one that answers 410 at once, one on which
   everything has failed for webhook_disable_after (spec/wuts.md §6). The
   database decides at last, see disable.c; until it has, nothing more is
   started. The time of the first failure is in the snapshot, so a restart
   does not forget it. */
#include "config.h"

#include "health.h"

#include "delivery.h"
#include "directory.h"
#include "endpoint.h"
#include "lookup.h"
#include "spool_private.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/settings.h"
#include "wuts/uuid.h"
#include "wuts/webhook.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A webhook that is seldom used is not given up for one failure now and one
   long ago: so many in a row must have been seen. */
#define FAILURES_MIN 5
#define DAY_MS INT64_C(86400000)

static void
give_up(struct spool *spool, struct endpoint *endpoint, const char *reason)
{
	const struct webhook *webhook = &endpoint->target->webhook;
	struct lookup_job *job = mem_calloc(1, sizeof(*job));

	job->kind = LOOKUP_DISABLE;
	job->tenant_id = endpoint->tenant_id;
	job->device_id = endpoint->device_id;
	memcpy(job->webhook_id, webhook->id, sizeof(job->webhook_id));
	job->updated_us = webhook->updated_us;
	snprintf(job->reason, sizeof(job->reason), "%s", reason);
	endpoint->disabling = true;
	directory_ask(spool, job);
	directory_apply(spool, endpoint);
}

static void
format_reason(char *out, size_t size, int64_t failing_us,
    const struct delivery_result *result)
{
	int64_t ms = failing_us / 1000;

	if (ms >= DAY_MS)
		snprintf(out, size, "everything has failed for %" PRId64
		    " days, last with ", ms / DAY_MS);
	else
		snprintf(out, size, "everything has failed for %" PRId64
		    " seconds, last with ", ms / 1000);
	size -= strlen(out);
	out += strlen(out);
	if (result->status != 0)
		snprintf(out, size, "status %ld", result->status);
	else
		snprintf(out, size, "\"%s\"", result->error);
}

void
health_note(struct spool *spool, const struct delivery *delivery,
    const struct delivery_result *result, int64_t now_us)
{
	struct endpoint *endpoint = delivery->endpoint;
	int64_t limit_us = spool->live->webhook_disable_after_ms * 1000;
	bool failed = result->status < 200 || result->status > 299;
	char reason[sizeof(((struct lookup_job *)NULL)->reason)];

	/* Other settings are judged by their own attempts. */
	if (delivery->target != endpoint->target)
		return;
	if (failed != (endpoint->failing_us != 0)) {
		endpoint->failing_us = failed ? now_us : 0;
		spool->health_changed = true;
	}
	endpoint->failures = failed ? endpoint->failures + 1 : 0;
	if (!failed || endpoint->disabling)
		return;
	if (result->status == 410) {
		give_up(spool, endpoint, "the receiver answered 410 Gone");
	} else if (limit_us > 0 && endpoint->failures >= FAILURES_MIN &&
	    now_us - endpoint->failing_us >= limit_us) {
		format_reason(reason, sizeof(reason),
		    now_us - endpoint->failing_us, result);
		give_up(spool, endpoint, reason);
	}
}

void
health_forget(struct endpoint *endpoint)
{
	endpoint->failing_us = 0;
	endpoint->failures = 0;
}

static void
log_disabled(const struct lookup_job *job)
{
	char tenant[UUID_TEXT_LEN + 1], device[UUID_TEXT_LEN + 1];
	char id[2 * WEBHOOK_ID_LEN + 1];

	crypto_hex(job->webhook_id, sizeof(job->webhook_id), id);
	log_warn("webhook=wh_%s tenant=%s device=%s disabled: %s", id,
	    uuid_format(&job->tenant_id, tenant),
	    uuid_is_nil(&job->device_id) ? "-" :
	    uuid_format(&job->device_id, device), job->reason);
}

void
health_answer(struct endpoint *endpoint, const struct lookup_job *job)
{
	endpoint->disabling = false;
	if (job->result == 1)
		log_disabled(job);
}
