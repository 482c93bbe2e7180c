#!/bin/sh
# SPDX-License-Identifier: MIT
# mod_fcgid starts this as often as it needs workers; each is one.
exec /usr/sbin/wutsd -c /etc/wuts/wuts.conf
