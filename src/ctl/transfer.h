/* SPDX-License-Identifier: MIT */
/* A user as a line of JSON (wutsctl(8), "Users as lines"). */
#ifndef WUTS_CTL_TRANSFER_H
#define WUTS_CTL_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct fault;
struct json_writer;
struct user_transfer;
struct uuid;

void transfer_write(struct json_writer *w, const struct user_transfer *user,
    bool with_secrets);

/* What it points to lives as long as the arena. Ids that the line does not
   give are made of it and of the tenant, so that the same line is always the
   same user. -1: REFUSAL_INVALID_JSON, REFUSAL_VALIDATION. */
int transfer_read(struct arena *arena, const struct uuid *tenant_id,
    const char *line, size_t len, struct user_transfer *user_r,
    struct fault *fault);

#endif
