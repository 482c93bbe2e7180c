# SPDX-License-Identifier: MIT
placed_manuals = \
	placed/wuts-queue.5 \
	placed/wuts-spool.8 \
	placed/wuts.conf.5 \
	placed/wutsctl.8 \
	placed/wutsd.8
man_MANS += $(placed_manuals)
pkgdata_DATA += placed/wuts.conf.sample
CLEANFILES += $(placed_manuals) placed/wuts.conf.sample
$(placed_manuals) placed/wuts.conf.sample: Makefile
	$(AM_V_GEN)$(MKDIR_P) placed && \
	    $(PLACE) $(srcdir)/doc/$(@F) >$@.new && mv $@.new $@
placed/wuts-queue.5: doc/wuts-queue.5
placed/wuts-spool.8: doc/wuts-spool.8
placed/wuts.conf.5: doc/wuts.conf.5
placed/wuts.conf.sample: doc/wuts.conf.sample
placed/wutsctl.8: doc/wutsctl.8
placed/wutsd.8: doc/wutsd.8
dist_doc_DATA = \
	README.md \
	doc/architecture.md \
	doc/backup.md \
	doc/install.md \
	doc/metrics.md \
	doc/nginx.md \
	doc/onprem.md \
	doc/operations.md \
	doc/openapi.json \
	doc/performance.md \
	doc/queue-format.md \
	doc/reference.md \
	doc/shared-hosting.md \
	doc/wacht.md
EXTRA_DIST += \
	doc/wuts-queue.5 \
	doc/wuts-spool.8 \
	doc/wuts.conf.5 \
	doc/wuts.conf.sample \
	doc/wutsctl.8 \
	doc/wutsd.8

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/doc/test_settings_doc
tests_unit_doc_test_settings_doc_SOURCES = tests/unit/doc/test_settings_doc.c
tests_unit_doc_test_settings_doc_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/doc/test_settings_doc
check_PROGRAMS += tests/unit/doc/test_metrics_doc
tests_unit_doc_test_metrics_doc_SOURCES = tests/unit/doc/test_metrics_doc.c
tests_unit_doc_test_metrics_doc_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
TESTS += tests/unit/doc/test_metrics_doc
endif
