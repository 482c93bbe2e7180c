/* SPDX-License-Identifier: MIT */
/* The configuration file (INI without sections, `name = value`), read into one
   struct by one table. Every program reads the same file. */
#ifndef WUTS_SETTINGS_H
#define WUTS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/crypto.h"
#include "wuts/log.h"
#include "wuts/secret.h"

struct fault;

struct settings {
	/* where things are */
	char *run_dir;		/* socket, lock, generations, attempts */
	char *queue_dir;
	char *socket;		/* default: run_dir/wutsd.sock */
	unsigned socket_mode;	/* octal in the file */
	char *user;		/* run as; empty: as started */
	char *group;		/* empty: the user's */
	char *nginx_config;	/* for wutsctl doctor; empty: not checked */
	char *log_file;		/* "-": standard error */
	bool log_json;
	enum log_level log_level;

	/* workers */
	unsigned workers;
	unsigned worker_max_requests;	/* 0: never recycled */
	int64_t request_timeout_ms;
	int64_t drain_timeout_ms;

	/* database */
	char *database_socket;	/* empty: TCP to host and port */
	char *database_host;
	unsigned database_port;
	char *database_name;
	char *database_user;
	char *database_password_file;
	int64_t database_timeout_ms;
	unsigned database_connections;	/* in all; 0: any number */
	int64_t database_idle_timeout_ms;	/* 0: never */

	/* requests */
	size_t body_limit;
	size_t ingest_body_limit;
	int64_t identity_cache_ttl_ms;	/* 0: no cache */
	unsigned auth_failure_limit;	/* a minute and address; 0: none */
	bool show_tokens;
	char *cors_origin;		/* empty: no CORS */
	char *metrics_allow;		/* CIDR ranges, blanks between */
	unsigned password_memory_kib;
	unsigned password_passes;

	char *engine_location;		/* of nginx, "@name"; empty: none */

	/* pictures */
	char *picture_dir;
	char *picture_url;		/* what nginx serves it as; empty: no
					   pictures */

	/* log-ins with a password, in every dialect */
	unsigned login_failure_limit;	/* a window and name; 0: none */
	unsigned login_address_failure_limit;	/* and address; 0: none */
	int64_t login_failure_window_ms;

	/* the On-Premises dialect */
	char *onprem_tenant;		/* where nginx names none */
	char *onprem_version;		/* empty: our own */
	char *onprem_admin_password;	/* of a new account `admin` */
	int64_t onprem_token_lifetime_ms;
	bool onprem_revoke_on_password_change;
	char *onprem_engine_url;	/* whom to ask; empty: no engine */
	char *onprem_certificate_file;	/* empty: none is taken */
	char *onprem_webhook_allow;	/* as webhook_allow */
	int64_t onprem_webhook_connect_timeout_ms;
	int64_t onprem_webhook_timeout_ms;
	int64_t onprem_webhook_keep_ms;
	unsigned onprem_webhook_max_waiting;	/* 0: any number */

	/* queue */
	size_t queue_segment_bytes;
	size_t queue_max_bytes;		/* 0: only the disk */
	size_t queue_disk_reserve;	/* bytes left free on the disk */
	unsigned queue_max_records;	/* 0: any number */
	unsigned queue_tenant_max_records;	/* 0: any number */
	size_t queue_tenant_max_bytes;	/* 0: none */

	/* delivery */
	bool webhook_http;
	char *webhook_allow;		/* CIDR ranges, blanks between */
	char *webhook_allow_host;	/* names and *.suffix, likewise */
	unsigned spool_max_in_flight;
	int64_t retry_base_ms;
	int64_t retry_cap_ms;
	int64_t dead_letter_keep_ms;
	int64_t delivery_log_keep_ms;
	int64_t webhook_disable_after_ms;	/* 0: never */

	/* secrets, read from their files or hashes at load */
	char *installation_key_file;
	char *master_token_file;
	char *master_token_sha256;
	char *engine_token_file;
	char *engine_token_sha256;
	char *onprem_apikey_file;

	/* what the secrets above became */
	struct secret database_password;
	struct crypto_keys keys;
	bool has_master_token;
	uint8_t master_token_hash[CRYPTO_HASH_LEN];
	bool has_engine_token;
	uint8_t engine_token_hash[CRYPTO_HASH_LEN];
	bool has_onprem_apikey;
	uint8_t onprem_apikey_hash[CRYPTO_HASH_LEN];
};

enum setting_type {
	SETTING_TEXT,
	SETTING_BOOL,		/* yes/no, true/false, on/off, 1/0 */
	SETTING_NUMBER,
	SETTING_OCTAL,
	SETTING_SIZE,		/* bytes; suffix K, M, G */
	SETTING_DURATION,	/* suffix ms, s, m, h, d; bare: seconds */
	SETTING_LOG_LEVEL
};

/* One row a setting, sorted by name; the manual and the sample configuration
   are checked against this table. */
struct setting {
	const char *name;
	enum setting_type type;
	size_t offset;		/* into struct settings */
	const char *initial;	/* as it would stand in the file */
	int64_t min, max;	/* in the stored unit */
	const char *meaning;	/* one sentence */
};
extern const struct setting settings_table[];
extern const size_t settings_table_len;

/* Read path (NULL: $WUTS_CONFIG, else the installed default), then the secret
   files that it names. An unknown name, a bad value or an unreadable secret is
   FAULT_CONFIG and says file, line and what to do. 0 / -1. */
int settings_load(struct settings **settings_r, const char *path,
    struct fault *fault);

/* The configuration that a NULL path means; else path. */
const char *settings_path(const char *path);

/* As settings_load(), but leaves the secret files unread, and so the secrets
   unset: for making an installation. */
int settings_load_paths(struct settings **settings_r, const char *path,
    struct fault *fault);

/* What the database connections are for that are not workers'. */
enum {
	CONNECTIONS_SPOOL = 2,	/* settings of webhooks; replays */
	CONNECTIONS_CTL = 1
};

/* How many workers database_connections leaves room for; UINT_MAX when it does
   not limit them. */
unsigned settings_workers_max(const struct settings *settings);

/* Wipe the secrets and free; NULL is accepted. */
void settings_free(struct settings **settingsp);

/* Start (or reopen) the log as these settings have it. As log_open(). */
int settings_open_log(const struct settings *settings, const char *program);

#endif
