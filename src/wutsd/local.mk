# SPDX-License-Identifier: MIT
# All but main() is a library, so that tests can link it.
noinst_LIBRARIES += libwuts_wutsd.a
libwuts_wutsd_a_SOURCES = \
	src/wutsd/board.c \
	src/wutsd/budget.c \
	src/wutsd/listener.c \
	src/wutsd/master.c \
	src/wutsd/master_plan.c \
	src/wutsd/master_plan.h \
	src/wutsd/options.c \
	src/wutsd/owner.c \
	src/wutsd/worker.c \
	src/wutsd/worker_conns.c \
	src/wutsd/worker_seats.c \
	src/wutsd/wutsd_private.h
sbin_PROGRAMS += wutsd
wutsd_SOURCES = \
	src/wutsd/main.c
wutsd_LDADD = libwuts_wutsd.a $(API_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += \
	tests/unit/wutsd/test_master_plan \
	tests/unit/wutsd/test_processes
TESTS += \
	tests/unit/wutsd/test_master_plan \
	tests/unit/wutsd/test_processes
tests_unit_wutsd_test_master_plan_SOURCES = \
	tests/unit/wutsd/test_master_plan.c
tests_unit_wutsd_test_master_plan_LDADD = libwuts_wutsd.a $(CMOCKA_LIBS)
# Runs the program itself.
EXTRA_tests_unit_wutsd_test_processes_DEPENDENCIES = wutsd
tests_unit_wutsd_test_processes_CPPFLAGS = $(AM_CPPFLAGS) \
	-DWUTSD_PROGRAM='"$(abs_builddir)/wutsd"'
tests_unit_wutsd_test_processes_SOURCES = \
	tests/unit/http/fcgi_client.c \
	tests/unit/http/fcgi_client.h \
	tests/unit/wutsd/rig.c \
	tests/unit/wutsd/rig.h \
	tests/unit/wutsd/test_processes.c
tests_unit_wutsd_test_processes_LDADD = $(CMOCKA_LIBS)
endif
