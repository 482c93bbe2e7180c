/* SPDX-License-Identifier: MIT */
/* Having the running processes take up another installation key. */
#ifndef WUTS_CTL_RELOAD_H
#define WUTS_CTL_RELOAD_H

struct crypto_keys;
struct fault;
struct settings;

/* Have wutsd and wuts-spool read the configuration anew, where they run on
   this machine, and wait until each says in its lock file that it works with
   these keys and nothing else of it does not. said is told what comes about.
   -1: one does not, in the time that it has. */
typedef void reload_said(void *ctx, const char *what);
int reload_keys(const struct settings *settings,
    const struct crypto_keys *keys, reload_said *said, void *ctx,
    struct fault *fault);

#endif
