# SPDX-License-Identifier: MIT
AM_TESTS_ENVIRONMENT = \
	WUTS_BUILD='$(abs_builddir)'; export WUTS_BUILD; \
	PYTHON='$(PYTHON)'; export PYTHON; \
	CC='$(CC)'; export CC; \
	CPPFLAGS='$(JANSSON_CFLAGS) $(CPPFLAGS)'; export CPPFLAGS;
EXTRA_DIST += \
	tests/api/conftest.py \
	tests/api/onprem.py \
	tests/api/rules.py \
	tests/api/run \
	tests/api/test_api_keys.py \
	tests/api/test_audit.py \
	tests/api/test_auth_request.py \
	tests/api/test_deliveries.py \
	tests/api/test_delivery.py \
	tests/api/test_devices.py \
	tests/api/test_disable.py \
	tests/api/test_dump.py \
	tests/api/test_engine.py \
	tests/api/test_events.py \
	tests/api/test_freshness.py \
	tests/api/test_fuzz.py \
	tests/api/test_hostile.py \
	tests/api/test_http.py \
	tests/api/test_idempotency.py \
	tests/api/test_isolation.py \
	tests/api/test_long_lists.py \
	tests/api/test_matrix.py \
	tests/api/test_metrics.py \
	tests/api/test_nginx_sites.py \
	tests/api/test_onprem_accounts.py \
	tests/api/test_onprem_monitor.py \
	tests/api/test_onprem_isolation.py \
	tests/api/test_onprem_relay.py \
	tests/api/test_onprem_settings.py \
	tests/api/test_onprem_storm.py \
	tests/api/test_onprem_webhook.py \
	tests/api/test_openapi.py \
	tests/api/test_property.py \
	tests/api/test_races.py \
	tests/api/test_second_factor.py \
	tests/api/test_settings.py \
	tests/api/test_tenants.py \
	tests/api/test_tls.py \
	tests/api/test_trial.py \
	tests/api/test_truth.py \
	tests/api/test_users.py \
	tests/api/test_verifiers.py \
	tests/api/test_wacht_contacts.py \
	tests/api/test_wacht_details.py \
	tests/api/test_wacht_forms.py \
	tests/api/test_wacht_pictures.py \
	tests/api/test_wacht_sdk.py \
	tests/api/test_wacht_users.py \
	tests/api/test_webhooks.py \
	tests/api/wacht_user.py \
	tests/api/wire.py \
	tests/chaos/conftest.py \
	tests/chaos/inject.c \
	tests/chaos/test_database.py \
	tests/chaos/test_event_ids.py \
	tests/chaos/test_idempotency.py \
	tests/chaos/test_inject.py \
	tests/chaos/test_inject_ingest.py \
	tests/chaos/test_kill.py \
	tests/chaos/test_log.py \
	tests/chaos/test_once.py \
	tests/chaos/test_onprem_webhook.py \
	tests/chaos/test_overdue.py \
	tests/chaos/test_pictures.py \
	tests/chaos/test_shards.py \
	tests/chaos/test_trial.py \
	tests/engine.py \
	tests/fastcgi.py \
	tests/front.py \
	tests/harness.py \
	tests/node/drive.js \
	tests/node/lint.js \
	tests/node/package.json \
	tests/node/verify.cjs \
	tests/shop.py
dist_check_SCRIPTS += \
	tests/chaos/run \
	tests/unit/headers
TESTS += \
	tests/chaos/run \
	tests/unit/headers

check_PROGRAMS += tests/api/fill_users
tests_api_fill_users_SOURCES = tests/api/fill_users.c
tests_api_fill_users_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/chaos/queue_story
tests_chaos_queue_story_SOURCES = tests/chaos/queue_story.c
tests_chaos_queue_story_LDADD = $(QUEUE_LIBS)

# Preloaded by test_inject.py; without the sanitizers, which do not like it.
check_DATA = tests/chaos/inject.so
CLEANFILES += tests/chaos/inject.so
tests/chaos/inject.so: tests/chaos/inject.c
	$(AM_V_CC)$(MKDIR_P) tests/chaos && \
	    $(CC) $(DEFS) -D_GNU_SOURCE $(CFLAGS) -shared -fPIC -o $@ \
	    $(srcdir)/tests/chaos/inject.c -ldl
