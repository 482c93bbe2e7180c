/* SPDX-License-Identifier: MIT */
/* The second factor at a log-in. A try is counted before it is judged, so that
   guesses made at the same time all count; a code that was right is used up by
   one statement, so that of two log-ins with the same code one gets in. */
#include "config.h"

#include "wuts/second_factor_service.h"

#include "second_factor_private.h"
#include "service_private.h"
#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/second_factor_store.h"
#include "wuts/settings.h"

/* Six digits are few: three of a million are right at any time. So tries are
   slowed down until a year of them finds nothing. */
#define FREE_FAILURES 5
#define FIRST_WAIT_S 30
#define LONGEST_WAIT_S 3600

static int64_t
wait_us(const struct authenticator *authenticator, int64_t now_us)
{
	int64_t wait_s = FIRST_WAIT_S, until_us;

	if (authenticator->failures < FREE_FAILURES)
		return 0;
	for (unsigned n = FREE_FAILURES; n < authenticator->failures &&
	    wait_s < LONGEST_WAIT_S; n++)
		wait_s *= 2;
	if (wait_s > LONGEST_WAIT_S)
		wait_s = LONGEST_WAIT_S;
	until_us = authenticator->tried_us + wait_s * CLOCK_SECOND_US;
	return until_us > now_us ? until_us - now_us : 0;
}

static enum second_factor_verdict
refuse_rate(int64_t wait_us, struct fault *fault)
{
	fault->retry_after_s = (unsigned)(wait_us / CLOCK_SECOND_US) + 1;
	fault_say(fault, REFUSAL_RATE_LIMITED,
	    "too many wrong codes, try again in %u s", fault->retry_after_s);
	return SECOND_FACTOR_FAULT;
}

/* 1 / 0 / -1 */
static int
use_code(struct service *service, const struct authenticator *authenticator,
    const char *code, int64_t now_us, struct fault *fault)
{
	uint8_t secret[AUTHENTICATOR_SEALED_MAX];
	char id[UUID_TEXT_LEN + 1];
	uint64_t step = 0;
	bool is_right;

	if (authenticator->sealed_len < CRYPTO_SEAL_OVERHEAD ||
	    !crypto_open(&service->settings->keys, authenticator->id.b,
	    sizeof(authenticator->id.b), authenticator->sealed,
	    authenticator->sealed_len, secret))
		return fault_set(fault, FAULT_INTERNAL,
		    "the secret of authenticator %s does not open: is this "
		    "the installation key it was sealed with?",
		    uuid_format(&authenticator->id, id));
	is_right = totp_verify(secret, authenticator->sealed_len -
	    CRYPTO_SEAL_OVERHEAD, code, now_us, authenticator->last_step,
	    &step);
	crypto_wipe(secret, sizeof(secret));
	return !is_right ? 0 : authenticator_store_use(service->db,
	    authenticator, step, fault);
}

static int
use_backup_code(struct service *service,
    const struct authenticator *authenticator, const char *code,
    struct fault *fault)
{
	int used;

	used = backup_code_use(service, &authenticator->tenant_id,
	    &authenticator->user_id, code, fault);
	return used != 1 ? used : authenticator_store_use(service->db,
	    authenticator, 0, fault) < 0 ? -1 : 1;
}

/* 1 / 0 / -1. Counted, then judged. */
static int
try_code(struct service *service, const struct authenticator *authenticator,
    const char *otp, int64_t now_us, struct fault *fault)
{
	int ret;

	ret = authenticator_store_try(service->db, authenticator, now_us,
	    fault);
	if (ret == 0)
		(void)refuse_rate(0, fault);
	if (ret != 1)
		return -1;
	return backup_code_is_one(otp) ?
	    use_backup_code(service, authenticator, otp, fault) :
	    use_code(service, authenticator, otp, now_us, fault);
}

/* A backup code is compared with a dozen hashes. */
static enum second_factor_verdict
judge(struct service *service, const struct authenticator *authenticator,
    const char *otp, struct fault *fault)
{
	int64_t now_us = clock_wall_us(), wait = wait_us(authenticator,
	    now_us);
	bool is_slow = backup_code_is_one(otp);
	int ret;

	if (wait > 0)
		return refuse_rate(wait, fault);
	if (is_slow && login_begin_hashes(service, fault) < 0)
		return SECOND_FACTOR_FAULT;
	ret = try_code(service, authenticator, otp, now_us, fault);
	if (is_slow)
		login_end_hashes(service);
	if (ret < 0)
		return SECOND_FACTOR_FAULT;
	return ret == 1 ? SECOND_FACTOR_PASSED : SECOND_FACTOR_WRONG;
}

enum second_factor_verdict
second_factor_service_check(struct service *service, const struct user *user,
    const char *otp, struct fault *fault)
{
	enum second_factor_verdict verdict = SECOND_FACTOR_PASSED;
	struct arena *arena = arena_new();
	struct authenticator authenticator;
	int found;

	fault_clear(fault);
	found = authenticator_store_find_enforced(service->db, arena,
	    &user->tenant_id, &user->id, &authenticator, fault);
	if (found < 0)
		verdict = SECOND_FACTOR_FAULT;
	else if (found == 1 && (otp == NULL || otp[0] == '\0'))
		verdict = SECOND_FACTOR_MISSING;
	else if (found == 1)
		verdict = judge(service, &authenticator, otp, fault);
	arena_free(&arena);
	if (verdict == SECOND_FACTOR_FAULT)
		(void)fault_prefix(fault, "second factor");
	return verdict;
}
