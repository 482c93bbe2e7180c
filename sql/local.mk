# SPDX-License-Identifier: MIT
sqldir = $(pkgdatadir)/sql
dist_sql_DATA = \
	sql/0001_initial.sql \
	sql/0002_keys_audit_chain.sql \
	sql/0003_webhook_secrets.sql \
	sql/0004_event_seen.sql \
	sql/0005_device_code.sql \
	sql/0006_delivery.sql \
	sql/0007_replay.sql \
	sql/0008_account.sql \
	sql/0009_webhook_headers.sql \
	sql/0010_onprem.sql \
	sql/0011_user_details.sql \
	sql/0012_second_factor.sql \
	sql/0013_user_count.sql
