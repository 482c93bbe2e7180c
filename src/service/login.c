/* SPDX-License-Identifier: MIT */
/* What stands around a log-in with a password in every dialect: the counting of
   failures, by name and by address, and the gate before the slow hash.

   The gate: a password's hash takes a worker tens of milliseconds on purpose.
   Half of the workers may do that at once, and a quarter may wait for it, some
   hashes long; who comes beyond that is told to come back. So a storm of
   log-ins, or of new users, leaves a quarter of the workers, at least one where
   there are two, to all other requests, and those that merely coincide are
   served one after the other. A longer wait would be one of the requests, too,
   that nginx sends on the waiting worker's connections. A dozen backup codes
   are a dozen hashes: such work gets half of the places, and what it leaves is
   for log-ins. Who sets a password waits longer: Wacht's SDKs try nothing
   again. Where settings make hashes quick, the gate stands open. */
#include "config.h"

#include "service_private.h"

#include "wuts/attempts.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/gate.h"
#include "wuts/settings.h"

#include <string.h>

#define WAIT_MS 100
#define WAIT_TO_SET_MS 500	/* a password, or a dozen codes */

/* What a hash fills of memory, pass by pass, before it counts as slow: one or
   two milliseconds of work. */
#define SLOW_KIB 4096

static int
open_attempts(struct service *service, struct attempts **attempts_r,
    const char *name, unsigned limit, struct fault *fault)
{
	const struct settings *settings = service->settings;
	struct strbuf path = STRBUF_INIT;
	int ret;

	strbuf_printf(&path, "%s/%s", settings->run_dir, name);
	ret = attempts_open(attempts_r, path.data, limit,
	    (unsigned)(settings->login_failure_window_ms / 1000), fault);
	strbuf_deinit(&path);
	return ret;
}

static int
open_gate(struct service *service, struct fault *fault)
{
	unsigned workers = service->settings->workers;
	struct strbuf path = STRBUF_INIT;
	int ret;

	strbuf_printf(&path, "%s/hashing", service->settings->run_dir);
	ret = gate_open(&service->hashing, path.data,
	    workers < 2 ? 1 : workers / 2, workers / 4, fault);
	strbuf_deinit(&path);
	return ret;
}

int
login_open(struct service *service, struct fault *fault)
{
	const struct settings *settings = service->settings;

	if (open_attempts(service, &service->login_names, "login-names",
	    settings->login_failure_limit, fault) < 0 ||
	    open_attempts(service, &service->login_addresses,
	    "login-addresses", settings->login_address_failure_limit,
	    fault) < 0)
		return -1;
	return open_gate(service, fault);
}

void
login_close(struct service *service)
{
	gate_close(&service->hashing);
	attempts_close(&service->login_addresses);
	attempts_close(&service->login_names);
}

/* --- the slow hash --- */

static bool
is_gated(const struct service *service, const struct caller *caller)
{
	const struct settings *settings = service->settings;

	return (caller == NULL ||
	    caller->identity.kind != IDENTITY_OPERATOR) &&
	    (uint64_t)settings->password_memory_kib *
	    settings->password_passes >= SLOW_KIB;
}

static int
refuse_busy(struct fault *fault)
{
	fault_say(fault, REFUSAL_BUSY,
	    "too many passwords are being hashed at once, try again");
	fault->retry_after_s = 1;
	return -1;
}

static int
enter(struct service *service, const struct caller *caller, unsigned wait_ms,
    struct fault *fault)
{
	return !is_gated(service, caller) ||
	    gate_enter(service->hashing, wait_ms) ? 0 : refuse_busy(fault);
}

static void
leave(struct service *service, const struct caller *caller)
{
	if (is_gated(service, caller))
		gate_leave(service->hashing);
}

int
login_begin_hashes(struct service *service, struct fault *fault)
{
	return !is_gated(service, NULL) ||
	    gate_enter_long(service->hashing, WAIT_TO_SET_MS) ? 0 :
	    refuse_busy(fault);
}

void
login_end_hashes(struct service *service)
{
	leave(service, NULL);
}

int
login_hash(struct service *service, const struct caller *caller,
    const char *password, char hash_r[CRYPTO_PASSWORD_HASH_MAX],
    struct fault *fault)
{
	const struct settings *settings = service->settings;

	if (enter(service, caller, WAIT_TO_SET_MS, fault) < 0)
		return -1;
	crypto_password_hash(password, settings->password_memory_kib,
	    settings->password_passes, hash_r);
	leave(service, caller);
	return 0;
}

/* As costly as a user's, and nobody's. */
static const char *
no_password(struct service *service)
{
	const struct settings *settings = service->settings;

	if (service->no_password[0] == '\0')
		crypto_password_hash("", settings->password_memory_kib,
		    settings->password_passes, service->no_password);
	return service->no_password;
}

int
login_verify(struct service *service, const struct caller *caller,
    const char *password, const char *hash, struct fault *fault)
{
	const char *other;
	bool matches;

	if (enter(service, caller, WAIT_MS, fault) < 0)
		return -1;
	/* Also for those who need it not, so that the first one does not tell
	   by its time. */
	other = no_password(service);
	matches = crypto_password_verify(password,
	    hash[0] != '\0' ? hash : other);
	leave(service, caller);
	return matches && hash[0] != '\0';
}

/* --- failures --- */

/* Under a key, so that nobody can choose names whose slots collide. */
static void
name_key(struct service *service, const struct uuid *tenant_id,
    const char *name, char hex_r[2 * CRYPTO_HASH_LEN + 1])
{
	struct strbuf text = STRBUF_INIT;
	uint8_t hash[CRYPTO_HASH_LEN];

	strbuf_append(&text, tenant_id->b, sizeof(tenant_id->b));
	strbuf_append_str(&text, name);
	service_lookup_hash(&service->settings->keys.key[0], text.data,
	    text.len, hash);
	crypto_hex(hash, sizeof(hash), hex_r);
	strbuf_deinit(&text);
}

int
login_check_limits(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, const char *name, struct fault *fault)
{
	char key[2 * CRYPTO_HASH_LEN + 1];
	int64_t now_us = clock_wall_us();
	unsigned wait_s, address_wait_s;

	name_key(service, tenant_id, name, key);
	wait_s = attempts_wait_s(service->login_names, key, now_us);
	address_wait_s = attempts_wait_s(service->login_addresses,
	    caller->address, now_us);
	if (address_wait_s > wait_s)
		wait_s = address_wait_s;
	if (wait_s == 0)
		return 0;
	fault_say(fault, REFUSAL_RATE_LIMITED,
	    "too many failed attempts, try again in %u s", wait_s);
	fault->retry_after_s = wait_s;
	return -1;
}

void
login_count_failure(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, const char *name)
{
	char key[2 * CRYPTO_HASH_LEN + 1];
	int64_t now_us = clock_wall_us();

	name_key(service, tenant_id, name, key);
	attempts_count_failure(service->login_names, key, now_us);
	attempts_count_failure(service->login_addresses, caller->address,
	    now_us);
}

void
login_forget_failures(struct service *service, const struct uuid *tenant_id,
    const char *name)
{
	char key[2 * CRYPTO_HASH_LEN + 1];

	name_key(service, tenant_id, name, key);
	attempts_forget(service->login_names, key);
}
