# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_model.a
libwuts_model_a_SOURCES = \
	src/model/address.c \
	src/model/device.c \
	src/model/event.c \
	src/model/model_private.h \
	src/model/role.c \
	src/model/tenant.c \
	src/model/text.c \
	src/model/user.c \
	src/model/webhook.c
