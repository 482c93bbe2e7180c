# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_base.a
libwuts_base_a_SOURCES = \
	src/base/arena.c \
	src/base/attempts.c \
	src/base/base_private.h \
	src/base/cache.c \
	src/base/callback_counts.c \
	src/base/certificate.c \
	src/base/clock.c \
	src/base/crc32c.c \
	src/base/crypto.c \
	src/base/encoding.c \
	src/base/engine_probe.c \
	src/base/fault.c \
	src/base/file.c \
	src/base/gate.c \
	src/base/generations.c \
	src/base/hash.c \
	src/base/hmac.c \
	src/base/json_member.c \
	src/base/json_text.c \
	src/base/json_writer.c \
	src/base/log.c \
	src/base/log_json.c \
	src/base/mapping.c \
	src/base/mem.c \
	src/base/metric_text.c \
	src/base/metrics.c \
	src/base/notify.c \
	src/base/presence.c \
	src/base/privilege.c \
	src/base/secret.c \
	src/base/settings.c \
	src/base/settings_file.c \
	src/base/settings_private.h \
	src/base/spool_numbers.c \
	src/base/strbuf.c \
	src/base/totp.c \
	src/base/utf8.c \
	src/base/uuid.c

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/base/test_arena
TESTS += tests/unit/base/test_arena
tests_unit_base_test_arena_SOURCES = \
	tests/unit/base/test_arena.c
tests_unit_base_test_arena_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_attempts
TESTS += tests/unit/base/test_attempts
tests_unit_base_test_attempts_SOURCES = \
	tests/unit/base/scratch.c \
	tests/unit/base/scratch.h \
	tests/unit/base/test_attempts.c
tests_unit_base_test_attempts_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_cache
TESTS += tests/unit/base/test_cache
tests_unit_base_test_cache_SOURCES = \
	tests/unit/base/test_cache.c
tests_unit_base_test_cache_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_callback_counts
TESTS += tests/unit/base/test_callback_counts
tests_unit_base_test_callback_counts_SOURCES = \
	tests/unit/base/scratch.c \
	tests/unit/base/scratch.h \
	tests/unit/base/test_callback_counts.c
tests_unit_base_test_callback_counts_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_clock
TESTS += tests/unit/base/test_clock
tests_unit_base_test_clock_SOURCES = \
	tests/unit/base/test_clock.c
tests_unit_base_test_clock_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_crypto
TESTS += tests/unit/base/test_crypto
tests_unit_base_test_crypto_SOURCES = \
	tests/unit/base/test_crypto.c
tests_unit_base_test_crypto_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_engine_probe
TESTS += tests/unit/base/test_engine_probe
tests_unit_base_test_engine_probe_SOURCES = \
	tests/unit/base/scratch.c \
	tests/unit/base/scratch.h \
	tests/unit/base/test_engine_probe.c
tests_unit_base_test_engine_probe_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_fault
TESTS += tests/unit/base/test_fault
tests_unit_base_test_fault_SOURCES = \
	tests/unit/base/test_fault.c
tests_unit_base_test_fault_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_file
TESTS += tests/unit/base/test_file
tests_unit_base_test_file_SOURCES = \
	tests/unit/base/scratch.c \
	tests/unit/base/scratch.h \
	tests/unit/base/test_file.c
tests_unit_base_test_file_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_gate
TESTS += tests/unit/base/test_gate
tests_unit_base_test_gate_SOURCES = tests/unit/base/test_gate.c
tests_unit_base_test_gate_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_generations
TESTS += tests/unit/base/test_generations
tests_unit_base_test_generations_SOURCES = \
	tests/unit/base/scratch.c \
	tests/unit/base/scratch.h \
	tests/unit/base/test_generations.c
tests_unit_base_test_generations_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_json
TESTS += tests/unit/base/test_json
tests_unit_base_test_json_SOURCES = \
	tests/unit/base/test_json.c
tests_unit_base_test_json_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_log
TESTS += tests/unit/base/test_log
tests_unit_base_test_log_SOURCES = \
	tests/unit/base/scratch.c \
	tests/unit/base/scratch.h \
	tests/unit/base/test_log.c
tests_unit_base_test_log_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_metrics
TESTS += tests/unit/base/test_metrics
tests_unit_base_test_metrics_SOURCES = \
	tests/unit/base/scratch.c \
	tests/unit/base/scratch.h \
	tests/unit/base/test_metrics.c
tests_unit_base_test_metrics_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_presence
TESTS += tests/unit/base/test_presence
tests_unit_base_test_presence_SOURCES = \
	tests/unit/base/scratch.c \
	tests/unit/base/scratch.h \
	tests/unit/base/test_presence.c
tests_unit_base_test_presence_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_secret
TESTS += tests/unit/base/test_secret
tests_unit_base_test_secret_SOURCES = \
	tests/unit/base/scratch.c \
	tests/unit/base/scratch.h \
	tests/unit/base/test_secret.c
tests_unit_base_test_secret_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_settings
TESTS += tests/unit/base/test_settings
tests_unit_base_test_settings_SOURCES = \
	tests/unit/base/scratch.c \
	tests/unit/base/scratch.h \
	tests/unit/base/test_settings.c
tests_unit_base_test_settings_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_spool_numbers
TESTS += tests/unit/base/test_spool_numbers
tests_unit_base_test_spool_numbers_SOURCES = \
	tests/unit/base/scratch.c \
	tests/unit/base/scratch.h \
	tests/unit/base/test_spool_numbers.c
tests_unit_base_test_spool_numbers_LDFLAGS = \
	$(AM_LDFLAGS) \
	-Wl,--wrap=clock_mono_us
tests_unit_base_test_spool_numbers_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_strbuf
TESTS += tests/unit/base/test_strbuf
tests_unit_base_test_strbuf_SOURCES = \
	tests/unit/base/test_strbuf.c
tests_unit_base_test_strbuf_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_uuid
TESTS += tests/unit/base/test_uuid
tests_unit_base_test_uuid_SOURCES = \
	tests/unit/base/test_uuid.c
tests_unit_base_test_uuid_LDFLAGS = \
	$(AM_LDFLAGS) \
	-Wl,--wrap=clock_wall_us
tests_unit_base_test_uuid_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/base/test_totp
tests_unit_base_test_totp_SOURCES = tests/unit/base/test_totp.c
tests_unit_base_test_totp_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/base/test_totp
endif
