# SPDX-License-Identifier: MIT
bin_PROGRAMS += wutsctl
wutsctl_SOURCES = \
	src/ctl/ctl_private.h \
	src/ctl/doctor.c \
	src/ctl/init.c \
	src/ctl/main.c \
	src/ctl/nginx.c \
	src/ctl/queue.c \
	src/ctl/schema.c
wutsctl_LDADD = $(SERVICE_LIBS)

dist_check_SCRIPTS += tests/ctl/run
TESTS += tests/ctl/run
