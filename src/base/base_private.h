/* SPDX-License-Identifier: MIT */
/* What the files of src/base share among themselves. */
#ifndef WUTS_BASE_PRIVATE_H
#define WUTS_BASE_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

struct fault;

/* The members, each with its comma in front, that a log line's text becomes as
   JSON; at most size bytes. text: UTF-8 without control characters. */
size_t log_json_members(char *buf, size_t size, const char *text);

/* Spread bytes over 64 bits (FNV-1a), for places in tables; no secret. */
uint64_t hash_bytes(const void *data, size_t len);

/* Map a file of that size shared, made of zeroes when missing. NULL: FAULT_IO.
   mapping_close() accepts NULL. */
void *mapping_open(const char *path, size_t size, struct fault *fault);
void mapping_close(void *map, size_t size);

#endif
