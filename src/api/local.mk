# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_api.a
libwuts_api_a_SOURCES =
libwuts_api_a_SOURCES += \
	src/api/wuts/devices.c \
	src/api/wuts/error.c \
	src/api/wuts/events.c \
	src/api/wuts/routes.c \
	src/api/wuts/shapes.c \
	src/api/wuts/tenants.c \
	src/api/wuts/users.c \
	src/api/wuts/webhooks.c \
	src/api/wuts/wuts_private.h
libwuts_api_a_SOURCES += \
	src/api/ops/ops.c
