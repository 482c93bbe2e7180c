# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_http.a
libwuts_http_a_SOURCES =
