# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_queue.a
libwuts_queue_a_SOURCES = \
	src/queue/account.c \
	src/queue/adopt.c \
	src/queue/compact.c \
	src/queue/dead.c \
	src/queue/finish.c \
	src/queue/io.c \
	src/queue/loaded.c \
	src/queue/mend.c \
	src/queue/outcome.c \
	src/queue/queue_private.h \
	src/queue/reader.c \
	src/queue/reader_private.h \
	src/queue/record.c \
	src/queue/request.c \
	src/queue/scan.c \
	src/queue/segment.c \
	src/queue/status.c \
	src/queue/tally.c \
	src/queue/view.c \
	src/queue/visit.c \
	src/queue/wish.c \
	src/queue/writer.c \
	src/queue/writer_private.h \
	src/queue/writer_segment.c
EXTRA_DIST += \
	doc/queue-format.md \
	tests/unit/queue/fixtures/v1/dead/2026-06-15.log \
	tests/unit/queue/fixtures/v1/dead/2026-06-15.seg \
	tests/unit/queue/fixtures/v1/done/653f1a2b.102.0b-2.log \
	tests/unit/queue/fixtures/v1/done/653f1a2b.102.0b-3.1.log \
	tests/unit/queue/fixtures/v1/done/653f1a2b.102.0b-3.log \
	tests/unit/queue/fixtures/v1/open/653f1a2b.101.0a-1.seg \
	tests/unit/queue/fixtures/v1/ready/653f1a2b.102.0b-2.seg \
	tests/unit/queue/fixtures/v1/ready/653f1a2b.102.0b-3.1.seg \
	tests/unit/queue/fixtures/v1/ready/653f1a2b.102.0b-3.seg \
	tests/unit/queue/fixtures/v1/requests/01920000-0000-0000-0000-000000000013.drop

if HAVE_CMOCKA
queue_test_sources = \
	tests/unit/base/scratch.c \
	tests/unit/base/scratch.h \
	tests/unit/queue/harness.c \
	tests/unit/queue/harness.h
check_PROGRAMS += tests/unit/queue/test_account
TESTS += tests/unit/queue/test_account
tests_unit_queue_test_account_SOURCES = \
	$(queue_test_sources) \
	tests/unit/queue/test_account.c
tests_unit_queue_test_account_LDFLAGS = \
	$(AM_LDFLAGS) \
	-Wl,--wrap=clock_mono_us
tests_unit_queue_test_account_LDADD = $(QUEUE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/queue/test_compact
TESTS += tests/unit/queue/test_compact
tests_unit_queue_test_compact_SOURCES = \
	$(queue_test_sources) \
	tests/unit/queue/test_compact.c
tests_unit_queue_test_compact_LDADD = $(QUEUE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/queue/test_crash
TESTS += tests/unit/queue/test_crash
tests_unit_queue_test_crash_SOURCES = \
	$(queue_test_sources) \
	tests/unit/queue/test_crash.c
tests_unit_queue_test_crash_LDADD = $(QUEUE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/queue/test_damage
TESTS += tests/unit/queue/test_damage
tests_unit_queue_test_damage_SOURCES = \
	$(queue_test_sources) \
	tests/unit/queue/test_damage.c
tests_unit_queue_test_damage_LDADD = $(QUEUE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/queue/test_fixture
TESTS += tests/unit/queue/test_fixture
tests_unit_queue_test_fixture_SOURCES = \
	$(queue_test_sources) \
	tests/unit/queue/test_fixture.c
tests_unit_queue_test_fixture_LDADD = $(QUEUE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/queue/test_limits
TESTS += tests/unit/queue/test_limits
tests_unit_queue_test_limits_SOURCES = \
	$(queue_test_sources) \
	tests/unit/queue/test_limits.c
tests_unit_queue_test_limits_LDADD = $(QUEUE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/queue/test_mend
TESTS += tests/unit/queue/test_mend
tests_unit_queue_test_mend_SOURCES = \
	$(queue_test_sources) \
	tests/unit/queue/test_mend.c
tests_unit_queue_test_mend_LDADD = $(QUEUE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/queue/test_outcome
TESTS += tests/unit/queue/test_outcome
tests_unit_queue_test_outcome_SOURCES = \
	$(queue_test_sources) \
	tests/unit/queue/test_outcome.c
tests_unit_queue_test_outcome_LDADD = $(QUEUE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/queue/test_queue
TESTS += tests/unit/queue/test_queue
tests_unit_queue_test_queue_SOURCES = \
	$(queue_test_sources) \
	tests/unit/queue/test_queue.c
tests_unit_queue_test_queue_LDADD = $(QUEUE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/queue/test_record
TESTS += tests/unit/queue/test_record
tests_unit_queue_test_record_SOURCES = \
	$(queue_test_sources) \
	tests/unit/queue/test_record.c
tests_unit_queue_test_record_LDADD = $(QUEUE_LIBS) $(CMOCKA_LIBS)
endif
