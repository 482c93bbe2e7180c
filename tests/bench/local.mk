# SPDX-License-Identifier: MIT
# Built and run by `make bench` only.
bench_tools = \
	tests/bench/append \
	tests/bench/limit_deliver \
	tests/bench/limit_fcgi \
	tests/bench/queue_fill
EXTRA_PROGRAMS += $(bench_tools)
CLEANFILES += $(bench_tools)
EXTRA_DIST += \
	tests/bench/bench \
	tests/bench/get.lua \
	tests/bench/ingest.lua \
	tests/bench/promote.lua

tests_bench_append_SOURCES = tests/bench/append.c
tests_bench_append_LDADD = $(QUEUE_LIBS)
tests_bench_limit_deliver_SOURCES = tests/bench/limit_deliver.c
tests_bench_limit_deliver_LDADD = $(CURL_LIBS) $(CRYPTO_LIBS)
tests_bench_limit_fcgi_SOURCES = tests/bench/limit_fcgi.c
tests_bench_limit_fcgi_LDADD = $(FCGI_LIBS) $(MYSQL_LIBS)
tests_bench_queue_fill_SOURCES = tests/bench/queue_fill.c
tests_bench_queue_fill_LDADD = $(QUEUE_LIBS)

.PHONY: bench
bench: all $(bench_tools)
	@test -n "$(PYTHON)" && test -n "$(WRK)" || \
	    { echo "make bench needs python3 with requests, and wrk"; exit 1; }
	WUTS_BUILD=$(abs_builddir) $(PYTHON) $(srcdir)/tests/bench/bench \
	    $(BENCH_ARMS)
