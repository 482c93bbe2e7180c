# SPDX-License-Identifier: MIT
bin_PROGRAMS += wutsctl
wutsctl_SOURCES = \
	src/ctl/audit.c \
	src/ctl/command.c \
	src/ctl/command.h \
	src/ctl/ctl_private.h \
	src/ctl/doctor.c \
	src/ctl/doctor.h \
	src/ctl/doctor_files.c \
	src/ctl/doctor_spool.c \
	src/ctl/init.c \
	src/ctl/key.c \
	src/ctl/key_file.c \
	src/ctl/key_file.h \
	src/ctl/log_files.c \
	src/ctl/log_files.h \
	src/ctl/main.c \
	src/ctl/matrix.c \
	src/ctl/nginx.c \
	src/ctl/onprem.c \
	src/ctl/policy.c \
	src/ctl/prompt.c \
	src/ctl/queue.c \
	src/ctl/queue_look.c \
	src/ctl/queue_look.h \
	src/ctl/queue_mend.c \
	src/ctl/queue_verify.c \
	src/ctl/reload.c \
	src/ctl/reload.h \
	src/ctl/rotate.c \
	src/ctl/schema.c \
	src/ctl/session.c \
	src/ctl/shape.c \
	src/ctl/tenant.c \
	src/ctl/top.c \
	src/ctl/trace.c \
	src/ctl/transfer.c \
	src/ctl/transfer.h \
	src/ctl/transfer_read.c \
	src/ctl/transfer_write.c \
	src/ctl/user.c
wutsctl_LDADD = $(SERVICE_LIBS)

EXTRA_DIST += \
	tests/ctl/conftest.py \
	tests/ctl/test_operator.py \
	tests/ctl/test_rotate.py \
	tests/ctl/test_trace.py \
	tests/ctl/test_transfer.py
dist_check_SCRIPTS += \
	tests/ctl/queue \
	tests/ctl/run \
	tests/ctl/system
TESTS += \
	tests/ctl/queue \
	tests/ctl/run \
	tests/ctl/system
