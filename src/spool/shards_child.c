/* SPDX-License-Identifier: MIT */
/* The process of a shard: how it is started, told what the settings say, and
   ended. After an end that was not asked for the next start waits, longer each
   time while they die young. */
#include "config.h"

#include "shards_private.h"

#include "spool_private.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/log.h"
#include "wuts/settings.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAUSE_US (CLOCK_SECOND_US / 10)
#define PAUSE_MAX_US (10 * CLOCK_SECOND_US)

extern char **environ;

/* What opens the secrets of webhooks, and nothing else that the keys can do. */
void
shards_child_say_policy(struct shards *shards, struct child *child)
{
	const struct settings *live = shards->spool->live;
	struct wire_policy head;

	memset(&head, 0, sizeof(head));
	head.max_in_flight = live->spool_max_in_flight;
	head.log_level = (int32_t)live->log_level;
	head.http = live->webhook_http;
	head.callback_connect_timeout_ms =
	    live->onprem_webhook_connect_timeout_ms;
	head.callback_timeout_ms = live->onprem_webhook_timeout_ms;
	head.log_json = live->log_json;
	head.keys.n = live->keys.n;
	for (unsigned i = 0; i < live->keys.n; i++) {
		const struct crypto_key *key = &live->keys.key[i];

		memcpy(head.keys.key[i].name, key->name, sizeof(key->name));
		memcpy(head.keys.key[i].seal, key->seal, sizeof(key->seal));
	}
	wire_begin(&child->wire, WIRE_POLICY, &head, sizeof(head));
	wire_add_text(&child->wire, live->webhook_allow);
	wire_add_text(&child->wire, live->webhook_allow_host);
	wire_add_text(&child->wire, live->onprem_webhook_allow);
	wire_add_text(&child->wire, live->log_file);
	wire_add_text(&child->wire, shards->spool->settings->queue_dir);
	wire_end(&child->wire);
	child->wire.is_secret = true;
	crypto_wipe(&head, sizeof(head));
}

/* A new program, not a fork: this process has threads. The file is the one that
   runs, also when another has been installed meanwhile. */
static int
spawn(struct child *child, int fd)
{
	char name[] = "wuts-spool", option[] = "--shard";
	char *const argv[] = { name, option, NULL };
	posix_spawn_file_actions_t actions;
	int error;

	error = posix_spawn_file_actions_init(&actions);
	if (error != 0)
		return error;
	error = posix_spawn_file_actions_adddup2(&actions, fd, SHARD_FD);
	if (error == 0)
		error = posix_spawn(&child->pid, "/proc/self/exe", &actions,
		    NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (error != 0)
		child->pid = 0;
	return error;
}

void
shards_child_put_off(struct child *child, int64_t now_us)
{
	int64_t pause_us = PAUSE_US;

	for (unsigned i = 0; i < child->young && pause_us < PAUSE_MAX_US; i++)
		pause_us *= 2;
	child->young++;
	child->start_at_us = now_us +
	    (pause_us < PAUSE_MAX_US ? pause_us : PAUSE_MAX_US);
}

void
shards_child_start(struct shards *shards, unsigned i, int64_t now_us)
{
	struct child *child = &shards->children[i];
	struct epoll_event event = { .events = EPOLLIN };
	int pair[2], error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		log_error("shard=%u socketpair: %m", i);
		shards_child_put_off(child, now_us);
		return;
	}
	event.data.fd = pair[0];
	error = spawn(child, pair[1]);
	close(pair[1]);
	if (error == 0 && epoll_ctl(shards->epoll_fd, EPOLL_CTL_ADD, pair[0],
	    &event) < 0)
		log_fatal("epoll_ctl: %m");
	if (error != 0) {
		log_error("shard=%u start: %s", i, strerror(error));
		close(pair[0]);
		shards_child_put_off(child, now_us);
		return;
	}
	wire_init(&child->wire, pair[0]);
	child->is_writing = false;
	child->started_us = now_us;
	shards_child_say_policy(shards, child);
	log_info("shard=%u pid=%ld started", i, (long)child->pid);
}

void
shards_child_reap(unsigned i, struct child *child)
{
	int status = 0;

	/* Its socket is closed: if it is not dead, it is no use. */
	(void)kill(child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFSIGNALED(status))
		log_error("shard=%u pid=%ld died: signal %d", i,
		    (long)child->pid, WTERMSIG(status));
	else
		log_error("shard=%u pid=%ld died: status %d", i,
		    (long)child->pid, WEXITSTATUS(status));
	child->pid = 0;
}

void
shards_child_wait(struct child *child, int64_t until_us)
{
	pid_t pid;

	while ((pid = waitpid(child->pid, NULL, WNOHANG)) == 0 &&
	    clock_mono_us() < until_us)
		(void)poll(NULL, 0, 5);
	if (pid != 0)
		return;
	(void)kill(child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}
