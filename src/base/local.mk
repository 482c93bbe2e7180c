# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_base.a
libwuts_base_a_SOURCES = \
	src/base/arena.c \
	src/base/attempts.c \
	src/base/base_private.h \
	src/base/cache.c \
	src/base/clock.c \
	src/base/crc32c.c \
	src/base/crypto.c \
	src/base/encoding.c \
	src/base/fault.c \
	src/base/file.c \
	src/base/generations.c \
	src/base/hash.c \
	src/base/json_text.c \
	src/base/json_writer.c \
	src/base/log.c \
	src/base/mapping.c \
	src/base/mem.c \
	src/base/privilege.c \
	src/base/secret.c \
	src/base/settings.c \
	src/base/settings_file.c \
	src/base/settings_private.h \
	src/base/strbuf.c \
	src/base/utf8.c \
	src/base/uuid.c
