/* SPDX-License-Identifier: MIT */
/* Table device_code: at most one row a device, gone with it. Every call:
   FAULT_DATABASE on -1. */
#ifndef WUTS_DEVICE_CODE_STORE_H
#define WUTS_DEVICE_CODE_STORE_H

struct db;
struct device_code;
struct fault;
struct uuid;

/* Instead of the one before. */
int device_code_store_replace(struct db *db, const struct uuid *tenant_id,
    const struct uuid *device_id, const struct device_code *code,
    struct fault *fault);

/* 1: *code_r; 0: none is kept; -1. */
int device_code_store_find(struct db *db, const struct uuid *tenant_id,
    const struct uuid *device_id, struct device_code *code_r,
    struct fault *fault);

/* It need not exist. */
int device_code_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *device_id, struct fault *fault);

#endif
