/* SPDX-License-Identifier: MIT */
/* Table role_transition: the permission matrix as data. */
#ifndef WUTS_ROLE_STORE_H
#define WUTS_ROLE_STORE_H

struct db;
struct fault;
struct role_matrix;

/* 0 / -1 FAULT_DATABASE. */
int role_store_load(struct db *db, struct role_matrix *matrix_r,
    struct fault *fault);

#endif
