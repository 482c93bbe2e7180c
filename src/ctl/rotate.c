/* SPDX-License-Identifier: MIT */
/* wutsctl key rotate: a new installation key without downtime. Each step is
   one replacement of the key file, followed by a reload that is waited for, so
   at any moment every process reads what any other writes:

       file            who writes with     who reads
       old             old                 old
       old new         old                 old new     once all have reloaded:
       new old         old or new          old new     everything is written
       new             new                 new         anew, then

   Where a rotation was interrupted is read from the file and the note beside
   it; every step can be repeated. */
#include "config.h"

#include "ctl_private.h"
#include "key_file.h"
#include "reload.h"

#include "wuts/api_key.h"
#include "wuts/key_service.h"
#include "wuts/secret.h"
#include "wuts/settings.h"
#include "wuts/uuid.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEFT_MAX 100

enum stage {
	STAGE_NONE,		/* no rotation is under way */
	STAGE_ADDED,		/* the next key is accepted, perhaps */
	STAGE_SWITCHED,		/* the first one is the new one */
	STAGE_RETIRED		/* and the only one; not all know, perhaps */
};

/* What the database says, over the pipe from the process that asks it. */
struct outcome {
	struct key_reseal resealed;
	struct key_others_left others;
	uint64_t nleft;
	struct api_key left[LEFT_MAX];	/* the first of them */
};

struct rotation {
	const struct ctl *ctl;
	struct settings *settings;
	struct key_file file;
	struct outcome outcome;
	bool is_resealed;
	bool is_finished;
	struct fault fault;
};

/* --- progress --- */

static void
say(void *ctx, const char *what)
{
	const struct rotation *rotation = ctx;

	if (rotation->ctl->json)
		return;
	puts(what);
	(void)fflush(stdout);
}

static enum stage
stage_of(const struct key_file *file)
{
	uint8_t next[CRYPTO_KEY_NAME_LEN];
	unsigned n = file->keys.n, place = n;

	if (key_file_next(file, next))
		place = key_file_find(file, next);
	if (place > 0 && place < n)
		return STAGE_ADDED;
	if (n > 1)
		return STAGE_SWITCHED;
	return place < n ? STAGE_RETIRED : STAGE_NONE;
}

static void
say_nothing(void *ctx, const char *what)
{
	(void)ctx;
	(void)what;
}

/* After a change of the file. */
static int
reload(struct rotation *rotation)
{
	return reload_keys(rotation->settings, &rotation->file.keys, say,
	    rotation, &rotation->fault);
}

/* Before the next one: an interrupted step is ended first. Mostly all have
   reloaded long ago. */
static int
reload_again(struct rotation *rotation)
{
	return reload_keys(rotation->settings, &rotation->file.keys,
	    say_nothing, rotation, &rotation->fault);
}

/* --- the steps --- */

static int
add(struct rotation *rotation)
{
	if (key_file_add(&rotation->file, &rotation->fault) < 0)
		return -1;
	say(rotation, "1. a new key is in the file, to be accepted");
	return reload(rotation);
}

static int
make_first(struct rotation *rotation)
{
	struct key_file *file = &rotation->file;
	uint8_t next[CRYPTO_KEY_NAME_LEN];

	/* Who does not accept it yet could not read what is written with it. */
	if (reload_again(rotation) < 0)
		return -1;
	if (!key_file_next(file, next) || key_file_make_first(file,
	    key_file_find(file, next), &rotation->fault) < 0)
		return -1;
	say(rotation, "2. the new key is the first, to be used");
	return reload(rotation);
}

static int
end(struct rotation *rotation)
{
	say(rotation, "4. the old key is retired");
	if (reload(rotation) < 0)
		return -1;
	rotation->is_finished = true;
	return 0;
}

/* --- the third step: in a process of its own, which may give up root --- */

static void
show_progress(void *ctx, const struct key_reseal *so_far)
{
	(void)ctx;
	fprintf(stderr, "\rwritten anew: %" PRIu64 " tokens, %" PRIu64
	    " secrets, headers of %" PRIu64 " webhooks",
	    so_far->tokens, so_far->secrets, so_far->headers);
}

static int
take_left(void *ctx, const struct api_key *key, struct fault *fault)
{
	struct outcome *outcome = ctx;

	(void)fault;
	if (outcome->nleft < LEFT_MAX)
		outcome->left[outcome->nleft] = *key;
	outcome->nleft++;
	return 0;
}

static int
ask_database(const struct ctl *ctl, struct outcome *outcome_r)
{
	struct ctl quiet = *ctl;
	struct session session;
	bool is_shown = isatty(STDERR_FILENO) != 0;
	int ret;

	quiet.json = false;
	if (!session_open(&session, &quiet))
		return CTL_FAILED;
	ret = key_service_reseal(session.service,
	    is_shown ? show_progress : NULL, NULL, &outcome_r->resealed,
	    &session.fault);
	if (is_shown)
		fputc('\n', stderr);
	if (ret == 0)
		ret = key_service_list_left(session.service, take_left,
		    outcome_r, &outcome_r->others, &session.fault);
	return session_close(&session, ret);
}

static int
write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static bool
read_all(int fd, void *data, size_t len)
{
	char *p = data;
	ssize_t n;

	while (len > 0) {
		n = read(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static void __attribute__((noreturn))
be_child(struct rotation *rotation, int fd)
{
	const struct ctl *ctl = rotation->ctl;
	int status;

	settings_free(&rotation->settings);
	crypto_wipe(rotation->file.raw, sizeof(rotation->file.raw));
	status = ask_database(ctl, &rotation->outcome);
	if (status == CTL_OK && write_all(fd, &rotation->outcome,
	    sizeof(rotation->outcome)) < 0)
		status = CTL_FAILED;
	_exit(status);
}

static int
reseal(struct rotation *rotation)
{
	int fds[2], status = 0;
	bool is_read;
	pid_t pid;

	if (reload_again(rotation) < 0)
		return -1;
	(void)fflush(stdout);
	if (pipe(fds) < 0 || (pid = fork()) < 0)
		return fault_errno(&rotation->fault, FAULT_IO, "fork");
	if (pid == 0) {
		close(fds[0]);
		be_child(rotation, fds[1]);
	}
	close(fds[1]);
	is_read = read_all(fds[0], &rotation->outcome,
	    sizeof(rotation->outcome));
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!is_read || !WIFEXITED(status) || WEXITSTATUS(status) != CTL_OK)
		return fault_set(&rotation->fault, FAULT_CONFIG, "not all is"
		    " written anew under the new key; nothing is lost: both"
		    " are accepted, run this again");
	rotation->is_resealed = true;
	say(rotation, "3. everything that can be is written anew");
	return 0;
}

static bool
is_old_needed(const struct rotation *rotation)
{
	const struct outcome *outcome = &rotation->outcome;

	return outcome->nleft > 0 || outcome->others.answers > 0 ||
	    outcome->others.sessions > 0;
}

/* One step on. 1: there is another; 0: nothing more can be done now; -1. */
static int
advance(struct rotation *rotation, enum stage stage)
{
	switch (stage) {
	case STAGE_NONE:
		return add(rotation) < 0 ? -1 : 1;
	case STAGE_ADDED:
		return make_first(rotation) < 0 ? -1 : 1;
	case STAGE_SWITCHED:
		break;
	case STAGE_RETIRED:
		return end(rotation);
	}
	if (reseal(rotation) < 0)
		return -1;
	if (is_old_needed(rotation) && !rotation->ctl->finish)
		return 0;
	if (key_file_retire(&rotation->file, &rotation->fault) < 0)
		return -1;
	return end(rotation);
}

/* --- the report --- */

static void
write_left(struct json_writer *w, const struct outcome *outcome)
{
	uint64_t i;

	json_write_key(w, "api_keys");
	json_write_array_begin(w);
	for (i = 0; i < outcome->nleft && i < LEFT_MAX; i++) {
		json_write_object_begin(w);
		json_member_uuid(w, "tenant_id", &outcome->left[i].tenant_id);
		json_member_uuid(w, "id", &outcome->left[i].id);
		json_member_text(w, "name", outcome->left[i].name);
		json_member_text(w, "prefix", outcome->left[i].prefix);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

static void
report_json(const struct rotation *rotation, enum stage stage)
{
	static const char *const names[] = {
		[STAGE_NONE] = "none",
		[STAGE_ADDED] = "accepted",
		[STAGE_SWITCHED] = "used",
		[STAGE_RETIRED] = "used"
	};
	const struct outcome *outcome = &rotation->outcome;
	struct strbuf out = STRBUF_INIT;
	struct json_writer w;

	json_writer_init(&w, &out);
	json_write_object_begin(&w);
	json_member_bool(&w, "finished", rotation->is_finished);
	json_member_text(&w, "new_key", names[stage]);
	write_number(&w, "tokens", outcome->resealed.tokens);
	write_number(&w, "secrets", outcome->resealed.secrets);
	write_number(&w, "headers", outcome->resealed.headers);
	write_number(&w, "lost", outcome->resealed.lost);
	write_number(&w, "api_keys_left", outcome->nleft);
	write_left(&w, outcome);
	write_number(&w, "answers_left", outcome->others.answers);
	write_number(&w, "sessions_left", outcome->others.sessions);
	json_write_object_end(&w);
	puts(out.data);
	strbuf_deinit(&out);
}

static void
print_left(const struct outcome *outcome)
{
	char tenant[UUID_TEXT_LEN + 1], id[UUID_TEXT_LEN + 1];
	uint64_t i;

	if (outcome->nleft > 0)
		printf("%" PRIu64 " API keys have not been used since:\n",
		    outcome->nleft);
	for (i = 0; i < outcome->nleft && i < LEFT_MAX; i++)
		printf("  tenant %s  key %s  %s  %s\n",
		    uuid_format(&outcome->left[i].tenant_id, tenant),
		    uuid_format(&outcome->left[i].id, id),
		    outcome->left[i].prefix, outcome->left[i].name);
	if (outcome->nleft > LEFT_MAX)
		printf("  and more\n");
	if (outcome->others.answers > 0)
		printf("%" PRIu64 " answers are kept for requests with an"
		    " Idempotency-Key that come again,\nfor a day\n",
		    outcome->others.answers);
	if (outcome->others.sessions > 0)
		printf("%" PRIu64 " log-ins have not expired\n",
		    outcome->others.sessions);
}

static void
report_text(const struct rotation *rotation, enum stage stage)
{
	const struct outcome *outcome = &rotation->outcome;

	if (rotation->is_resealed)
		printf("written anew: %" PRIu64 " tokens, %" PRIu64
		    " secrets, headers of %" PRIu64 " webhooks\n",
		    outcome->resealed.tokens, outcome->resealed.secrets,
		    outcome->resealed.headers);
	if (outcome->resealed.lost > 0)
		printf("%" PRIu64 " tokens, secrets or headers are under a key"
		    " that the file does not hold\n", outcome->resealed.lost);
	print_left(outcome);
	if (rotation->is_finished) {
		puts("the rotation is finished: keep a copy of the key file"
		    " in a safe place");
	} else if (stage == STAGE_SWITCHED && rotation->is_resealed) {
		puts("the old key stays accepted for these: run this again"
		    " when they have been used or are\ndeleted, or end it"
		    " with wutsctl key rotate --finish, and they stop");
	} else {
		puts("on each other machine now: copy the key file there,"
		    " systemctl reload wutsd wuts-spool;\nthen run this"
		    " again");
	}
}

/* --- all together --- */

static int
rotate(struct rotation *rotation)
{
	enum stage stage = stage_of(&rotation->file);
	int more;

	if (rotation->ctl->finish && stage < STAGE_SWITCHED)
		return fault_set(&rotation->fault, FAULT_CONFIG, "there is"
		    " nothing to finish: begin with wutsctl key rotate");
	do {
		more = advance(rotation, stage);
		stage = stage_of(&rotation->file);
	} while (more == 1 && !rotation->ctl->step);
	return more < 0 ? -1 : 0;
}

int
ctl_key_rotate(const struct ctl *ctl)
{
	struct rotation rotation = { .ctl = ctl };
	int status = CTL_OK;

	rotation.file.note_fd = -1;
	/* The paths only: the keys are read under the lock. */
	if (settings_load_paths(&rotation.settings, ctl->config,
	    &rotation.fault) < 0)
		return ctl_failed(&rotation.fault);
	if (rotation.settings->installation_key_file[0] == '\0')
		fault_set(&rotation.fault, FAULT_CONFIG,
		    "installation_key_file is not set");
	else if (secret_is_credential(
	    rotation.settings->installation_key_file))
		fault_set(&rotation.fault, FAULT_CONFIG,
		    "installation_key_file is a credential of systemd's: only"
		    " the key in a file can be rotated");
	if (rotation.fault.code != FAULT_NONE ||
	    key_file_open(&rotation.file,
	    rotation.settings->installation_key_file, &rotation.fault) < 0 ||
	    rotate(&rotation) < 0)
		status = ctl_failed(&rotation.fault);
	else if (ctl->json)
		report_json(&rotation, stage_of(&rotation.file));
	else
		report_text(&rotation, stage_of(&rotation.file));
	key_file_close(&rotation.file, rotation.is_finished ||
	    (rotation.file.keys.n > 0 &&
	    stage_of(&rotation.file) == STAGE_NONE));
	settings_free(&rotation.settings);
	return status;
}
