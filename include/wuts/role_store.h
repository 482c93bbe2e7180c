/* SPDX-License-Identifier: MIT */
/* Table role_transition: the permission matrix as data. */
#ifndef WUTS_ROLE_STORE_H
#define WUTS_ROLE_STORE_H

#include <stdbool.h>

#include "wuts/role.h"

struct db;
struct fault;

/* 0 / -1 FAULT_DATABASE. */
int role_store_load(struct db *db, struct role_matrix *matrix_r,
    struct fault *fault);

/* One row more or less. 1: changed; 0: it was so already; -1. */
int role_store_allow(struct db *db, enum role actor, enum role from,
    enum role to, bool allowed, struct fault *fault);

#endif
