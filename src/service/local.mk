# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_service.a
libwuts_service_a_SOURCES = \
	src/service/api_key.c \
	src/service/audit.c \
	src/service/audit_chain.c \
	src/service/authenticator.c \
	src/service/backup_code.c \
	src/service/callback.c \
	src/service/change.c \
	src/service/connection.c \
	src/service/connection_private.h \
	src/service/credential.c \
	src/service/cursor.c \
	src/service/delivery.c \
	src/service/device.c \
	src/service/etag.c \
	src/service/event.c \
	src/service/event_device.c \
	src/service/event_group.c \
	src/service/idempotency.c \
	src/service/identity.c \
	src/service/key.c \
	src/service/key_details.c \
	src/service/key_private.h \
	src/service/login.c \
	src/service/memory.c \
	src/service/metrics.c \
	src/service/monitor.c \
	src/service/new_user.c \
	src/service/onprem.c \
	src/service/onprem_ca.c \
	src/service/onprem_user.c \
	src/service/operator.c \
	src/service/passkey.c \
	src/service/picture.c \
	src/service/picture_private.h \
	src/service/replay.c \
	src/service/role.c \
	src/service/schema.c \
	src/service/second_factor.c \
	src/service/second_factor_private.h \
	src/service/service.c \
	src/service/service_private.h \
	src/service/session.c \
	src/service/session_end.c \
	src/service/session_private.h \
	src/service/session_shape.c \
	src/service/session_token.c \
	src/service/tenant.c \
	src/service/trace.c \
	src/service/trial.c \
	src/service/user.c \
	src/service/user_create.c \
	src/service/user_detail.c \
	src/service/user_detail_private.h \
	src/service/user_email.c \
	src/service/user_export.c \
	src/service/user_import.c \
	src/service/user_manage.c \
	src/service/user_metadata.c \
	src/service/user_password.c \
	src/service/user_phone.c \
	src/service/user_policy.c \
	src/service/user_read.c \
	src/service/user_search.c \
	src/service/user_shape.c \
	src/service/webhook.c \
	src/service/webhook_audit.c \
	src/service/webhook_check.c \
	src/service/webhook_private.h \
	src/service/webhook_scope.c \
	src/service/webhook_stage.c

dist_check_SCRIPTS += tests/unit/service/run

if HAVE_CMOCKA
service_tests = \
	tests/unit/service/test_account \
	tests/unit/service/test_api_key \
	tests/unit/service/test_audit \
	tests/unit/service/test_change \
	tests/unit/service/test_credential \
	tests/unit/service/test_device \
	tests/unit/service/test_event \
	tests/unit/service/test_exact \
	tests/unit/service/test_idempotency \
	tests/unit/service/test_identity \
	tests/unit/service/test_key \
	tests/unit/service/test_race \
	tests/unit/service/test_role \
	tests/unit/service/test_session \
	tests/unit/service/test_tenant \
	tests/unit/service/test_user \
	tests/unit/service/test_user_delete \
	tests/unit/service/test_user_detail \
	tests/unit/service/test_user_read \
	tests/unit/service/test_webhook
check_PROGRAMS += $(service_tests)
service_test_common = \
	tests/unit/service/world.c \
	tests/unit/service/world.h
service_test_libs = $(SERVICE_LIBS) $(CMOCKA_LIBS)
tests_unit_service_test_account_SOURCES = \
	$(service_test_common) tests/unit/service/test_account.c
tests_unit_service_test_account_LDADD = $(service_test_libs)
tests_unit_service_test_api_key_SOURCES = \
	$(service_test_common) tests/unit/service/test_api_key.c
tests_unit_service_test_api_key_LDADD = $(service_test_libs)
tests_unit_service_test_api_key_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=clock_wall_us
tests_unit_service_test_audit_SOURCES = \
	$(service_test_common) tests/unit/service/test_audit.c
tests_unit_service_test_audit_LDADD = $(service_test_libs)
tests_unit_service_test_change_SOURCES = \
	$(service_test_common) tests/unit/service/test_change.c
tests_unit_service_test_change_LDADD = $(service_test_libs)
tests_unit_service_test_credential_SOURCES = \
	$(service_test_common) tests/unit/service/test_credential.c
tests_unit_service_test_credential_LDADD = $(service_test_libs)
tests_unit_service_test_device_SOURCES = \
	$(service_test_common) tests/unit/service/test_device.c
tests_unit_service_test_device_LDADD = $(service_test_libs)
tests_unit_service_test_event_SOURCES = \
	$(service_test_common) tests/unit/service/test_event.c
tests_unit_service_test_event_LDADD = $(service_test_libs)
tests_unit_service_test_exact_SOURCES = \
	$(service_test_common) tests/unit/service/test_exact.c
tests_unit_service_test_exact_LDADD = $(service_test_libs)
tests_unit_service_test_idempotency_SOURCES = \
	$(service_test_common) tests/unit/service/test_idempotency.c
tests_unit_service_test_idempotency_LDADD = $(service_test_libs)
tests_unit_service_test_identity_SOURCES = \
	$(service_test_common) tests/unit/service/test_identity.c
tests_unit_service_test_identity_LDADD = $(service_test_libs)
tests_unit_service_test_key_SOURCES = \
	$(service_test_common) tests/unit/service/test_key.c
tests_unit_service_test_key_LDADD = $(service_test_libs)
tests_unit_service_test_race_SOURCES = \
	$(service_test_common) tests/unit/service/test_race.c
tests_unit_service_test_race_LDADD = $(service_test_libs)
tests_unit_service_test_role_SOURCES = \
	$(service_test_common) tests/unit/service/test_role.c
tests_unit_service_test_role_LDADD = $(service_test_libs)
tests_unit_service_test_session_SOURCES = \
	$(service_test_common) tests/unit/service/test_session.c
tests_unit_service_test_session_LDADD = $(service_test_libs)
tests_unit_service_test_tenant_SOURCES = \
	$(service_test_common) tests/unit/service/test_tenant.c
tests_unit_service_test_tenant_LDADD = $(service_test_libs)
tests_unit_service_test_user_SOURCES = \
	$(service_test_common) tests/unit/service/test_user.c
tests_unit_service_test_user_LDADD = $(service_test_libs)
tests_unit_service_test_user_delete_SOURCES = \
	$(service_test_common) tests/unit/service/test_user_delete.c
tests_unit_service_test_user_delete_LDADD = $(service_test_libs)
tests_unit_service_test_user_detail_SOURCES = \
	$(service_test_common) tests/unit/service/test_user_detail.c
tests_unit_service_test_user_detail_LDADD = $(service_test_libs)
tests_unit_service_test_user_read_SOURCES = \
	$(service_test_common) tests/unit/service/test_user_read.c
tests_unit_service_test_user_read_LDADD = $(service_test_libs)
tests_unit_service_test_webhook_SOURCES = \
	$(service_test_common) tests/unit/service/test_webhook.c
tests_unit_service_test_webhook_LDADD = $(service_test_libs)
# The server starts once for all of them.
TESTS += tests/unit/service/run
endif
