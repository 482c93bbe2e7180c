# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_service.a
libwuts_service_a_SOURCES = \
	src/service/change.c \
	src/service/cursor.c \
	src/service/device.c \
	src/service/etag.c \
	src/service/event.c \
	src/service/identity.c \
	src/service/memory.c \
	src/service/new_user.c \
	src/service/schema.c \
	src/service/service.c \
	src/service/service_private.h \
	src/service/tenant.c \
	src/service/user.c \
	src/service/webhook.c \
	src/service/webhook_check.c \
	src/service/webhook_private.h
