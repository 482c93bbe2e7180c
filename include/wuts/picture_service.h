/* SPDX-License-Identifier: MIT */
/* Users' pictures (spec/wacht.md §3.3): a row that names a file, and a file
   below settings picture_dir that nginx serves as picture_url. A file is whole
   and on disk before the transaction that refers to it commits, has a name of
   its own for ever, and goes after the transaction that drops it has
   committed: so no row ever names a file that is not there. A file that a
   crash leaves without a row is removed by the spooler.

   How a use case changes a picture along with its other fields:

	picture_check(upload, fault);		with the other fields
	picture_prepare(service, upload, &change, fault)
	change_run(…)	whose body calls picture_apply(change, …)
	picture_finish(service, &change, committed, fault)

   The last three are in src/service/picture_private.h. */
#ifndef WUTS_PICTURE_SERVICE_H
#define WUTS_PICTURE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct fault;
struct settings;

/* What came in as a file part. data NULL or len 0: nothing, which changes
   nothing. Borrowed. */
struct picture_upload {
	const char *type;	/* as declared, "" when it was not */
	const char *data;
	size_t len;
};

/* Adds a field "profile_image" to fault when the upload is none of the five
   formats, or is declared as another image, or when this installation keeps no
   pictures. Over PICTURE_BYTES_MAX is for request_multipart() to refuse. */
void picture_check(const struct settings *settings,
    const struct picture_upload *upload, struct fault *fault);

/* The address of a file, in arena; "" for "". */
const char *picture_url(const struct settings *settings, struct arena *arena,
    const char *name);

#endif
