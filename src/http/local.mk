# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_http.a
libwuts_http_a_SOURCES = \
	src/http/auth.c \
	src/http/body.c \
	src/http/exchange.c \
	src/http/http_private.h \
	src/http/percent.c \
	src/http/request.c \
	src/http/response.c \
	src/http/router.c
