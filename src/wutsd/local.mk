# SPDX-License-Identifier: MIT
sbin_PROGRAMS += wutsd
wutsd_SOURCES = \
	src/wutsd/main.c
wutsd_LDADD = $(API_LIBS)
