/* SPDX-License-Identifier: MIT */
/* GET /health and /support (spec/onprem.md §5 H1, H5): is the engine there,
   and what is this installation? Nothing of its configuration, environment or
   secrets is told. */
#include "config.h"

#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/monitor_service.h"
#include "wuts/onprem_service.h"
#include "wuts/settings.h"

#include "onprem_private.h"

#include <libgen.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

static const struct gateway {
	const char *status;
	const char *socket;
} gateways[] = {
	[MONITOR_CONNECTED] = { "connected", "UP" },
	[MONITOR_CONNECTING] = { "connecting", "SC" },
	[MONITOR_DISCONNECTED] = { "disconnected", "DN" },
	[MONITOR_UNINITIALIZED] = { "uninitialized", "UNK" },
	[MONITOR_UNREGISTERED] = { "unregistered", "UNK" }
};

int
health_get(struct exchange *x, struct fault *fault)
{
	enum monitor_gateway gateway;
	struct json_writer *w;

	if (monitor_service_gateway(x->service, &gateway, fault) < 0)
		return -1;
	w = onprem_begin(x, 200);
	json_write_key(w, "health");
	json_write_object_begin(w);
	json_member_text(w, "gateway_status", gateways[gateway].status);
	json_write_object_end(w);
	return onprem_end(x);
}

/* 0 where it cannot be said. */
static void
write_free_space(struct json_writer *w, const char *key, const char *dir)
{
	struct statvfs st;
	uint64_t bytes = 0;

	if (statvfs(dir, &st) == 0)
		bytes = (uint64_t)st.f_bavail * st.f_frsize;
	json_member_int(w, key, (int64_t)bytes);
}

static const char *
log_dir(struct exchange *x)
{
	if (strcmp(x->settings->log_file, "-") == 0)
		return x->settings->run_dir;
	return dirname(arena_strdup(x->arena, x->settings->log_file));
}

static void
write_database(struct json_writer *w, const struct monitor_database *database)
{
	json_member_text(w, "db_engine", "MYSQL");
	json_write_key(w, "db_info");
	json_write_array_begin(w);
	json_write_string(w, database->server);
	json_write_array_end(w);
	json_write_key(w, "schema");
	json_write_object_begin(w);
	json_member_int(w, "wuts", database->schema);
	json_write_object_end(w);
}

static void
write_machine(struct exchange *x, struct json_writer *w)
{
	struct utsname name;
	char now[CLOCK_RFC3339_SIZE];

	if (uname(&name) < 0)
		memset(&name, 0, sizeof(name));
	json_member_text(w, "os_name", name.sysname);
	json_member_text(w, "os_version", name.release);
	json_member_text(w, "device_iso8601", clock_format(clock_wall_us(),
	    now));
	write_free_space(w, "free_space_data", x->settings->queue_dir);
	write_free_space(w, "free_space_logs", log_dir(x));
}

int
support_get(struct exchange *x, struct fault *fault)
{
	struct onprem onprem = { .wa_id = "" };
	struct monitor_database database;
	enum monitor_gateway gateway;
	struct json_writer *w;

	if (monitor_service_gateway(x->service, &gateway, fault) < 0 ||
	    monitor_service_database(x->service, &database, fault) < 0 ||
	    onprem_service_get(x->service, &x->caller.identity.tenant_id,
	    &onprem, fault) < 0)
		return -1;
	w = onprem_begin(x, 200);
	json_write_key(w, "support");
	json_write_object_begin(w);
	json_member_text(w, "context", "healthcheck");
	json_member_text(w, "debug_info",
	    onprem.wa_id[0] != '\0' ? onprem.wa_id : "unregistered");
	json_member_text(w, "description", PACKAGE_NAME " " PACKAGE_VERSION);
	write_database(w, &database);
	write_machine(x, w);
	json_member_text(w, "lc", "ZZ");
	json_member_text(w, "lg", "ZZ");
	json_member_bool(w, "multi_connect", false);
	json_member_text(w, "socket_conn", gateways[gateway].socket);
	json_write_key(w, "env");
	json_write_array_begin(w);
	json_write_array_end(w);
	json_write_object_end(w);
	return onprem_end(x);
}
