/* SPDX-License-Identifier: MIT */
/* A shard: makes the attempts that its parent hands it, and tells what became
   of each. It knows neither queue nor database, reads no configuration, and
   ends when its parent does. What it was about to do is then tried again by
   whoever comes next: a shard keeps nothing. */
#include "config.h"

#include "shards.h"

#include "delivery.h"
#include "policy.h"
#include "shard_private.h"
#include "snapshot.h"
#include "target.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/settings.h"
#include "wuts/strbuf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX 128

struct shard {
	struct wire wire;
	int epoll_fd;
	bool is_writing;		/* the socket is full: wait for room */
	struct delivery_pool *pool;	/* NULL: no policy yet */
	struct policies policies;
	struct crypto_keys keys;
	struct target **targets;	/* by endpoint */
	size_t ntargets;
};

/* --- answers --- */

static void
say_result(struct shard *shard, uint32_t token,
    const struct delivery_result *result)
{
	const struct wire_result head = {
		.token = token,
		.status = result->status,
		.code = (int32_t)result->code,
		.retry_after_s = result->retry_after_s,
		.duration_us = result->duration_us,
	};

	wire_begin(&shard->wire, WIRE_RESULT, &head, sizeof(head));
	wire_add_text(&shard->wire, result->why);
	wire_add_text(&shard->wire, result->error);
	wire_add_text(&shard->wire, result->answer);
	wire_end(&shard->wire);
}

/* The position of a delivery is its token here. */
static void
on_result(void *ctx, struct delivery *delivery,
    const struct delivery_result *result)
{
	say_result(ctx, delivery->item.pos.offset, result);
}

/* --- what the parent says --- */

/* What of the parent's settings counts here. */
static bool
take_settings(struct wire_message *message, const struct wire_policy *head,
    struct settings *settings_r)
{
	const char *texts[5];

	for (int i = 0; i < 5; i++)
		if ((texts[i] = wire_take_text(message)) == NULL)
			return false;
	*settings_r = (struct settings){
		.webhook_allow = (char *)(uintptr_t)texts[0],
		.webhook_allow_host = (char *)(uintptr_t)texts[1],
		.onprem_webhook_allow = (char *)(uintptr_t)texts[2],
		.log_file = (char *)(uintptr_t)texts[3],
		.queue_dir = (char *)(uintptr_t)texts[4],
		.webhook_http = head->http,
		.spool_max_in_flight = head->max_in_flight,
		.onprem_webhook_connect_timeout_ms =
		    head->callback_connect_timeout_ms,
		.onprem_webhook_timeout_ms = head->callback_timeout_ms,
	};
	return true;
}

static bool
take_policy(struct shard *shard, struct wire_message *message)
{
	struct fault fault = { .code = FAULT_NONE };
	struct settings settings;
	struct wire_policy head;

	if (!wire_take(message, &head, sizeof(head)) ||
	    !take_settings(message, &head, &settings))
		return false;
	log_json(head.log_json);
	if (log_open("wuts-spool", settings.log_file,
	    (enum log_level)head.log_level) < 0)
		log_error("open log %s: %m", settings.log_file);
	policies_deinit(&shard->policies);
	if (policies_read(&shard->policies, &settings, &fault) < 0)
		return false;	/* the parent has read the same */
	shard->keys = head.keys;
	if (shard->pool == NULL)
		shard->pool = delivery_pool_new(shard->epoll_fd,
		    settings.queue_dir, head.max_in_flight, on_result, shard);
	policies_apply(&shard->policies, &settings, shard->pool);
	crypto_wipe(&head, sizeof(head));
	return true;
}

static bool
take_target(struct shard *shard, struct wire_message *message)
{
	struct wire_target head;
	int64_t failing_us;
	size_t n;

	if (!wire_take(message, &head, sizeof(head)))
		return false;
	if (head.endpoint >= shard->ntargets) {
		n = (size_t)head.endpoint * 2 + 16;
		shard->targets = mem_realloc(shard->targets, n,
		    sizeof(struct target *));
		memset(shard->targets + shard->ntargets, 0,
		    (n - shard->ntargets) * sizeof(struct target *));
		shard->ntargets = n;
	}
	target_unref(&shard->targets[head.endpoint]);
	shard->targets[head.endpoint] = snapshot_parse_line(message->data,
	    message->len, &shard->keys, &failing_us);
	if (shard->targets[head.endpoint] == NULL)
		log_error("shard: settings of a webhook cannot be read");
	return true;
}

/* The parent waits for a word on it. */
static void
refuse(struct shard *shard, uint32_t token)
{
	struct delivery_result result = {
		.error = "the webhook's settings could not be used",
		.answer = "",
		.why = "the shard cannot read the settings",
	};

	say_result(shard, token, &result);
}

static bool
take_start(struct shard *shard, struct wire_message *message)
{
	struct delivery *delivery;
	struct wire_start head;
	const char *event;
	size_t event_size;

	if (!wire_take(message, &head, sizeof(head)) ||
	    (event = wire_take_text(message)) == NULL ||
	    head.endpoint >= shard->ntargets || shard->pool == NULL)
		return false;
	if (shard->targets[head.endpoint] == NULL) {
		refuse(shard, head.token);
		return true;
	}
	event_size = strlen(event) + 1;
	delivery = delivery_get(shard->pool);
	delivery->item.pos.offset = head.token;
	delivery->target = target_ref(shard->targets[head.endpoint]);
	strbuf_reset(&delivery->buf);
	strbuf_append(&delivery->buf, event, event_size);
	strbuf_append(&delivery->buf, message->data, message->len);
	delivery->record = (struct queue_record){
		.id = head.id,
		.tenant_id = head.tenant_id,
		.device_id = head.device_id,
		.event = delivery->buf.data,
		.created_us = head.created_us,
		.body = delivery->buf.data + event_size,
		.body_len = message->len,
	};
	delivery_start(shard->pool, delivery, head.attempt, head.wall_us,
	    clock_mono_us());
	return true;
}

/* False: our parent speaks another language, or somebody else does. */
static bool
take(struct shard *shard, struct wire_message *message)
{
	bool is_good;

	switch (message->type) {
	case WIRE_POLICY:
		is_good = take_policy(shard, message);
		/* The keys were in it. */
		crypto_wipe(shard->wire.in.data, shard->wire.in_done);
		return is_good;
	case WIRE_TARGET:
		return take_target(shard, message);
	case WIRE_START:
		return take_start(shard, message);
	case WIRE_RESULT:
		break;
	}
	return false;
}

/* --- the loop --- */

static void
watch(struct shard *shard, int op, uint32_t events)
{
	struct epoll_event event = { .events = events };

	event.data.fd = shard->wire.fd;
	if (epoll_ctl(shard->epoll_fd, op, shard->wire.fd, &event) < 0)
		log_fatal("epoll_ctl: %m");
}

/* False: the parent is gone. */
static bool
flush(struct shard *shard)
{
	bool is_full;

	if (wire_flush(&shard->wire) < 0)
		return false;
	is_full = !wire_is_flushed(&shard->wire);
	if (is_full != shard->is_writing)
		watch(shard, EPOLL_CTL_MOD, is_full ? EPOLLIN | EPOLLOUT :
		    EPOLLIN);
	shard->is_writing = is_full;
	return true;
}

static bool
hear(struct shard *shard)
{
	struct wire_message message;

	if (wire_receive(&shard->wire) < 0)
		return false;
	while (wire_next(&shard->wire, &message))
		if (!take(shard, &message)) {
			log_error("shard: a message that is none");
			return false;
		}
	return true;
}

static int
wait_ms(const struct shard *shard)
{
	int64_t due_us, now_us = clock_mono_us();

	if (shard->pool == NULL)
		return -1;
	due_us = delivery_pool_due(shard->pool);
	if (due_us == INT64_MAX)
		return -1;
	return due_us <= now_us ? 0 : (int)((due_us - now_us + 999) / 1000);
}

static bool
round_once(struct shard *shard)
{
	struct epoll_event events[EVENTS_MAX];
	bool is_on = true;
	int n = epoll_wait(shard->epoll_fd, events, EVENTS_MAX,
	    wait_ms(shard));

	if (n < 0 && errno != EINTR)
		log_fatal("epoll_wait: %m");
	for (int i = 0; i < n && is_on; i++) {
		if (events[i].data.fd != shard->wire.fd)
			delivery_pool_socket(shard->pool, events[i].data.fd,
			    events[i].events);
		else if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0)
			is_on = hear(shard);
	}
	if (is_on && shard->pool != NULL)
		delivery_pool_run(shard->pool, clock_mono_us());
	return is_on && flush(shard);
}

int
shard_run(int fd)
{
	struct shard shard = { .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };

	if (shard.epoll_fd < 0)
		log_fatal("epoll_create1: %m");
	wire_init(&shard.wire, fd);
	watch(&shard, EPOLL_CTL_ADD, EPOLLIN);
	while (round_once(&shard))
		continue;
	delivery_pool_free(&shard.pool);
	for (size_t i = 0; i < shard.ntargets; i++)
		target_unref(&shard.targets[i]);
	free(shard.targets);
	policies_deinit(&shard.policies);
	crypto_wipe(&shard.keys, sizeof(shard.keys));
	wire_deinit(&shard.wire);
	close(shard.epoll_fd);
	return 0;
}
