# SPDX-License-Identifier: MIT
nginxdir = $(pkgdatadir)/nginx
dist_nginx_DATA = \
	nginx/wuts-auth.conf \
	nginx/wuts-engine.conf.in \
	nginx/wuts-limits-http.conf \
	nginx/wuts-limits.conf \
	nginx/wuts-pictures.conf.in \
	nginx/wuts-onprem-http.conf \
	nginx/wuts-onprem-params.conf \
	nginx/wuts-onprem-relay.conf \
	nginx/wuts-realip.conf.in \
	nginx/wuts-subpath-http.conf.in \
	nginx/wuts-subpath.conf.in \
	nginx/wuts-tls.conf.in \
	nginx/wuts-wacht.conf.in \
	nginx/wuts.conf.in
# These include others by their full name.
nginx_placed = \
	placed/nginx/wuts-onprem-engine.conf.in \
	placed/nginx/wuts-onprem-internal.conf \
	placed/nginx/wuts-onprem-location.conf \
	placed/nginx/wuts-onprem-v1.conf \
	placed/nginx/wuts-onprem.conf.in
nginx_DATA = $(nginx_placed)
CLEANFILES += $(nginx_placed)
$(nginx_placed): Makefile
	$(AM_V_GEN)$(MKDIR_P) placed/nginx && \
	    $(PLACE) $(srcdir)/nginx/$(@F) >$@.new && mv $@.new $@
placed/nginx/wuts-onprem-engine.conf.in: nginx/wuts-onprem-engine.conf.in
placed/nginx/wuts-onprem-internal.conf: nginx/wuts-onprem-internal.conf
placed/nginx/wuts-onprem-location.conf: nginx/wuts-onprem-location.conf
placed/nginx/wuts-onprem-v1.conf: nginx/wuts-onprem-v1.conf
placed/nginx/wuts-onprem.conf.in: nginx/wuts-onprem.conf.in
EXTRA_DIST += \
	nginx/wuts-onprem-engine.conf.in \
	nginx/wuts-onprem-internal.conf \
	nginx/wuts-onprem-location.conf \
	nginx/wuts-onprem-v1.conf \
	nginx/wuts-onprem.conf.in
