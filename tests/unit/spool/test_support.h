/* SPDX-License-Identifier: MIT */
/* Webhooks for the tests of the spooler. */
#ifndef WUTS_TEST_SPOOL_SUPPORT_H
#define WUTS_TEST_SPOOL_SUPPORT_H

#include "spool/target.h"

#include "wuts/crypto.h"

#define TEST_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define TEST_OLD_SECRET "the secret before that"
#define TEST_OLD_UNTIL_US 1600000000000000

void test_keys(struct crypto_keys *keys, const char *installation);
struct uuid test_uuid(uint8_t last);
/* A webhook with two headers, one of them empty, TEST_SECRET, and
   TEST_OLD_SECRET until TEST_OLD_UNTIL_US. */
struct target *test_target(const struct crypto_keys *keys,
    struct uuid device_id, const char *url, const char *events);

#endif
