# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_queue.a
libwuts_queue_a_SOURCES =
