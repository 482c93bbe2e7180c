/* SPDX-License-Identifier: MIT */
/* Time-based one-time passwords (RFC 6238, SHA-1, 6 digits, 30 seconds) and
   the base32 (RFC 4648) in which people hand their secrets around. */
#ifndef WUTS_TOTP_H
#define WUTS_TOTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOTP_DIGITS 6
#define TOTP_STEP_S 30
#define TOTP_SECRET_MIN 16		/* bytes */
#define TOTP_SECRET_MAX 128
#define TOTP_TEXT_MAX 205		/* of base32, without padding */

/* Drop white space, '-' and trailing '=', make it upper-case: text_r is the
   base32, secret_r its bytes. False: it is no base32, or of another length
   than TOTP_SECRET_MIN to _MAX bytes. */
bool totp_secret_parse(const char *text, char text_r[TOTP_TEXT_MAX + 1],
    uint8_t secret_r[TOTP_SECRET_MAX], size_t *len_r);
/* The bytes as base32 again. */
char *totp_secret_format(const uint8_t *secret, size_t len,
    char text_r[TOTP_TEXT_MAX + 1]);

/* The step that a time is in. */
uint64_t totp_step(int64_t wall_us);
/* The code of one step, with a NUL. */
void totp_code(const uint8_t *secret, size_t len, uint64_t step,
    char code_r[TOTP_DIGITS + 1]);
/* Is code that of the present step, the one before or the one after, and of a
   step later than last_step? True: *step_r is the step. In constant time. */
bool totp_verify(const uint8_t *secret, size_t len, const char *code,
    int64_t now_us, uint64_t last_step, uint64_t *step_r);

#endif
