# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_http.a
libwuts_http_a_SOURCES = \
	src/http/auth.c \
	src/http/body.c \
	src/http/count.c \
	src/http/exchange.c \
	src/http/form.c \
	src/http/http_private.h \
	src/http/idempotency.c \
	src/http/multipart.c \
	src/http/percent.c \
	src/http/request.c \
	src/http/response.c \
	src/http/router.c
if HAVE_CMOCKA
# Not HTTP_LIBS: the rig brings its own services.
check_PROGRAMS += \
	tests/unit/http/test_exchange \
	tests/unit/http/test_idempotency \
	tests/unit/http/test_multipart \
	tests/unit/http/test_router
TESTS += \
	tests/unit/http/test_exchange \
	tests/unit/http/test_idempotency \
	tests/unit/http/test_multipart \
	tests/unit/http/test_router
tests_unit_http_test_exchange_SOURCES = \
	tests/unit/http/fcgi_client.c \
	tests/unit/http/fcgi_client.h \
	tests/unit/http/rig.c \
	tests/unit/http/rig.h \
	tests/unit/http/test_exchange.c
tests_unit_http_test_exchange_LDADD = \
	libwuts_http.a $(MODEL_LIBS) $(FCGI_LIBS) $(CMOCKA_LIBS)
tests_unit_http_test_idempotency_SOURCES = \
	tests/unit/http/fcgi_client.c \
	tests/unit/http/fcgi_client.h \
	tests/unit/http/rig.c \
	tests/unit/http/rig.h \
	tests/unit/http/test_idempotency.c
tests_unit_http_test_idempotency_LDADD = \
	libwuts_http.a $(MODEL_LIBS) $(FCGI_LIBS) $(CMOCKA_LIBS)
tests_unit_http_test_multipart_SOURCES = \
	tests/unit/http/test_multipart.c
tests_unit_http_test_multipart_LDADD = \
	libwuts_http.a $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_http_test_router_SOURCES = \
	tests/unit/http/test_router.c
tests_unit_http_test_router_LDADD = \
	libwuts_http.a $(MODEL_LIBS) $(FCGI_LIBS) $(CMOCKA_LIBS)
endif
