/* SPDX-License-Identifier: MIT */
/* Test deliveries: a worker asks by a datagram, waits, and gets one back. The
   settings are read for each; the queue, the scheduler and the delivery log
   have no part in it, so a test neither waits behind a backlog nor is tried
   again. Few at once; the rest are told so. */
#include "config.h"

#include "trial.h"

#include "delivery.h"
#include "directory.h"
#include "lookup.h"
#include "spool_private.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/strbuf.h"
#include "wuts/trial.h"
#include "wuts/uuid.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define TRIALS_MAX 16
#define TAKE_MAX 16

struct trial {
	struct trial *next;
	struct sockaddr_un asker;
	socklen_t asker_len;
	json_t *tree;			/* request points into it */
	struct trial_request request;
};

struct trials {
	int fd;
	char *path;
	struct trial *first;
	unsigned count;
};

static void
reply(const struct trials *trials, const struct trial *trial,
    struct trial_reply *answer)
{
	struct strbuf text = STRBUF_INIT;

	answer->id = trial->request.id;
	trial_reply_format(&text, answer);
	/* Who has stopped waiting is told nothing. */
	(void)!sendto(trials->fd, text.data, text.len,
	    MSG_DONTWAIT | MSG_NOSIGNAL,
	    (const struct sockaddr *)&trial->asker, trial->asker_len);
	strbuf_deinit(&text);
}

static void
reply_end(const struct trials *trials, const struct trial *trial,
    enum trial_end end)
{
	struct trial_reply answer = {
		.end = end, .error = "", .excerpt = ""
	};

	reply(trials, trial, &answer);
}

static void
forget(struct trials *trials, struct trial *trial)
{
	struct trial **p = &trials->first;

	while (*p != trial)
		p = &(*p)->next;
	*p = trial->next;
	trials->count--;
	json_decref(trial->tree);
	free(trial);
}

/* The settings are read first: a test is one of those in force. */
static void
begin(struct spool *spool, const struct trial *asked)
{
	struct trial *trial = mem_calloc(1, sizeof(*trial));
	struct lookup_job *job = mem_calloc(1, sizeof(*job));

	*trial = *asked;
	trial->next = spool->trials->first;
	spool->trials->first = trial;
	spool->trials->count++;
	job->kind = LOOKUP_TRIAL;
	job->tenant_id = trial->request.tenant_id;
	job->device_id = trial->request.device_id;
	job->trial = trial;
	directory_ask(spool, job);
}

/* False: there is no datagram. */
static bool
take(struct spool *spool, char *data)
{
	struct trials *trials = spool->trials;
	struct trial asked = { .asker_len = sizeof(asked.asker) };
	ssize_t len;

	len = recvfrom(trials->fd, data, TRIAL_DATAGRAM_MAX, MSG_DONTWAIT,
	    (struct sockaddr *)&asked.asker, &asked.asker_len);
	if (len < 0)
		return false;
	asked.tree = trial_request_parse(data, (size_t)len, &asked.request);
	if (asked.tree == NULL) {
		log_warn("a request for a test delivery is none");
		return true;
	}
	if (trials->count < TRIALS_MAX) {
		begin(spool, &asked);
	} else {
		reply_end(trials, &asked, TRIAL_BUSY);
		json_decref(asked.tree);
	}
	return true;
}

void
trials_take(struct spool *spool)
{
	char *data = mem_calloc(1, TRIAL_DATAGRAM_MAX);

	for (int n = 0; n < TAKE_MAX && take(spool, data); n++)
		continue;
	free(data);
}

void
trial_found(struct spool *spool, struct lookup_job *job)
{
	struct trial *trial = job->trial;
	const struct trial_request *request = &trial->request;
	struct delivery *delivery;

	if (job->target == NULL) {
		reply_end(spool->trials, trial, job->result == 0 ?
		    TRIAL_NO_WEBHOOK : TRIAL_FAILED);
		forget(spool->trials, trial);
		return;
	}
	delivery = delivery_get(spool->pool);
	delivery->trial = trial;
	delivery->target = job->target;	/* ours alone */
	job->target = NULL;
	if (delivery->target->webhook.timeout_s > TRIAL_TIMEOUT_S)
		delivery->target->webhook.timeout_s = TRIAL_TIMEOUT_S;
	delivery->record = (struct queue_record){
		.id = request->id,
		.tenant_id = request->tenant_id,
		.device_id = request->device_id,
		.event = request->event,
		.body = request->body,
		.body_len = strlen(request->body),
	};
	delivery_start(spool->pool, delivery, 1, clock_wall_us(),
	    clock_mono_us());
}

void
trial_result(struct spool *spool, struct delivery *delivery,
    const struct delivery_result *result)
{
	struct trial *trial = delivery->trial;
	struct trial_reply answer = {
		.end = TRIAL_DONE,
		.status = (unsigned)result->status,
		.duration_us = result->duration_us,
		.error = result->error,
		.excerpt = result->answer,
	};
	char id[UUID_TEXT_LEN + 1], tenant[UUID_TEXT_LEN + 1];

	log_info("test=%s tenant=%s status=%ld%s%s",
	    uuid_format(&trial->request.id, id),
	    uuid_format(&trial->request.tenant_id, tenant), result->status,
	    result->why[0] != '\0' ? " why=" : "", result->why);
	reply(spool->trials, trial, &answer);
	delivery->trial = NULL;
	forget(spool->trials, trial);
}

/* Nobody else has the queue, so a socket that is there is an old one. Only who
   may write into the queue may ask. */
static int
bind_socket(struct trials *trials, struct fault *fault)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s",
	    trials->path) >= (int)sizeof(addr.sun_path))
		return fault_set(fault, FAULT_CONFIG,
		    "%s is too long for a socket", trials->path);
	trials->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (trials->fd < 0)
		return fault_errno(fault, FAULT_IO, "socket");
	(void)unlink(trials->path);
	if (fchmod(trials->fd, 0600) < 0 || bind(trials->fd,
	    (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return fault_errno(fault, FAULT_IO, "bind %s", trials->path);
	return 0;
}

int
trials_open(struct trials **trials_r, const char *dir, struct fault *fault)
{
	struct trials *trials = mem_calloc(1, sizeof(*trials));
	struct strbuf path = STRBUF_INIT;

	strbuf_printf(&path, "%s/" TRIAL_SOCKET, dir);
	trials->path = path.data;
	trials->fd = -1;
	*trials_r = NULL;
	if (bind_socket(trials, fault) < 0) {
		trials_close(&trials);
		return -1;
	}
	*trials_r = trials;
	return 0;
}

int
trials_fd(const struct trials *trials)
{
	return trials->fd;
}

void
trials_close(struct trials **trialsp)
{
	struct trials *trials = *trialsp;

	*trialsp = NULL;
	if (trials == NULL)
		return;
	while (trials->first != NULL) {
		reply_end(trials, trials->first, TRIAL_FAILED);
		forget(trials, trials->first);
	}
	if (trials->fd >= 0) {
		close(trials->fd);
		(void)unlink(trials->path);
	}
	free(trials->path);
	free(trials);
}
