/* SPDX-License-Identifier: MIT */
/* Is the On-Premises engine there? A thread asks the setting's URL every 15 s
   and leaves the answer in run_dir, for wutsd to read. Whatever the engine
   answers below 500 says that it is there: it need not know us. The thread
   touches nothing of the loop's, and ends at once when it is told to. */
#include "config.h"

#include "probe.h"

#include "wuts/clock.h"
#include "wuts/engine_probe.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/settings.h"
#include "wuts/strbuf.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS 2000L
#define ANSWER_MS 5000L
#define POLL_MS 1000
#define UNIX_PREFIX "http://unix:"

struct probe {
	struct strbuf url;
	struct strbuf socket;		/* empty: TCP */
	char *run_dir;
	CURLM *multi;
	CURL *easy;
	pthread_t thread;
	bool has_thread;
	bool once;
	atomic_bool stop;
	bool was_connected;		/* at the last answer */
	bool has_asked;
};

/* As nginx writes it: http://unix:/path/of/socket:/path/of/url. */
static void
take_url(struct probe *probe, const char *url)
{
	size_t prefix = strlen(UNIX_PREFIX), len;

	if (strncmp(url, UNIX_PREFIX, prefix) != 0) {
		strbuf_append_str(&probe->url, url);
		return;
	}
	url += prefix;
	len = strcspn(url, ":");
	strbuf_append(&probe->socket, url, len);
	strbuf_printf(&probe->url, "http://localhost%s",
	    url[len] == ':' ? url + len + 1 : "/");
}

static size_t
swallow(char *data, size_t size, size_t n, void *ctx)
{
	(void)data;
	(void)ctx;
	return size * n;
}

static void
check(CURLcode code)
{
	if (code != CURLE_OK)
		log_fatal("libcurl: %s", curl_easy_strerror(code));
}

static void
open_handles(struct probe *probe)
{
	probe->multi = curl_multi_init();
	probe->easy = curl_easy_init();
	if (probe->multi == NULL || probe->easy == NULL)
		log_fatal("libcurl: out of memory");
	check(curl_easy_setopt(probe->easy, CURLOPT_URL, probe->url.data));
	if (probe->socket.len > 0)
		check(curl_easy_setopt(probe->easy, CURLOPT_UNIX_SOCKET_PATH,
		    probe->socket.data));
	check(curl_easy_setopt(probe->easy, CURLOPT_NOSIGNAL, 1L));
	check(curl_easy_setopt(probe->easy, CURLOPT_PROXY, ""));
	check(curl_easy_setopt(probe->easy, CURLOPT_FOLLOWLOCATION, 0L));
	check(curl_easy_setopt(probe->easy, CURLOPT_USERAGENT,
	    "WUTS/" PACKAGE_VERSION));
	check(curl_easy_setopt(probe->easy, CURLOPT_WRITEFUNCTION, swallow));
	check(curl_easy_setopt(probe->easy, CURLOPT_CONNECTTIMEOUT_MS,
	    CONNECT_MS));
	check(curl_easy_setopt(probe->easy, CURLOPT_TIMEOUT_MS, ANSWER_MS));
}

/* False: told to stop. */
static bool
ask(struct probe *probe, bool *is_connected_r)
{
	CURLMsg *message;
	long status = 0;
	int running, left;

	(void)curl_multi_add_handle(probe->multi, probe->easy);
	do {
		(void)curl_multi_perform(probe->multi, &running);
		if (running > 0)
			(void)curl_multi_poll(probe->multi, NULL, 0, POLL_MS,
			    NULL);
	} while (running > 0 && !atomic_load(&probe->stop));
	*is_connected_r = false;
	message = curl_multi_info_read(probe->multi, &left);
	if (message != NULL && message->msg == CURLMSG_DONE &&
	    message->data.result == CURLE_OK &&
	    curl_easy_getinfo(probe->easy, CURLINFO_RESPONSE_CODE,
	    &status) == CURLE_OK)
		*is_connected_r = status > 0 && status < 500;
	(void)curl_multi_remove_handle(probe->multi, probe->easy);
	return !atomic_load(&probe->stop);
}

static void
say(struct probe *probe, bool is_connected)
{
	struct fault fault = { .code = FAULT_NONE };

	if (!probe->has_asked || is_connected != probe->was_connected)
		log_info("the On-Premises engine %s", is_connected ?
		    "answers" : "does not answer");
	probe->has_asked = true;
	probe->was_connected = is_connected;
	if (engine_probe_say(probe->run_dir, is_connected, clock_wall_us(),
	    probe->once ? ENGINE_PROBE_ONCE_COUNTS_S : ENGINE_PROBE_COUNTS_S,
	    &fault) < 0)
		log_warn("state of the engine: %s", fault.text);
}

static void *
run(void *ctx)
{
	struct probe *probe = ctx;
	int64_t next_us;
	bool is_connected;

	while (ask(probe, &is_connected)) {
		say(probe, is_connected);
		if (probe->once)
			break;
		next_us = clock_mono_us() +
		    ENGINE_PROBE_EVERY_S * (int64_t)CLOCK_SECOND_US;
		while (!atomic_load(&probe->stop) &&
		    clock_mono_us() < next_us)
			(void)curl_multi_poll(probe->multi, NULL, 0, (int)
			    ((next_us - clock_mono_us()) / 1000 + 1), NULL);
	}
	return NULL;
}

int
probe_new(struct probe **probe_r, const struct settings *settings,
    bool once, struct fault *fault)
{
	struct probe *probe;
	int error;

	*probe_r = NULL;
	if (settings->onprem_engine_url[0] == '\0')
		return 0;
	probe = mem_calloc(1, sizeof(*probe));
	probe->once = once;
	probe->run_dir = mem_strdup(settings->run_dir);
	take_url(probe, settings->onprem_engine_url);
	open_handles(probe);
	error = pthread_create(&probe->thread, NULL, run, probe);
	probe->has_thread = error == 0;
	if (error != 0) {
		probe_free(&probe);
		return fault_set(fault, FAULT_IO,
		    "start the thread that asks the engine: %s",
		    strerror(error));
	}
	*probe_r = probe;
	return 0;
}

void
probe_wait(struct probe *probe)
{
	if (probe == NULL)
		return;
	pthread_join(probe->thread, NULL);
	probe->has_thread = false;
}

void
probe_free(struct probe **probep)
{
	struct probe *probe = *probep;

	*probep = NULL;
	if (probe == NULL)
		return;
	atomic_store(&probe->stop, true);
	(void)curl_multi_wakeup(probe->multi);
	if (probe->has_thread)
		pthread_join(probe->thread, NULL);
	curl_easy_cleanup(probe->easy);
	curl_multi_cleanup(probe->multi);
	strbuf_deinit(&probe->url);
	strbuf_deinit(&probe->socket);
	free(probe->run_dir);
	free(probe);
}
