/* SPDX-License-Identifier: MIT */
/* What the settings mean: the table, the values a file may give them, and the
   secrets that they point to. The file itself is read by settings_file.c. */
#include "config.h"

#include "wuts/settings.h"

#include "wuts/fault.h"
#include "wuts/mem.h"
#include "settings_private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_MAX_LEN 4096
#define APIKEY_MIN 12
#define APIKEY_MAX 128
#define DAY_MS INT64_C(86400000)
#define GIGABYTE (INT64_C(1) << 30)
#define SIZE_UNLIMITED (INT64_C(1) << 50)

#define AT(member) offsetof(struct settings, member)

const struct setting settings_table[] = {
	{ "auth_failure_limit", SETTING_NUMBER, AT(auth_failure_limit), "20",
	    0, 1000000,
	    "Failed authentications a minute that one client address may make; "
	    "0: any number." },
	{ "body_limit", SETTING_SIZE, AT(body_limit), "1M",
	    1024, 64 << 20,
	    "Largest request body." },
	{ "cors_origin", SETTING_TEXT, AT(cors_origin), "", 0, 0,
	    "Origin whose browser pages may call the API; empty: none." },
	{ "database_connections", SETTING_NUMBER, AT(database_connections),
	    "0", 0, 100000,
	    "Most database connections that this installation opens in all: "
	    "one a worker, two of wuts-spool, one for wutsctl; 0: any "
	    "number." },
	{ "database_host", SETTING_TEXT, AT(database_host), "127.0.0.1", 0, 0,
	    "Database server, reached by TCP when database_socket is empty." },
	{ "database_idle_timeout", SETTING_DURATION,
	    AT(database_idle_timeout_ms), "0", 0, DAY_MS,
	    "A worker without requests for so long closes its database "
	    "connection; 0: never." },
	{ "database_name", SETTING_TEXT, AT(database_name), "wuts", 0, 0,
	    "Name of the database." },
	{ "database_password_file", SETTING_TEXT, AT(database_password_file),
	    "", 0, 0,
	    "File that holds the database user's password; empty: none." },
	{ "database_port", SETTING_NUMBER, AT(database_port), "3306",
	    1, 65535,
	    "TCP port of the database server." },
	{ "database_socket", SETTING_TEXT, AT(database_socket), "", 0, 0,
	    "Unix socket of the database server; empty: TCP." },
	{ "database_timeout", SETTING_DURATION, AT(database_timeout_ms), "1s",
	    1000, 60000,
	    "Longest wait for the database to connect or to answer." },
	{ "database_user", SETTING_TEXT, AT(database_user), "wuts", 0, 0,
	    "Database user." },
	{ "dead_letter_keep", SETTING_DURATION, AT(dead_letter_keep_ms), "30d",
	    DAY_MS, 3650 * DAY_MS,
	    "How long events that could not be delivered are kept." },
	{ "delivery_log_keep", SETTING_DURATION, AT(delivery_log_keep_ms),
	    "7d", 0, 3650 * DAY_MS,
	    "How long GET /webhook/deliveries tells of an event; 0: nothing "
	    "is written." },
	{ "drain_timeout", SETTING_DURATION, AT(drain_timeout_ms), "30s",
	    0, DAY_MS,
	    "How long a stopping process may finish what it has begun." },
	{ "engine_location", SETTING_TEXT, AT(engine_location), "", 0, 0,
	    "Named location of nginx that relays to the WhatsApp engine, as in "
	    "@wuts_engine; empty: no engine." },
	{ "engine_token_file", SETTING_TEXT, AT(engine_token_file), "", 0, 0,
	    "File that holds the token of the WhatsApp engine." },
	{ "engine_token_sha256", SETTING_TEXT, AT(engine_token_sha256), "",
	    0, 0,
	    "Instead of the file: the engine token's SHA-256 in hex." },
	{ "group", SETTING_TEXT, AT(group), "", 0, 0,
	    "Group to run as when started as root; empty: the user's." },
	{ "identity_cache_ttl", SETTING_DURATION, AT(identity_cache_ttl_ms),
	    "1s", 0, 60000,
	    "How long another machine's change may go unnoticed; 0: no "
	    "cache." },
	{ "ingest_body_limit", SETTING_SIZE, AT(ingest_body_limit), "8M",
	    1024, 64 << 20,
	    "Largest request body of POST /devices/{id}/events." },
	{ "installation_key_file", SETTING_TEXT, AT(installation_key_file), "",
	    0, 0,
	    "File with the key that protects tokens and secrets at rest, and "
	    "below it up to 3 more that are accepted; required." },
	{ "log_file", SETTING_TEXT, AT(log_file), "-", 0, 0,
	    "Log file; -: standard error." },
	{ "log_json", SETTING_BOOL, AT(log_json), "no", 0, 0,
	    "Log lines are JSON objects." },
	{ "log_level", SETTING_LOG_LEVEL, AT(log_level), "info", 0, 0,
	    "Least important lines to log: error, warn, info or debug." },
	{ "login_address_failure_limit", SETTING_NUMBER,
	    AT(login_address_failure_limit), "30", 0, 1000000,
	    "Failed log-ins that one client address may make in a "
	    "login_failure_window; 0: any number." },
	{ "login_failure_limit", SETTING_NUMBER, AT(login_failure_limit),
	    "10", 0, 1000000,
	    "Failed log-ins in a login_failure_window that one user name may "
	    "see; 0: any number." },
	{ "login_failure_window", SETTING_DURATION,
	    AT(login_failure_window_ms), "5m", 1000, DAY_MS,
	    "How long failed log-ins count." },
	{ "master_token_file", SETTING_TEXT, AT(master_token_file), "", 0, 0,
	    "File that holds the master token, the super admin's." },
	{ "master_token_sha256", SETTING_TEXT, AT(master_token_sha256), "",
	    0, 0,
	    "Instead of the file: the master token's SHA-256 in hex." },
	{ "metrics_allow", SETTING_TEXT, AT(metrics_allow), "", 0, 0,
	    "Client addresses that may read GET /metrics without the master "
	    "token; empty: none." },
	{ "nginx_config", SETTING_TEXT, AT(nginx_config), "", 0, 0,
	    "nginx configuration that wutsctl doctor reads; empty: none." },
	{ "onprem_admin_password", SETTING_TEXT, AT(onprem_admin_password),
	    "secret", 0, 0,
	    "First password of a new On-Premises account admin, which its "
	    "first log-in must change." },
	{ "onprem_apikey_file", SETTING_TEXT, AT(onprem_apikey_file), "", 0, 0,
	    "File that holds the key, 12 to 128 characters, with which "
	    "monitoring may ask; empty: none." },
	{ "onprem_certificate_file", SETTING_TEXT,
	    AT(onprem_certificate_file), "", 0, 0,
	    "File that POST /v1/certificates/external writes; empty: it is "
	    "refused." },
	{ "onprem_engine_url", SETTING_TEXT, AT(onprem_engine_url), "", 0, 0,
	    "URL that wuts-spool asks whether the On-Premises engine is there, "
	    "http://unix:/socket:/path too; empty: no engine." },
	{ "onprem_revoke_on_password_change", SETTING_BOOL,
	    AT(onprem_revoke_on_password_change), "no", 0, 0,
	    "End an account's sessions when its password is changed." },
	{ "onprem_tenant", SETTING_TEXT, AT(onprem_tenant), "", 0, 0,
	    "Id or name of the tenant that /v1/ means where nginx sends no "
	    "WUTS_TENANT; empty: the only one that speaks the dialect." },
	{ "onprem_token_lifetime", SETTING_DURATION,
	    AT(onprem_token_lifetime_ms), "7d", 1000, 3650 * DAY_MS,
	    "How long a token of POST /v1/users/login is good." },
	{ "onprem_version", SETTING_TEXT, AT(onprem_version), "", 0, 0,
	    "Version that answers under /v1/ carry, as in v2.45.1; empty: that "
	    "of WUTS." },
	{ "onprem_webhook_allow", SETTING_TEXT, AT(onprem_webhook_allow),
	    "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 "
	    "127.0.0.0/8 ::1 fc00::/7", 0, 0,
	    "Address ranges that On-Premises webhooks may reach although "
	    "not public." },
	{ "onprem_webhook_connect_timeout", SETTING_DURATION,
	    AT(onprem_webhook_connect_timeout_ms), "5s", 1, 600000,
	    "How long the connection for an On-Premises webhook may take." },
	{ "onprem_webhook_keep", SETTING_DURATION,
	    AT(onprem_webhook_keep_ms), "7d", 1000, 3650 * DAY_MS,
	    "How long an event that its On-Premises webhook does not take "
	    "is tried." },
	{ "onprem_webhook_max_waiting", SETTING_NUMBER,
	    AT(onprem_webhook_max_waiting), "100000", 0, UINT_MAX,
	    "Most events that wait for the On-Premises webhook of one "
	    "tenant; 0: any number." },
	{ "onprem_webhook_timeout", SETTING_DURATION,
	    AT(onprem_webhook_timeout_ms), "10s", 1, 600000,
	    "How long a request to an On-Premises webhook may take." },
	{ "password_memory_kib", SETTING_NUMBER, AT(password_memory_kib),
	    "19456", 8, 4194304,
	    "Memory in KiB that hashing a password takes (Argon2id)." },
	{ "password_passes", SETTING_NUMBER, AT(password_passes), "2", 1, 100,
	    "Passes over that memory." },
	{ "picture_dir", SETTING_TEXT, AT(picture_dir),
	    WUTS_DEFAULT_PICTURE_DIR, 0, 0,
	    "Directory of users' pictures, which nginx serves." },
	{ "picture_url", SETTING_TEXT, AT(picture_url), "", 0, 0,
	    "Address at which it does, as in https://example.com/pictures; "
	    "empty: users have no pictures." },
	{ "queue_dir", SETTING_TEXT, AT(queue_dir),
	    WUTS_DEFAULT_QUEUE_DIR, 0, 0,
	    "Directory of the event queue, on a disk that survives a power "
	    "cut." },
	{ "queue_disk_reserve", SETTING_SIZE, AT(queue_disk_reserve), "64M",
	    0, SIZE_UNLIMITED,
	    "Disk space that the queue leaves free." },
	{ "queue_max_bytes", SETTING_SIZE, AT(queue_max_bytes), "0",
	    0, SIZE_UNLIMITED,
	    "Largest size of the queue; 0: only the disk limits it." },
	{ "queue_max_records", SETTING_NUMBER, AT(queue_max_records), "0",
	    0, UINT_MAX,
	    "Most events that wait; 0: any number." },
	{ "queue_segment_bytes", SETTING_SIZE, AT(queue_segment_bytes), "16M",
	    65536, GIGABYTE,
	    "Size of one queue file." },
	{ "queue_tenant_max_bytes", SETTING_SIZE, AT(queue_tenant_max_bytes),
	    "0", 0, SIZE_UNLIMITED,
	    "Most bytes of events that wait for one tenant; 0: any number." },
	{ "queue_tenant_max_records", SETTING_NUMBER,
	    AT(queue_tenant_max_records), "0", 0, UINT_MAX,
	    "Most events that wait for one tenant; 0: any number." },
	{ "request_timeout", SETTING_DURATION, AT(request_timeout_ms), "30s",
	    1000, 3600000,
	    "A worker that is busy with one request for longer is killed." },
	{ "retry_base", SETTING_DURATION, AT(retry_base_ms), "5s",
	    1, DAY_MS,
	    "Longest wait before the first retry of a delivery; doubles with "
	    "each." },
	{ "retry_cap", SETTING_DURATION, AT(retry_cap_ms), "1h",
	    1, DAY_MS,
	    "Longest wait before any retry of a delivery." },
	{ "run_dir", SETTING_TEXT, AT(run_dir),
	    WUTS_DEFAULT_RUN_DIR, 0, 0,
	    "Directory of the socket and of the memory that processes share." },
	{ "show_tokens", SETTING_BOOL, AT(show_tokens), "yes", 0, 0,
	    "Show users' tokens in full in GET /users." },
	{ "socket", SETTING_TEXT, AT(socket), "", 0, 0,
	    "Unix socket on which nginx reaches wutsd; empty: wutsd.sock in "
	    "run_dir." },
	{ "socket_mode", SETTING_OCTAL, AT(socket_mode), "0660",
	    0, 0777,
	    "Permissions of that socket, in octal." },
	{ "spool_max_in_flight", SETTING_NUMBER, AT(spool_max_in_flight),
	    "256", 1, 10000,
	    "Deliveries under way at once." },
	{ "user", SETTING_TEXT, AT(user), "", 0, 0,
	    "User to run as when started as root." },
	{ "webhook_allow", SETTING_TEXT, AT(webhook_allow), "", 0, 0,
	    "Address ranges that webhooks may reach although not public." },
	{ "webhook_allow_host", SETTING_TEXT, AT(webhook_allow_host), "", 0, 0,
	    "Host names that webhooks may name whatever their address, and "
	    "*.suffix for every name below one." },
	{ "webhook_disable_after", SETTING_DURATION,
	    AT(webhook_disable_after_ms), "5d", 0, 3650 * DAY_MS,
	    "A webhook on which everything has failed for this long is "
	    "disabled; 0: never." },
	{ "webhook_http", SETTING_BOOL, AT(webhook_http), "no", 0, 0,
	    "Allow webhooks over plain http." },
	{ "worker_max_requests", SETTING_NUMBER, AT(worker_max_requests),
	    "100000", 0, UINT_MAX,
	    "A worker is replaced after this many requests; 0: never." },
	{ "workers", SETTING_NUMBER, AT(workers), "4", 1, 1024,
	    "Worker processes." },
};
const size_t settings_table_len =
    sizeof(settings_table) / sizeof(settings_table[0]);

/* A setting given as a file or as a SHA-256: whichever, the hash. */
static int
load_token(const char *name, const char *path, const char *hex,
    bool *has_r, uint8_t hash_r[CRYPTO_HASH_LEN], struct fault *fault)
{
	struct secret token = { NULL, 0 };

	*has_r = path[0] != '\0' || hex[0] != '\0';
	if (path[0] != '\0' && hex[0] != '\0')
		return fault_set(fault, FAULT_CONFIG,
		    "%s_file and %s_sha256 are both set: remove one", name,
		    name);
	if (hex[0] != '\0') {
		if (strlen(hex) != CRYPTO_HASH_LEN * 2 ||
		    !crypto_unhex(hex, strlen(hex), hash_r))
			return fault_set(fault, FAULT_CONFIG,
			    "%s_sha256 must be 64 hex digits", name);
		return 0;
	}
	if (path[0] == '\0')
		return 0;
	if (secret_read_file(&token, path, SECRET_MAX_LEN, fault) < 0)
		return fault_prefix(fault, "%s_file", name);
	crypto_sha256(token.data, token.len, hash_r);
	secret_deinit(&token);
	return 0;
}

static int
load_installation_key(struct settings *settings, struct fault *fault)
{
	struct secret key = { NULL, 0 };
	int ret;

	if (settings->installation_key_file[0] == '\0')
		return fault_set(fault, FAULT_CONFIG,
		    "installation_key_file is not set: `wutsctl init` makes "
		    "the file that it names");
	if (secret_read_file(&key, settings->installation_key_file,
	    SECRET_MAX_LEN, fault) < 0)
		return fault_prefix(fault, "installation_key_file");
	ret = crypto_keys_derive(&settings->keys, &key, fault);
	secret_deinit(&key);
	return ret < 0 ? fault_prefix(fault, "installation_key_file %s",
	    settings->installation_key_file) : 0;
}

static int
load_apikey(struct settings *settings, struct fault *fault)
{
	struct secret key = { NULL, 0 };
	size_t len;

	if (settings->onprem_apikey_file[0] == '\0')
		return 0;
	if (secret_read_file(&key, settings->onprem_apikey_file,
	    SECRET_MAX_LEN, fault) < 0)
		return fault_prefix(fault, "onprem_apikey_file");
	len = key.len;
	crypto_sha256(key.data, len, settings->onprem_apikey_hash);
	secret_deinit(&key);
	settings->has_onprem_apikey = true;
	if (len < APIKEY_MIN || len > APIKEY_MAX)
		return fault_set(fault, FAULT_CONFIG, "onprem_apikey_file %s:"
		    " the key has %zu characters, it must have %d to %d",
		    settings->onprem_apikey_file, len, APIKEY_MIN,
		    APIKEY_MAX);
	return 0;
}

static int
load_secrets(struct settings *settings, struct fault *fault)
{
	if (load_installation_key(settings, fault) < 0 ||
	    load_token("master_token", settings->master_token_file,
	    settings->master_token_sha256, &settings->has_master_token,
	    settings->master_token_hash, fault) < 0 ||
	    load_token("engine_token", settings->engine_token_file,
	    settings->engine_token_sha256, &settings->has_engine_token,
	    settings->engine_token_hash, fault) < 0 ||
	    load_apikey(settings, fault) < 0)
		return -1;
	if (settings->database_password_file[0] != '\0' &&
	    secret_read_file(&settings->database_password,
	    settings->database_password_file, SECRET_MAX_LEN, fault) < 0)
		return fault_prefix(fault, "database_password_file");
	return 0;
}

/* What follows from other settings. */
static void
complete(struct settings *settings)
{
	static const char name[] = "/wutsd.sock";
	size_t len = strlen(settings->run_dir);

	if (settings->socket[0] != '\0')
		return;
	settings->socket = mem_realloc(settings->socket, len + sizeof(name),
	    1);
	memcpy(settings->socket, settings->run_dir, len);
	memcpy(settings->socket + len, name, sizeof(name));
}

unsigned
settings_workers_max(const struct settings *settings)
{
	unsigned others = CONNECTIONS_SPOOL + CONNECTIONS_CTL;
	unsigned all = settings->database_connections;

	if (all == 0)
		return UINT_MAX;
	return all > others ? all - others : 0;
}

/* Only a named location keeps the method and the body of a request. */
static int
check(const struct settings *settings, struct fault *fault)
{
	const char *location = settings->engine_location;
	size_t len = strlen(location);

	if (settings_workers_max(settings) == 0)
		return fault_set(fault, FAULT_CONFIG, "database_connections:"
		    " must be %u or more, or 0",
		    CONNECTIONS_SPOOL + CONNECTIONS_CTL + 1);
	if (settings->onprem_admin_password[0] == '\0')
		return fault_set(fault, FAULT_CONFIG,
		    "onprem_admin_password must not be empty");
	if (len == 0 || (location[0] == '@' && len > 1 && strspn(location + 1,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
	    == len - 1))
		return 0;
	return fault_set(fault, FAULT_CONFIG, "engine_location: \"%s\" is not"
	    " the name of a location, as in @wuts_engine", location);
}

const char *
settings_path(const char *path)
{
	if (path == NULL)
		path = getenv("WUTS_CONFIG");
	return path != NULL ? path : WUTS_DEFAULT_CONFIG;
}

int
settings_load_paths(struct settings **settings_r, const char *path,
    struct fault *fault)
{
	struct settings *settings = mem_calloc(1, sizeof(*settings));

	if (settings_file_read(settings, settings_path(path), fault) < 0 ||
	    check(settings, fault) < 0) {
		settings_free(&settings);
		return -1;
	}
	complete(settings);
	*settings_r = settings;
	return 0;
}

int
settings_load(struct settings **settings_r, const char *path,
    struct fault *fault)
{
	struct settings *settings;

	if (settings_load_paths(&settings, path, fault) < 0)
		return -1;
	if (load_secrets(settings, fault) < 0) {
		settings_free(&settings);
		return -1;
	}
	*settings_r = settings;
	return 0;
}

void
settings_free(struct settings **settingsp)
{
	struct settings *settings = *settingsp;
	size_t i;

	if (settings == NULL)
		return;
	for (i = 0; i < settings_table_len; i++)
		if (settings_table[i].type == SETTING_TEXT)
			free(*(char **)setting_place(settings,
			    &settings_table[i]));
	secret_deinit(&settings->database_password);
	crypto_wipe(settings, sizeof(*settings));
	free(settings);
	*settingsp = NULL;
}

int
settings_open_log(const struct settings *settings, const char *program)
{
	log_json(settings->log_json);
	return log_open(program, settings->log_file, settings->log_level);
}
