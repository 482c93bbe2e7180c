/* SPDX-License-Identifier: MIT */
/* The entry that libFuzzer and tests/fuzz/replay.c call. */
#ifndef WUTS_FUZZ_H
#define WUTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
