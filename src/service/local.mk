# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_service.a
libwuts_service_a_SOURCES =
