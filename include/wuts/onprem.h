/* SPDX-License-Identifier: MIT */
/* What the On-Premises dialect adds to a tenant: its application settings, its
   CA certificates, and what user names and passwords may be there
   (spec/onprem.md §2-4). Pure. */
#ifndef WUTS_ONPREM_H
#define WUTS_ONPREM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/uuid.h"

struct fault;
struct json_writer;

/* The one account of a tenant that is ROLE_ADMIN. */
#define ONPREM_ADMIN "admin"

#define ONPREM_USERNAME_MIN 4
#define ONPREM_USERNAME_MAX 32
#define ONPREM_PASSWORD_MIN 8		/* bytes */
#define ONPREM_PASSWORD_MAX 64
#define ONPREM_URL_MAX 2048
#define ONPREM_WA_ID_MAX 31
#define ONPREM_CA_MAX ((size_t)256 << 10)
#define ONPREM_CA_CERTIFICATES_MAX 64

/* NULL when good, else the sentence for the client. */
const char *onprem_username_check(const char *username);
const char *onprem_password_check(const char *password);

enum onprem_media {
	ONPREM_AUDIO,
	ONPREM_DOCUMENT,
	ONPREM_IMAGE,
	ONPREM_STICKER,
	ONPREM_VIDEO,
	ONPREM_VOICE,
	ONPREM_MEDIA_COUNT
};

enum onprem_log_level {
	ONPREM_LOG_ERROR,
	ONPREM_LOG_WARNING,
	ONPREM_LOG_INFO,
	ONPREM_LOG_DEBUG
};

/* The application settings of one tenant. What has an effect here is marked;
   the rest is kept and given back to clients that read it. */
struct onprem_settings {
	unsigned callback_backoff_delay_ms;	/* effect: first retry */
	unsigned max_callback_backoff_delay_ms;	/* effect: longest wait;
						   never below the former */
	bool callback_persist;			/* effect: kept on disk */
	bool pass_through;			/* always false */
	unsigned heartbeat_interval;		/* seconds */
	unsigned unhealthy_interval;		/* seconds */
	unsigned nauto_download;
	enum onprem_media auto_download[ONPREM_MEDIA_COUNT];
	bool notify_user_change_number;
	bool show_security_notifications;
	bool skip_referral_media_download;
	bool collect_messages;		/* garbagecollector_enable.messages,
					   db_garbagecollector_enable */
	bool collect_media;
	bool axolotl_context_striping_disabled;
	bool without_pricing;	/* effect: statuses lose `conversation` and
				   `pricing` */
	bool verbose_logging;
	enum onprem_log_level log_level;

	char webhook_url[ONPREM_URL_MAX + 1];	/* effect; "": off */
	unsigned webhook_max_concurrent;	/* effect: 6, 12, 18, 24 */
	bool webhook_sent;	/* effect; also called sent_status */
	bool webhook_delivered;	/* effect */
	bool webhook_read;	/* effect */
};

/* A tenant that speaks this dialect. */
struct onprem {
	struct uuid tenant_id;
	struct onprem_settings settings;
	char wa_id[ONPREM_WA_ID_MAX + 1];	/* "": not registered */
	int64_t updated_us;
};

/* The number in front of an account's address, "4915…:12@s.whatsapp.net", or ""
   where there is none. */
void onprem_take_number(const char *jid, char wa_id_r[ONPREM_WA_ID_MAX + 1]);

void onprem_settings_init(struct onprem_settings *settings);

/* Take over the fields of a PATCH, in the order in which they stand: absent
   ones stay, objects merge, arrays replace, unknown ones are passed over. All
   or nothing: -1 with REFUSAL_VALIDATION naming each bad field (as in
   "webhooks.url"), or saying that no field is known; then *settings is as it
   was. */
int onprem_settings_merge(struct onprem_settings *settings,
    const json_t *patch, struct fault *fault);

/* A URL that was merged, not empty: may there be such a host and port? NULL, or
   what is wrong. Apart, because what is stored already must stay readable. */
const char *onprem_url_check_host(const char *url);

/* The inner object of GET, whose fields onprem_settings_merge() reads. wa_id
   NULL: without that member. */
void onprem_settings_write(struct json_writer *w,
    const struct onprem_settings *settings, const char *wa_id);

#endif
