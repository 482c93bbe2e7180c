# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/fuzz/replay_multipart
tests_fuzz_replay_multipart_SOURCES = \
	tests/fuzz/fuzz.h \
	tests/fuzz/multipart.c \
	tests/fuzz/replay.c
tests_fuzz_replay_multipart_LDADD = libwuts_http.a $(BASE_LIBS)
dist_check_SCRIPTS += \
	tests/fuzz/fuzz \
	tests/fuzz/run
TESTS += tests/fuzz/run
EXTRA_DIST += \
	tests/fuzz/corpus/multipart/empty \
	tests/fuzz/corpus/multipart/file \
	tests/fuzz/corpus/multipart/metadata \
	tests/fuzz/corpus/multipart/odd-names \
	tests/fuzz/corpus/multipart/text \
	tests/fuzz/multipart.dict
