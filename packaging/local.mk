# SPDX-License-Identifier: MIT
placed_units = \
	placed/wuts-spool.service \
	placed/wutsd.service \
	placed/wutsd.socket
$(placed_units): Makefile
	$(AM_V_GEN)$(MKDIR_P) placed && \
	    $(PLACE) $(srcdir)/packaging/systemd/$(@F) >$@.new && mv $@.new $@
placed/wuts-spool.service: packaging/systemd/wuts-spool.service
placed/wutsd.service: packaging/systemd/wutsd.service
placed/wutsd.socket: packaging/systemd/wutsd.socket
if WITH_UNITS
systemdsystemunit_DATA = $(placed_units)
endif
CLEANFILES += $(placed_units)

placed_shared_hosting = \
	placed/htaccess \
	placed/wuts.fcgi
$(placed_shared_hosting): Makefile
	$(AM_V_GEN)$(MKDIR_P) placed && \
	    $(PLACE) $(srcdir)/packaging/shared-hosting/$(@F) >$@.new && \
	    mv $@.new $@
placed/htaccess: packaging/shared-hosting/htaccess
placed/wuts.fcgi: packaging/shared-hosting/wuts.fcgi
sharedhostingdir = $(pkgdatadir)/shared-hosting
sharedhosting_DATA = $(placed_shared_hosting)
CLEANFILES += $(placed_shared_hosting)
EXTRA_DIST += \
	packaging/shared-hosting/htaccess \
	packaging/shared-hosting/wuts.fcgi

dist_bashcompletion_DATA = packaging/bash-completion/wutsctl
EXTRA_DIST += \
	packaging/systemd/wuts-spool.service \
	packaging/systemd/wutsd.service \
	packaging/systemd/wutsd.socket
EXTRA_DIST += \
	tests/install/conftest.py \
	tests/install/rows/0001.sql \
	tests/install/rows/0002.sql \
	tests/install/rows/0003.sql \
	tests/install/rows/0004.sql \
	tests/install/rows/0005.sql \
	tests/install/rows/0006.sql \
	tests/install/rows/0007.sql \
	tests/install/rows/0008.sql \
	tests/install/rows/0009.sql \
	tests/install/rows/0010.sql \
	tests/install/rows/0011.sql \
	tests/install/rows/0012.sql \
	tests/install/rows/0013.sql \
	tests/install/test_backup.py \
	tests/install/test_commands.py \
	tests/install/test_install.py \
	tests/install/test_operations.py \
	tests/install/test_reference.py \
	tests/install/test_shared_hosting.py \
	tests/install/test_units.py \
	tests/install/test_upgrade.py
dist_check_SCRIPTS += tests/install/run
TESTS += tests/install/run

EXTRA_DIST += \
	packaging/build-deb \
	packaging/debian/changelog \
	packaging/debian/control \
	packaging/debian/copyright \
	packaging/debian/rules \
	packaging/debian/source/format \
	packaging/debian/wuts.lintian-overrides \
	packaging/debian/wuts.logrotate \
	packaging/debian/wuts.postinst \
	packaging/debian/wuts.postrm \
	packaging/debian/wuts.prerm \
	tests/document.py \
	tests/package/conftest.py \
	tests/package/run \
	tests/package/test_package.py

# Takes minutes, needs root and a Debian mirror: not a part of check.
.PHONY: check-package
check-package:
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/tests/package/run

# The directories that are ours alone; automake removes files only.
uninstall-hook:
	-for dir in '$(sqldir)' '$(nginxdir)' '$(sharedhostingdir)' \
	    '$(pkgdatadir)' '$(docdir)'; do \
		test ! -d "$(DESTDIR)$$dir" || rmdir "$(DESTDIR)$$dir"; \
	done
