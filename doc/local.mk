# SPDX-License-Identifier: MIT
dist_man_MANS += \
	doc/wuts-spool.8 \
	doc/wuts.conf.5 \
	doc/wutsctl.8 \
	doc/wutsd.8
dist_doc_DATA = \
	doc/wuts.conf.sample
EXTRA_DIST += \
	doc/architecture.md \
	doc/nginx.md

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/doc/test_settings_doc
tests_unit_doc_test_settings_doc_SOURCES = tests/unit/doc/test_settings_doc.c
tests_unit_doc_test_settings_doc_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/doc/test_settings_doc
endif
