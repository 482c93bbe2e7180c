/* SPDX-License-Identifier: MIT */
/* What the two files of the directory share. */
#ifndef WUTS_DIRECTORY_PRIVATE_H
#define WUTS_DIRECTORY_PRIVATE_H

#include "directory.h"
#include "spool_private.h"

/* Questions under way while the database is away. */
#define DIRECTORY_ASKED_AWAY_MAX 4

/* Ask for the endpoint's settings, unless that is under way. */
void directory_look_up(struct spool *spool, struct endpoint *endpoint);
struct endpoint *directory_find_or_add(struct spool *spool,
    const struct uuid *tenant_id, const struct uuid *device_id);
/* The database does not answer. */
void directory_note_away(struct spool *spool, const char *why);
/* Old rows were deleted. */
void directory_expired(struct spool *spool, const struct lookup_job *job);

#endif
