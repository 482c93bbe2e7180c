# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_store.a
libwuts_store_a_SOURCES =
