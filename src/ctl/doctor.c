/* SPDX-License-Identifier: MIT */
/* wutsctl doctor: looks at everything an installation is made of, changes
   nothing, and says for whatever is wrong why it is and what to do. */
#include "config.h"

#include "doctor.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/privilege.h"
#include "wuts/queue.h"
#include "wuts/schema_service.h"
#include "wuts/settings.h"
#include "wuts/strbuf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#define OLD_US (5 * 60 * (int64_t)CLOCK_SECOND_US)

static const char *const verdict_names[] = {
	[VERDICT_OK] = "ok",
	[VERDICT_WARN] = "warn",
	[VERDICT_FAIL] = "fail",
};

void
report(struct doctor *d, enum verdict verdict, const char *what,
    const char *todo, const char *fmt, ...)
{
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (verdict == VERDICT_FAIL)
		d->has_failed = true;
	if (!d->ctl->json) {
		printf("%-6s%s: %s%s%s\n", verdict_names[verdict], what, why,
		    todo != NULL ? " → " : "", todo != NULL ? todo : "");
		(void)fflush(stdout);
		return;
	}
	json_write_object_begin(&d->w);
	json_write_key(&d->w, "verdict");
	json_write_string(&d->w, verdict_names[verdict]);
	json_write_key(&d->w, "what");
	json_write_string(&d->w, what);
	json_write_key(&d->w, "why");
	json_write_string(&d->w, why);
	json_write_key(&d->w, "todo");
	if (todo != NULL)
		json_write_string(&d->w, todo);
	else
		json_write_null(&d->w);
	json_write_object_end(&d->w);
}

static void
check_disk(struct doctor *d)
{
	uint64_t free_bytes, reserve = d->settings->queue_disk_reserve;
	struct statvfs fs;
	enum verdict verdict = VERDICT_OK;

	if (statvfs(d->settings->queue_dir, &fs) < 0) {
		report(d, VERDICT_FAIL, "queue disk", "look at the disk",
		    "%s", strerror(errno));
		return;
	}
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (free_bytes < reserve)
		verdict = VERDICT_FAIL;
	else if (free_bytes / 4 < reserve || fs.f_favail == 0)
		verdict = VERDICT_WARN;
	report(d, verdict, "queue disk", verdict == VERDICT_OK ? NULL :
	    "free space, or events are refused", "%" PRIu64 " MiB free, %"
	    PRIu64 " MiB stay reserved", free_bytes >> 20, reserve >> 20);
}

static void
check_backlog(struct doctor *d, const struct queue_status *status)
{
	int64_t age_us = clock_wall_us() - status->oldest_created_us;

	if (status->oldest_created_us != 0 && age_us > OLD_US)
		report(d, VERDICT_WARN, "backlog", "look at wuts-spool's log:"
		    " which webhook does not answer?",
		    "%" PRIu64 " events wait, the oldest for %" PRId64
		    " minutes", status->waiting,
		    age_us / CLOCK_SECOND_US / 60);
	else
		report(d, VERDICT_OK, "backlog", NULL, "%" PRIu64
		    " events wait, %" PRIu64 " of them to be tried again",
		    status->waiting, status->retrying);
	if (status->corrupt > 0)
		report(d, VERDICT_WARN, "damaged queue files", "look at them"
		    " in corrupt/ and check the disk; remove them when seen",
		    "%" PRIu64, status->corrupt);
	if (status->dead > 0)
		report(d, VERDICT_WARN, "dead letters", "look at wuts-spool's"
		    " log for the reasons; they are kept for a while",
		    "%" PRIu64 " events could not be delivered",
		    status->dead);
}

/* A process started once as root leaves behind what the others cannot use. */
static void
check_queue_parts(struct doctor *d)
{
	static const char *const names[] = {
		"open", "ready", "done", "dead", "corrupt", "requests"
	};
	struct strbuf path = STRBUF_INIT;
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		strbuf_reset(&path);
		strbuf_printf(&path, "%s/%s", d->settings->queue_dir,
		    names[i]);
		if (stat(path.data, &st) < 0 && errno == ENOENT)
			continue;	/* made when first needed */
		if (stat(path.data, &st) < 0 || !S_ISDIR(st.st_mode) ||
		    st.st_uid != service_uid(d->settings) ||
		    (st.st_mode & 0700) != 0700)
			report(d, VERDICT_FAIL, "queue directory", "chown it"
			    " and all in it to the user that the programs run"
			    " as, and chmod u+rwx it", "%s cannot be used",
			    path.data);
	}
	strbuf_deinit(&path);
}

static void
check_queue(struct doctor *d)
{
	struct queue_status status;
	struct fault fault;

	if (!check_directory(d, "queue directory", d->settings->queue_dir))
		return;
	check_queue_parts(d);
	check_disk(d);
	fault_clear(&fault);
	if (queue_status_read(d->settings->queue_dir, &status, &fault) < 0) {
		report(d, VERDICT_FAIL, "queue", "make the directory readable"
		    " for its owner", "%s", fault.text);
		return;
	}
	check_backlog(d, &status);
	if (status.reader_runs)
		report(d, VERDICT_OK, "wuts-spool", NULL, "is running");
	if (status.reader_runs)
		check_spool(d);
	else
		report(d, VERDICT_FAIL, "wuts-spool", "start wuts-spool; its"
		    " log says why it ended", "is not running, nothing is"
		    " delivered");
	check_accounts(d);
}

/* While a new configuration is taken up, old and new workers have connections
   side by side, unless database_connections limits them. */
static void
check_connections(struct doctor *d)
{
	unsigned others = CONNECTIONS_SPOOL + CONNECTIONS_CTL, max = 0;
	unsigned workers = d->settings->workers;
	unsigned budget = d->settings->database_connections;
	unsigned peak = budget != 0 ? budget : 2 * workers + others;
	struct fault fault;

	fault_clear(&fault);
	if (workers > settings_workers_max(d->settings))
		report(d, VERDICT_FAIL, "database connections", "lower"
		    " `workers`, or raise database_connections", "%u workers,"
		    " wuts-spool and wutsctl need %u, database_connections is"
		    " %u", workers, workers + others, budget);
	else if (schema_service_connections(d->settings, &max, &fault) < 0)
		report(d, VERDICT_FAIL, "database connections", "start the"
		    " server", "%s", fault.text);
	else if (workers + others > max)
		report(d, VERDICT_FAIL, "database connections", "lower"
		    " `workers`, and set database_connections to what the"
		    " server allows", "%u workers, wuts-spool and wutsctl need"
		    " %u, the server allows %u", workers, workers + others,
		    max);
	else if (peak > max)
		report(d, VERDICT_WARN, "database connections", "set"
		    " database_connections to what the server allows, or"
		    " less", "up to %u are opened, the server allows %u",
		    peak, max);
	else
		report(d, VERDICT_OK, "database connections", NULL,
		    "up to %u of the %u that the server allows", peak, max);
}

static void
check_database(struct doctor *d)
{
	unsigned have = 0, want = 0;
	struct fault fault;

	fault_clear(&fault);
	if (schema_service_version(d->settings, &have, &want, &fault) < 0)
		report(d, VERDICT_FAIL, "database", "start the server, or"
		    " correct database_* in the configuration (a missing"
		    " database: `wutsctl init`)", "%s", fault.text);
	else if (have < want)
		report(d, VERDICT_FAIL, "schema", "run `wutsctl migrate`",
		    "is at version %u, this release needs %u", have, want);
	else if (have > want)
		report(d, VERDICT_WARN, "schema", "upgrade this release on"
		    " this machine too", "is at version %u, this release"
		    " knows %u", have, want);
	else
		report(d, VERDICT_OK, "database", NULL,
		    "answers, schema version %u", have);
	if (fault.code == FAULT_NONE)
		check_connections(d);
}

static void
check_wutsd(struct doctor *d)
{
	const char *path = d->settings->socket;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		report(d, VERDICT_FAIL, "wutsd", "set `socket` to a path of"
		    " less than 108 bytes", "%s is too long for a socket",
		    path);
		return;
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr,
	    sizeof(addr)) < 0)
		report(d, VERDICT_FAIL, "wutsd", errno == EACCES ?
		    "run this as root or as the programs' user" :
		    errno == EAGAIN ? "set more workers" :
		    "start wutsd; its log says why it ended",
		    "%s: %s", path, strerror(errno));
	else
		report(d, VERDICT_OK, "wutsd", NULL, "listens on %s", path);
	if (fd >= 0)
		(void)close(fd);
}

/* The engine is named in two places, for nginx and for who asks whether it is
   there. */
static void
check_onprem(struct doctor *d, const struct nginx_facts *facts)
{
	bool has_url = d->settings->onprem_engine_url[0] != '\0';

	if (facts->onprem == 0)
		return;
	if (facts->onprem_engines < facts->onprem)
		report(d, VERDICT_WARN, "On-Premises", "put"
		    " wuts-onprem-engine.conf beside nginx's main file",
		    "%u of %u servers have no engine, their clients get"
		    " 503 for messages", facts->onprem -
		    facts->onprem_engines, facts->onprem);
	else if (!has_url)
		report(d, VERDICT_WARN, "On-Premises", "set onprem_engine_url",
		    "nobody asks whether the engine is there, clients are"
		    " told that it is unregistered");
	else
		report(d, VERDICT_OK, "On-Premises", NULL,
		    "%u servers with an engine", facts->onprem);
}

/* What wutsd hands on must be there to be found, in every server that asks
   it. */
static void
check_engine(struct doctor *d, const struct nginx_facts *facts)
{
	const char *name = d->settings->engine_location;

	if (name[0] == '\0' && facts->engine_locations > 0)
		report(d, VERDICT_WARN, "engine", "set engine_location ="
		    " @wuts_engine", "nginx has a location for it, wutsd"
		    " answers 503");
	else if (name[0] == '\0')
		report(d, VERDICT_OK, "engine", NULL, "none is configured");
	else if (facts->engine_locations == 0)
		report(d, VERDICT_FAIL, "engine", "include the relay that"
		    " comes with WUTS (wuts-engine.conf), or correct"
		    " engine_location", "nginx has no location %s", name);
	else if (facts->servers_without_engine > 0)
		report(d, VERDICT_WARN, "engine", "include it there, too",
		    "%u of the servers that pass to wutsd have no location"
		    " %s", facts->servers_without_engine, name);
	else if (facts->engines_without_pass > 0)
		report(d, VERDICT_FAIL, "engine", "let it pass to the engine"
		    " (proxy_pass)", "location %s leads nowhere", name);
	else
		report(d, VERDICT_OK, "engine", NULL,
		    "location %s relays to it", name);
}

static void
check_nginx(struct doctor *d)
{
	const char *path = d->settings->nginx_config;
	const char *engine = d->settings->engine_location;
	struct nginx_facts facts;
	struct fault fault;

	if (path[0] == '\0') {
		report(d, VERDICT_WARN, "nginx", "set nginx_config to the"
		    " main file", "not checked");
		return;
	}
	fault_clear(&fault);
	if (nginx_facts_read(path, d->settings->socket, engine, &facts,
	    &fault) < 0)
		report(d, VERDICT_FAIL, "nginx", "correct nginx_config or"
		    " the file (nginx -t)", "%s", fault.text);
	else if (facts.passes == 0)
		report(d, VERDICT_FAIL, "nginx", "include the site that comes"
		    " with WUTS, with this socket's path", "no fastcgi_pass in"
		    " %s leads to unix:%s", path, d->settings->socket);
	else if (facts.without_authorization > 0)
		report(d, VERDICT_FAIL, "nginx", "remove"
		    " `fastcgi_pass_request_headers off` or the fastcgi_param"
		    " HTTP_AUTHORIZATION", "the Authorization header does not"
		    " reach wutsd, everybody gets 401");
	else if (facts.without_keep_conn > 0)
		report(d, VERDICT_WARN, "nginx", "add `fastcgi_keep_conn on;`"
		    " beside fastcgi_pass", "`keepalive` without it opens a"
		    " connection for every request");
	else if (facts.keepalive == 0)
		report(d, VERDICT_WARN, "nginx", "pass to an upstream with"
		    " `keepalive`, and set `fastcgi_keep_conn on;`",
		    "a connection is opened for every request");
	else
		report(d, VERDICT_OK, "nginx", NULL, "%s passes to wutsd",
		    path);
	check_onprem(d, &facts);
	if (fault.code == FAULT_NONE)
		check_engine(d, &facts);
}

/* Last of all, as the user that the programs run as: there is no way back. A
   database may know its user by the system's, and a secret that only root can
   read is lost at the next reload. */
static void
check_as_user(struct doctor *d, bool has_secrets)
{
	struct settings *whole;
	struct fault fault;

	fault_clear(&fault);
	if (privilege_drop(d->settings, &fault) < 0) {
		report(d, VERDICT_FAIL, "user", "create it (useradd --system)"
		    " or change the setting `user`", "%s", fault.text);
		return;
	}
	if (has_secrets && settings_load(&whole, d->ctl->config, &fault) < 0)
		report(d, VERDICT_FAIL, "secrets", "let the programs' user"
		    " read it", "%s", fault.text);
	else if (has_secrets)
		settings_free(&whole);
	check_database(d);
}

static void
check_all(struct doctor *d)
{
	struct fault fault;
	bool has_secrets;

	fault_clear(&fault);
	if (settings_load_paths(&d->settings, d->ctl->config, &fault) < 0) {
		report(d, VERDICT_FAIL, "configuration", "correct the file,"
		    " or name another with -c", "%s", fault.text);
		return;
	}
	report(d, VERDICT_OK, "configuration", NULL, "can be read");
	check_user(d);
	has_secrets = check_secrets(d);
	check_run_dir(d);
	check_wutsd(d);
	check_queue(d);
	check_metrics(d);
	check_nginx(d);
	check_as_user(d, has_secrets);
	settings_free(&d->settings);
}

int
ctl_doctor(const struct ctl *ctl)
{
	struct doctor d = { .ctl = ctl };

	if (!ctl->json) {
		check_all(&d);
	} else {
		json_writer_init(&d.w, &d.out);
		json_write_object_begin(&d.w);
		json_write_key(&d.w, "checks");
		json_write_array_begin(&d.w);
		check_all(&d);
		json_write_array_end(&d.w);
		json_write_key(&d.w, "ok");
		json_write_bool(&d.w, !d.has_failed);
		json_write_object_end(&d.w);
		puts(d.out.data);
		strbuf_deinit(&d.out);
	}
	return d.has_failed ? CTL_FAILED : CTL_OK;
}
