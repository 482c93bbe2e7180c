# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_model.a
libwuts_model_a_SOURCES =
