# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_spool.a
libwuts_spool_a_SOURCES = \
	src/spool/answer.c \
	src/spool/answer.h \
	src/spool/backoff.c \
	src/spool/backoff.h \
	src/spool/breaker.c \
	src/spool/breaker.h \
	src/spool/callback.c \
	src/spool/callback.h \
	src/spool/delivery.c \
	src/spool/delivery.h \
	src/spool/delivery_private.h \
	src/spool/delivery_request.c \
	src/spool/directory.c \
	src/spool/directory.h \
	src/spool/directory_private.h \
	src/spool/directory_upkeep.c \
	src/spool/disable.c \
	src/spool/dispatch.c \
	src/spool/dispatch.h \
	src/spool/endpoint.c \
	src/spool/endpoint.h \
	src/spool/guard.c \
	src/spool/guard.h \
	src/spool/headers.c \
	src/spool/headers.h \
	src/spool/health.c \
	src/spool/health.h \
	src/spool/journal.c \
	src/spool/journal.h \
	src/spool/lookup.c \
	src/spool/lookup.h \
	src/spool/loop.c \
	src/spool/loop.h \
	src/spool/loop_open.c \
	src/spool/loop_private.h \
	src/spool/numbers.c \
	src/spool/numbers.h \
	src/spool/pending.c \
	src/spool/pending.h \
	src/spool/pictures.c \
	src/spool/policy.c \
	src/spool/policy.h \
	src/spool/probe.c \
	src/spool/probe.h \
	src/spool/replay.c \
	src/spool/replay.h \
	src/spool/scheduler.c \
	src/spool/scheduler.h \
	src/spool/scheduler_order.c \
	src/spool/scheduler_private.h \
	src/spool/scheduler_survey.c \
	src/spool/scheduler_time.c \
	src/spool/scheduler_turn.c \
	src/spool/shard.c \
	src/spool/shard_private.h \
	src/spool/shards.c \
	src/spool/shards.h \
	src/spool/shards_child.c \
	src/spool/shards_private.h \
	src/spool/signature.c \
	src/spool/signature.h \
	src/spool/snapshot.c \
	src/spool/snapshot.h \
	src/spool/spool_private.h \
	src/spool/target.c \
	src/spool/target.h \
	src/spool/trial.c \
	src/spool/trial.h \
	src/spool/trust.c \
	src/spool/trust.h \
	src/spool/watch.c \
	src/spool/watch.h \
	src/spool/wire.c
sbin_PROGRAMS += wuts-spool
wuts_spool_SOURCES = \
	src/spool/main.c
wuts_spool_LDADD = $(SPOOL_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/spool/test_answer
TESTS += tests/unit/spool/test_answer
tests_unit_spool_test_answer_SOURCES = \
	tests/unit/spool/test_answer.c
tests_unit_spool_test_answer_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src
tests_unit_spool_test_answer_LDADD = $(SPOOL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/spool/test_backoff
TESTS += tests/unit/spool/test_backoff
tests_unit_spool_test_backoff_SOURCES = \
	tests/unit/spool/test_backoff.c
tests_unit_spool_test_backoff_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src
tests_unit_spool_test_backoff_LDADD = $(SPOOL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/spool/test_breaker
TESTS += tests/unit/spool/test_breaker
tests_unit_spool_test_breaker_SOURCES = \
	tests/unit/spool/test_breaker.c
tests_unit_spool_test_breaker_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src
tests_unit_spool_test_breaker_LDADD = $(SPOOL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/spool/test_delivery
TESTS += tests/unit/spool/test_delivery
tests_unit_spool_test_delivery_SOURCES = \
	tests/unit/spool/test_delivery.c \
	tests/unit/spool/test_support.c \
	tests/unit/spool/test_support.h
tests_unit_spool_test_delivery_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src
tests_unit_spool_test_delivery_LDADD = $(SPOOL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/spool/test_endpoint
TESTS += tests/unit/spool/test_endpoint
tests_unit_spool_test_endpoint_SOURCES = \
	tests/unit/spool/test_endpoint.c \
	tests/unit/spool/test_support.c \
	tests/unit/spool/test_support.h
tests_unit_spool_test_endpoint_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src
tests_unit_spool_test_endpoint_LDADD = $(SPOOL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/spool/test_guard
TESTS += tests/unit/spool/test_guard
tests_unit_spool_test_guard_SOURCES = \
	tests/unit/spool/test_guard.c
tests_unit_spool_test_guard_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src
tests_unit_spool_test_guard_LDADD = $(SPOOL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/spool/test_isolation
TESTS += tests/unit/spool/test_isolation
tests_unit_spool_test_isolation_SOURCES = \
	tests/unit/spool/test_isolation.c
tests_unit_spool_test_isolation_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src
tests_unit_spool_test_isolation_LDADD = $(SPOOL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/spool/test_journal
TESTS += tests/unit/spool/test_journal
tests_unit_spool_test_journal_SOURCES = \
	tests/unit/spool/test_journal.c
tests_unit_spool_test_journal_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src
tests_unit_spool_test_journal_LDADD = $(SPOOL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/spool/test_scheduler
TESTS += tests/unit/spool/test_scheduler
tests_unit_spool_test_scheduler_SOURCES = \
	tests/unit/spool/test_scheduler.c
tests_unit_spool_test_scheduler_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src
tests_unit_spool_test_scheduler_LDADD = $(SPOOL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/spool/test_signature
TESTS += tests/unit/spool/test_signature
tests_unit_spool_test_signature_SOURCES = \
	tests/unit/spool/test_signature.c
tests_unit_spool_test_signature_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src
tests_unit_spool_test_signature_LDADD = $(SPOOL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/spool/test_snapshot
TESTS += tests/unit/spool/test_snapshot
tests_unit_spool_test_snapshot_SOURCES = \
	tests/unit/spool/test_snapshot.c \
	tests/unit/spool/test_support.c \
	tests/unit/spool/test_support.h
tests_unit_spool_test_snapshot_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src
tests_unit_spool_test_snapshot_LDADD = $(SPOOL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/spool/test_trust
TESTS += tests/unit/spool/test_trust
tests_unit_spool_test_trust_SOURCES = \
	tests/unit/spool/test_support.c \
	tests/unit/spool/test_support.h \
	tests/unit/spool/test_trust.c
tests_unit_spool_test_trust_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src
tests_unit_spool_test_trust_LDADD = $(SPOOL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/spool/test_watch
TESTS += tests/unit/spool/test_watch
tests_unit_spool_test_watch_SOURCES = \
	tests/unit/spool/test_watch.c
tests_unit_spool_test_watch_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src
tests_unit_spool_test_watch_LDADD = $(SPOOL_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/spool/test_wire
TESTS += tests/unit/spool/test_wire
tests_unit_spool_test_wire_SOURCES = \
	tests/unit/spool/test_wire.c
tests_unit_spool_test_wire_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src
tests_unit_spool_test_wire_LDADD = $(SPOOL_LIBS) $(CMOCKA_LIBS)
endif
