# SPDX-License-Identifier: MIT
nginxdir = $(pkgdatadir)/nginx
dist_nginx_DATA = \
	nginx/wuts-auth.conf \
	nginx/wuts-engine.conf.in \
	nginx/wuts.conf.in
