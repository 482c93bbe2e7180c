# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_store.a
libwuts_store_a_SOURCES = \
	src/store/api_key.c \
	src/store/audit.c \
	src/store/bind.c \
	src/store/caller.c \
	src/store/connection.c \
	src/store/db.c \
	src/store/delivery.c \
	src/store/device.c \
	src/store/device_code.c \
	src/store/event.c \
	src/store/idempotency.c \
	src/store/onprem.c \
	src/store/outbox.c \
	src/store/passkey.c \
	src/store/picture.c \
	src/store/replay.c \
	src/store/role.c \
	src/store/schema.c \
	src/store/second_factor.c \
	src/store/session.c \
	src/store/stmt.c \
	src/store/store_private.h \
	src/store/tenant.c \
	src/store/tx.c \
	src/store/user.c \
	src/store/user_backfill.c \
	src/store/user_email.c \
	src/store/user_password.c \
	src/store/user_phone.c \
	src/store/user_policy.c \
	src/store/user_private.h \
	src/store/user_profile.c \
	src/store/user_search.c \
	src/store/webhook.c

dist_check_SCRIPTS += \
	tests/unit/store/run \
	tests/with-mariadb

if HAVE_CMOCKA
check_PROGRAMS += \
	tests/unit/store/test_api_key \
	tests/unit/store/test_audit \
	tests/unit/store/test_caller \
	tests/unit/store/test_deletion \
	tests/unit/store/test_delivery \
	tests/unit/store/test_details \
	tests/unit/store/test_device \
	tests/unit/store/test_event \
	tests/unit/store/test_idempotency \
	tests/unit/store/test_list \
	tests/unit/store/test_outage \
	tests/unit/store/test_outbox \
	tests/unit/store/test_schema \
	tests/unit/store/test_tenant \
	tests/unit/store/test_tx \
	tests/unit/store/test_user \
	tests/unit/store/test_user_email \
	tests/unit/store/test_user_search \
	tests/unit/store/test_webhook
store_test_common = \
	tests/unit/store/store_test.c \
	tests/unit/store/store_test.h
store_test_libs = $(STORE_LIBS) $(CMOCKA_LIBS)
tests_unit_store_test_api_key_SOURCES = \
	$(store_test_common) tests/unit/store/test_api_key.c
tests_unit_store_test_api_key_LDADD = $(store_test_libs)
tests_unit_store_test_audit_SOURCES = \
	$(store_test_common) tests/unit/store/test_audit.c
tests_unit_store_test_audit_LDADD = $(store_test_libs) -lpthread
tests_unit_store_test_caller_SOURCES = \
	$(store_test_common) tests/unit/store/test_caller.c
tests_unit_store_test_caller_LDADD = $(store_test_libs) -lpthread
tests_unit_store_test_deletion_SOURCES = \
	$(store_test_common) tests/unit/store/test_deletion.c
tests_unit_store_test_deletion_LDADD = $(store_test_libs) -lpthread
tests_unit_store_test_delivery_SOURCES = \
	$(store_test_common) tests/unit/store/test_delivery.c
tests_unit_store_test_delivery_LDADD = $(store_test_libs)
tests_unit_store_test_details_SOURCES = \
	$(store_test_common) tests/unit/store/test_details.c
tests_unit_store_test_details_LDADD = $(store_test_libs)
tests_unit_store_test_device_SOURCES = \
	$(store_test_common) tests/unit/store/test_device.c
tests_unit_store_test_device_LDADD = $(store_test_libs)
tests_unit_store_test_event_SOURCES = \
	$(store_test_common) tests/unit/store/test_event.c
tests_unit_store_test_event_LDADD = $(store_test_libs)
tests_unit_store_test_idempotency_SOURCES = \
	$(store_test_common) tests/unit/store/test_idempotency.c
tests_unit_store_test_idempotency_LDADD = $(store_test_libs)
tests_unit_store_test_list_SOURCES = \
	$(store_test_common) tests/unit/store/test_list.c
tests_unit_store_test_list_LDADD = $(store_test_libs)
tests_unit_store_test_outage_SOURCES = \
	$(store_test_common) tests/unit/store/test_outage.c
tests_unit_store_test_outage_LDADD = $(store_test_libs)
tests_unit_store_test_outage_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=clock_mono_us
tests_unit_store_test_outbox_SOURCES = \
	$(store_test_common) tests/unit/store/test_outbox.c
tests_unit_store_test_outbox_LDADD = $(store_test_libs)
tests_unit_store_test_schema_SOURCES = \
	$(store_test_common) tests/unit/store/test_schema.c
tests_unit_store_test_schema_LDADD = $(store_test_libs)
tests_unit_store_test_tenant_SOURCES = \
	$(store_test_common) tests/unit/store/test_tenant.c
tests_unit_store_test_tenant_LDADD = $(store_test_libs)
tests_unit_store_test_tx_SOURCES = \
	$(store_test_common) tests/unit/store/test_tx.c
tests_unit_store_test_tx_LDADD = $(store_test_libs) -lpthread
tests_unit_store_test_user_SOURCES = \
	$(store_test_common) tests/unit/store/test_user.c
tests_unit_store_test_user_LDADD = $(store_test_libs)
tests_unit_store_test_user_email_SOURCES = \
	$(store_test_common) tests/unit/store/test_user_email.c
tests_unit_store_test_user_email_LDADD = $(store_test_libs)
tests_unit_store_test_user_search_SOURCES = \
	$(store_test_common) tests/unit/store/test_user_search.c
tests_unit_store_test_user_search_LDADD = $(store_test_libs)
tests_unit_store_test_webhook_SOURCES = \
	$(store_test_common) tests/unit/store/test_webhook.c
tests_unit_store_test_webhook_LDADD = $(store_test_libs)
# The server starts once for all of them.
TESTS += tests/unit/store/run
endif
