# SPDX-License-Identifier: MIT
bin_PROGRAMS += wutsctl
wutsctl_SOURCES = \
	src/ctl/main.c
wutsctl_LDADD = $(SERVICE_LIBS)
