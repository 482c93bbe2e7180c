/* SPDX-License-Identifier: MIT */
/* Between settings.c (what settings mean) and settings_file.c (what stands in
   the file). */
#ifndef WUTS_SETTINGS_PRIVATE_H
#define WUTS_SETTINGS_PRIVATE_H

#include "wuts/settings.h"

/* Where a setting's value lives. */
static inline void *
setting_place(struct settings *settings, const struct setting *setting)
{
	return (char *)settings + setting->offset;
}

/* Give every setting its initial value, then the file's. -1: FAULT_CONFIG with
   file and line. */
int settings_file_read(struct settings *settings, const char *path,
    struct fault *fault);

#endif
