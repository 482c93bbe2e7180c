# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_api.a
libwuts_api_a_SOURCES =
libwuts_api_a_SOURCES += \
	src/api/wuts/api_keys.c \
	src/api/wuts/audit.c \
	src/api/wuts/deliveries.c \
	src/api/wuts/devices.c \
	src/api/wuts/engine.c \
	src/api/wuts/error.c \
	src/api/wuts/events.c \
	src/api/wuts/roles.c \
	src/api/wuts/routes.c \
	src/api/wuts/shapes.c \
	src/api/wuts/tenants.c \
	src/api/wuts/user_webhook.c \
	src/api/wuts/users.c \
	src/api/wuts/webhooks.c \
	src/api/wuts/wuts_private.h
libwuts_api_a_SOURCES += \
	src/api/onprem/accounts.c \
	src/api/onprem/auth.c \
	src/api/onprem/certificates.c \
	src/api/onprem/error.c \
	src/api/onprem/health.c \
	src/api/onprem/input.c \
	src/api/onprem/metrics.c \
	src/api/onprem/onprem_private.h \
	src/api/onprem/relay.c \
	src/api/onprem/routes.c \
	src/api/onprem/samples.c \
	src/api/onprem/settings.c \
	src/api/onprem/stats.c
libwuts_api_a_SOURCES += \
	src/api/wacht/auth.c \
	src/api/wacht/connections.c \
	src/api/wacht/details_private.h \
	src/api/wacht/emails.c \
	src/api/wacht/error.c \
	src/api/wacht/input.c \
	src/api/wacht/memberships.c \
	src/api/wacht/passkeys.c \
	src/api/wacht/phones.c \
	src/api/wacht/routes.c \
	src/api/wacht/second_factor.c \
	src/api/wacht/sessions.c \
	src/api/wacht/shapes.c \
	src/api/wacht/users.c \
	src/api/wacht/wacht_private.h
libwuts_api_a_SOURCES += \
	src/api/ops/openapi.c \
	src/api/ops/ops.c \
	src/api/ops/ops_private.h

# The document as one C string.
nodist_libwuts_api_a_SOURCES = src/api/ops/openapi_text.h
BUILT_SOURCES += src/api/ops/openapi_text.h
CLEANFILES += src/api/ops/openapi_text.h
src/api/ops/openapi_text.h: doc/openapi.json
	$(AM_V_GEN)$(MKDIR_P) src/api/ops && \
	    sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' \
	    $(srcdir)/doc/openapi.json >$@.new && mv $@.new $@
if HAVE_CMOCKA
error_body_sources = \
	tests/unit/api/error_body.c \
	tests/unit/api/error_body.h
check_PROGRAMS += tests/unit/api/onprem/test_samples
tests_unit_api_onprem_test_samples_SOURCES = \
	tests/unit/api/onprem/test_samples.c
tests_unit_api_onprem_test_samples_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src
tests_unit_api_onprem_test_samples_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/api/onprem/test_samples
check_PROGRAMS += tests/unit/api/onprem/test_error
tests_unit_api_onprem_test_error_SOURCES = \
	$(error_body_sources) \
	tests/unit/api/onprem/test_error.c
tests_unit_api_onprem_test_error_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/api/onprem/test_error
check_PROGRAMS += tests/unit/api/wacht/test_error
tests_unit_api_wacht_test_error_SOURCES = \
	$(error_body_sources) \
	tests/unit/api/wacht/test_error.c
tests_unit_api_wacht_test_error_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/api/wacht/test_error
check_PROGRAMS += tests/unit/api/wuts/test_error
tests_unit_api_wuts_test_error_SOURCES = \
	$(error_body_sources) \
	tests/unit/api/wuts/test_error.c
tests_unit_api_wuts_test_error_LDADD = $(API_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/api/wuts/test_error
endif
