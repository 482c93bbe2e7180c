# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_model.a
libwuts_model_a_SOURCES = \
	src/model/address.c \
	src/model/address_host.c \
	src/model/agent.c \
	src/model/api_key.c \
	src/model/audit.c \
	src/model/callback.c \
	src/model/callback_map.c \
	src/model/connection.c \
	src/model/delivery.c \
	src/model/device.c \
	src/model/event.c \
	src/model/model_private.h \
	src/model/onprem.c \
	src/model/onprem_settings.c \
	src/model/picture.c \
	src/model/role.c \
	src/model/tenant.c \
	src/model/text.c \
	src/model/trial.c \
	src/model/user.c \
	src/model/user_phone.c \
	src/model/user_policy.c \
	src/model/user_profile.c \
	src/model/webhook.c \
	src/model/webhook_headers.c

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/model/test_address
TESTS += tests/unit/model/test_address
tests_unit_model_test_address_SOURCES = tests/unit/model/test_address.c
tests_unit_model_test_address_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_address_host
TESTS += tests/unit/model/test_address_host
tests_unit_model_test_address_host_SOURCES = \
	tests/unit/model/test_address_host.c
tests_unit_model_test_address_host_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_api_key
TESTS += tests/unit/model/test_api_key
tests_unit_model_test_api_key_SOURCES = tests/unit/model/test_api_key.c
tests_unit_model_test_api_key_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_callback
TESTS += tests/unit/model/test_callback
tests_unit_model_test_callback_SOURCES = \
	tests/unit/model/test_callback.c
tests_unit_model_test_callback_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_device
TESTS += tests/unit/model/test_device
tests_unit_model_test_device_SOURCES = tests/unit/model/test_device.c
tests_unit_model_test_device_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_event
TESTS += tests/unit/model/test_event
tests_unit_model_test_event_SOURCES = tests/unit/model/test_event.c
tests_unit_model_test_event_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_picture
TESTS += tests/unit/model/test_picture
tests_unit_model_test_picture_SOURCES = tests/unit/model/test_picture.c
tests_unit_model_test_picture_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_onprem
TESTS += tests/unit/model/test_onprem
tests_unit_model_test_onprem_SOURCES = tests/unit/model/test_onprem.c
tests_unit_model_test_onprem_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_role
TESTS += tests/unit/model/test_role
tests_unit_model_test_role_SOURCES = tests/unit/model/test_role.c
tests_unit_model_test_role_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_tenant
TESTS += tests/unit/model/test_tenant
tests_unit_model_test_tenant_SOURCES = tests/unit/model/test_tenant.c
tests_unit_model_test_tenant_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_trial
TESTS += tests/unit/model/test_trial
tests_unit_model_test_trial_SOURCES = tests/unit/model/test_trial.c
tests_unit_model_test_trial_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_truth
TESTS += tests/unit/model/test_truth
tests_unit_model_test_truth_SOURCES = tests/unit/model/test_truth.c
tests_unit_model_test_truth_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_user
TESTS += tests/unit/model/test_user
tests_unit_model_test_user_SOURCES = tests/unit/model/test_user.c
tests_unit_model_test_user_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_user_phone
TESTS += tests/unit/model/test_user_phone
tests_unit_model_test_user_phone_SOURCES = tests/unit/model/test_user_phone.c
tests_unit_model_test_user_phone_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_user_policy
TESTS += tests/unit/model/test_user_policy
tests_unit_model_test_user_policy_SOURCES = tests/unit/model/test_user_policy.c
tests_unit_model_test_user_policy_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_webhook
TESTS += tests/unit/model/test_webhook
tests_unit_model_test_webhook_SOURCES = tests/unit/model/test_webhook.c
tests_unit_model_test_webhook_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_webhook_headers
TESTS += tests/unit/model/test_webhook_headers
tests_unit_model_test_webhook_headers_SOURCES = \
	tests/unit/model/test_webhook_headers.c
tests_unit_model_test_webhook_headers_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
endif
