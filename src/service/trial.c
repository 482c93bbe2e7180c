/* SPDX-License-Identifier: MIT */
/* A test delivery: a sample event that the spooler delivers at once while the
   caller waits. The process serves nobody else meanwhile, so the wait is
   bounded, and begins only when service->wait lets it. */
#include "config.h"

#include "webhook_private.h"

#include "wuts/clock.h"
#include "wuts/arena.h"
#include "wuts/event.h"
#include "wuts/fault.h"
#include "wuts/settings.h"
#include "wuts/trial.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SAMPLE_DATA "{\"test\":true}"

static int
refuse_many(struct fault *fault)
{
	fault->retry_after_s = 2;
	return fault_say(fault, REFUSAL_BUSY,
	    "too many test deliveries at once");
}

static int
fail(struct fault *fault, const char *why)
{
	fault->retry_after_s = 5;
	return fault_say(fault, FAULT_QUEUE, "%s", why);
}

static int
choose_event(const struct webhook_scope *scope, const char *name,
    const char **event_r, struct fault *fault)
{
	bool is_tenant = uuid_is_nil(&scope->device_id);
	int index;

	*event_r = is_tenant ? "user.created" : "message.received";
	if (name == NULL)
		return 0;
	index = event_find(name);
	if (index < 0 || (event_origin((size_t)index) == EVENT_OF_TENANT) !=
	    is_tenant)
		return fault_say(fault, REFUSAL_UNKNOWN_EVENT,
		    "unknown event: %.*s", EVENT_NAME_MAX, name);
	*event_r = event_name((size_t)index);
	return 0;
}

/* A socket with a name of the kernel's, for the answer. */
static int
connect_spooler(const struct settings *settings, struct fault *fault)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/" TRIAL_SOCKET,
	    settings->queue_dir) >= (int)sizeof(addr.sun_path))
		return fail(fault, "test deliveries are not available");
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fault_errno(fault, FAULT_IO, "socket");
	if (bind(fd, (const struct sockaddr *)&addr,
	    sizeof(addr.sun_family)) == 0 && connect(fd,
	    (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return fail(fault, "the spooler is not running");
}

/* 1: a datagram of that many bytes at least; 0: not in time; -1. */
static ssize_t
receive(int fd, char *data, size_t size, int64_t until_us)
{
	struct pollfd waiting = { .fd = fd, .events = POLLIN };
	int64_t left_us;
	ssize_t len;

	while ((left_us = until_us - clock_mono_us()) > 0) {
		if (poll(&waiting, 1, (int)(left_us / 1000) + 1) < 0 &&
		    errno != EINTR)
			return -1;
		len = recv(fd, data, size, 0);
		if (len >= 0 || (errno != EAGAIN && errno != EINTR))
			return len;
	}
	return -1;
}

static int
judge(const struct trial_reply *reply, struct fault *fault)
{
	switch (reply->end) {
	case TRIAL_DONE:
		return 0;
	case TRIAL_BUSY:
		return refuse_many(fault);
	case TRIAL_NO_WEBHOOK:
		return fault_say(fault, REFUSAL_WEBHOOK_NOT_FOUND,
		    "webhook not found");
	case TRIAL_FAILED:
		break;
	}
	return fail(fault, "the spooler cannot deliver to this webhook now");
}

/* A worker that overstays request_timeout is killed, and says nothing. */
static int64_t
longest_wait_us(const struct settings *settings)
{
	int64_t limit_us = settings->request_timeout_ms * 1000 / 4 * 3;
	int64_t wait_us = TRIAL_WAIT_S * CLOCK_SECOND_US;

	return limit_us < wait_us ? limit_us : wait_us;
}

/* Another's answer cannot come: the socket is new. */
static int
wait_for_reply(const struct settings *settings, int fd, struct arena *arena,
    struct trial_reply *reply_r, struct fault *fault)
{
	char *data = arena_alloc(arena, TRIAL_DATAGRAM_MAX);
	json_t *tree;
	ssize_t len;

	len = receive(fd, data, TRIAL_DATAGRAM_MAX, clock_mono_us() +
	    longest_wait_us(settings));
	if (len < 0)
		return fail(fault, "the spooler does not answer");
	tree = trial_reply_parse(data, (size_t)len, reply_r);
	if (tree == NULL)
		return fault_set(fault, FAULT_INTERNAL,
		    "the answer of the spooler is none");
	reply_r->error = arena_strdup(arena, reply_r->error);
	reply_r->excerpt = arena_strdup(arena, reply_r->excerpt);
	json_decref(tree);
	return judge(reply_r, fault);
}

static int
may_wait(struct service *service, struct fault *fault)
{
	const struct service_wait *wait = &service->wait;

	return wait->begin == NULL ? 0 : wait->begin(wait->ctx, fault);
}

static int
exchange_datagrams(struct service *service, int fd, struct arena *arena,
    const struct trial_request *request, struct trial_reply *reply_r,
    struct fault *fault)
{
	struct strbuf text = STRBUF_INIT;
	int ret;

	if (may_wait(service, fault) < 0)
		return -1;
	trial_request_format(&text, request);
	if (send(fd, text.data, text.len, MSG_NOSIGNAL) < 0)
		ret = fail(fault, "the spooler takes no requests");
	else
		ret = wait_for_reply(service->settings, fd, arena, reply_r,
		    fault);
	strbuf_deinit(&text);
	if (service->wait.end != NULL)
		service->wait.end(service->wait.ctx);
	return ret;
}

static int
ask(struct service *service, struct arena *arena,
    const struct trial_request *request, struct trial_reply *reply_r,
    struct fault *fault)
{
	int fd, ret;

	fd = connect_spooler(service->settings, fault);
	if (fd < 0)
		return -1;
	ret = exchange_datagrams(service, fd, arena, request, reply_r, fault);
	close(fd);
	return ret;
}

int
webhook_service_test(struct service *service, struct arena *arena,
    const struct caller *caller, const struct webhook_scope *scope,
    const char *event, struct trial_reply *reply_r, struct fault *fault)
{
	struct trial_request request = {
		.tenant_id = scope->tenant_id,
		.device_id = scope->device_id
	};
	struct strbuf body = STRBUF_INIT;
	struct webhook webhook;
	int ret;

	if (webhook_scope_check(&caller->identity, scope, fault) < 0 ||
	    choose_event(scope, event, &request.event, fault) < 0 ||
	    webhook_service_get(service, arena, scope, &webhook, fault) < 0)
		return -1;
	uuid_new_ordered(&request.id);
	event_body_format(&body, &request.id, request.event, clock_wall_us(),
	    &scope->tenant_id, uuid_is_nil(&scope->device_id) ? NULL :
	    &scope->device_id, SAMPLE_DATA, strlen(SAMPLE_DATA));
	request.body = body.data;
	ret = ask(service, arena, &request, reply_r, fault);
	strbuf_deinit(&body);
	return ret < 0 ? fault_prefix(fault, "test webhook") : 0;
}
