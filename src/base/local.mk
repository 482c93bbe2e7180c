# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_base.a
libwuts_base_a_SOURCES = \
	src/base/privilege.c
