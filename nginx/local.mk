# SPDX-License-Identifier: MIT
EXTRA_DIST += \
	nginx/wuts.conf.in
