/* SPDX-License-Identifier: MIT */
/* What the files of the second factor share. */
#ifndef WUTS_SECOND_FACTOR_PRIVATE_H
#define WUTS_SECOND_FACTOR_PRIVATE_H

#include <stdbool.h>

struct fault;
struct service;
struct uuid;

/* Has this text the form of a backup code? */
bool backup_code_is_one(const char *text);
/* 1: it was one of the user's, and is none any more; 0: it is not; -1. */
int backup_code_use(struct service *service, const struct uuid *tenant_id,
    const struct uuid *user_id, const char *code, struct fault *fault);

#endif
