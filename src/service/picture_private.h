/* SPDX-License-Identifier: MIT */
/* The picture of a user, as part of another change of that user. */
#ifndef WUTS_PICTURE_PRIVATE_H
#define WUTS_PICTURE_PRIVATE_H

#include <stdbool.h>

#include "wuts/picture.h"

struct change;
struct fault;
struct picture_upload;
struct service;
struct uuid;

/* Zero: nothing is asked for. */
struct picture_change {
	bool is_removed;	/* set by the caller; wins over an upload */
	char name[PICTURE_NAME_MAX + 1];	/* of the new file, or "" */
	char old_name[PICTURE_NAME_MAX + 1];	/* of the one before, or "" */
};

/* Write the upload to disk, unless is_removed or it is empty. Not inside a
   transaction: it waits for the disk. -1: FAULT_IO. */
int picture_prepare(struct service *service,
    const struct picture_upload *upload, struct picture_change *picture,
    struct fault *fault);

/* In the body, under the user's lock: the row becomes what was asked for.
   Before a user is deleted, with is_removed: so that picture_finish() knows
   the file. 1: the row has changed; 0: nothing to do; -1. */
int picture_apply(struct change *change, const struct uuid *user_id,
    struct picture_change *picture, struct fault *fault);

/* Remove the file that no row names any more: after a commit the old one,
   after a refusal the new one. After a fault of the database nobody knows
   whether the row is there, so nothing is removed: the spooler will see.
   ret: what change_run() returned; it is returned again. */
int picture_finish(struct service *service,
    const struct picture_change *picture, int ret, const struct fault *fault);

#endif
