# SPDX-License-Identifier: MIT
nginxdir = $(pkgdatadir)/nginx
dist_nginx_DATA = \
	nginx/wuts.conf.in
