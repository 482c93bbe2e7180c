/* SPDX-License-Identifier: MIT */
/* What the name of a device may be. */
#include "config.h"

#include "wuts/device.h"

#include "model_private.h"

const char *
device_name_check(const char *text, char name_r[DEVICE_NAME_MAX * 4 + 1])
{
	switch (text_name_trim(text, DEVICE_NAME_MAX, name_r)) {
	case TEXT_NAME_LENGTH:
		return "must be 1 to 100 characters";
	case TEXT_NAME_CONTROL:
		return "must not contain control characters";
	case TEXT_NAME_GOOD:
		break;
	}
	return NULL;
}
