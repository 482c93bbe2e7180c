# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_api.a
libwuts_api_a_SOURCES =
