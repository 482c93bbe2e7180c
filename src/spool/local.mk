# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_spool.a
libwuts_spool_a_SOURCES =
sbin_PROGRAMS += wuts-spool
wuts_spool_SOURCES = \
	src/spool/main.c
wuts_spool_LDADD = $(SPOOL_LIBS)
