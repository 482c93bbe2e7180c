# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_store.a
libwuts_store_a_SOURCES = \
	src/store/audit.c \
	src/store/bind.c \
	src/store/db.c \
	src/store/device.c \
	src/store/outbox.c \
	src/store/role.c \
	src/store/schema.c \
	src/store/stmt.c \
	src/store/store_private.h \
	src/store/tenant.c \
	src/store/tx.c \
	src/store/user.c \
	src/store/webhook.c

dist_check_SCRIPTS += \
	tests/unit/store/run \
	tests/with-mariadb

if HAVE_CMOCKA
store_tests = \
	tests/unit/store/test_tenant
check_PROGRAMS += $(store_tests)
store_test_common = \
	tests/unit/store/store_test.c \
	tests/unit/store/store_test.h
store_test_libs = $(STORE_LIBS) $(CMOCKA_LIBS)
tests_unit_store_test_tenant_SOURCES = \
	$(store_test_common) tests/unit/store/test_tenant.c
tests_unit_store_test_tenant_LDADD = $(store_test_libs)
# The server starts once for all of them.
TESTS += tests/unit/store/run
endif
