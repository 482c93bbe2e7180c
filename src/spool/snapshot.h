/* SPDX-License-Identifier: MIT */
/* The settings last read, on disk. */
#ifndef WUTS_SRC_SPOOL_SNAPSHOT_H
#define WUTS_SRC_SPOOL_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

struct crypto_keys;
struct endpoints;
struct fault;
struct strbuf;
struct target;

/* Replace path by all targets of the table. */
int snapshot_save(const char *path, const struct endpoints *table,
    const struct crypto_keys *keys, struct fault *fault);
/* Call found with each target (one reference is the callee's) and since when it
   fails. No file: 0. A line that was changed or is of another installation is
   left out and counted in *refused_r. */
int snapshot_load(const char *path, const struct crypto_keys *keys,
    void (*found)(void *ctx, struct target *target, int64_t failing_us),
    void *ctx,
    size_t *refused_r, struct fault *fault);

/* One target as such a line, without its end: the form in which it can leave
   this process. */
void snapshot_format_line(struct strbuf *out, const struct target *target,
    int64_t failing_us, const struct crypto_keys *keys);
/* NULL: it was changed, or is under another key. */
struct target *snapshot_parse_line(const char *line, size_t len,
    const struct crypto_keys *keys, int64_t *failing_us_r);

#endif
