/* SPDX-License-Identifier: MIT */
/* The limit of delivery (L5): raw libcurl multi socket and epoll, signed
   600-byte POSTs over kept connections, nothing read from or noted on disk.
       limit_deliver URL COUNT IN_FLIGHT
   prints deliveries a second and CPU microseconds a delivery. */
#include "config.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define BODY_LEN 600

static CURLM *multi;
static int epoll_fd;
static long timer_ms = -1;
static char body[BODY_LEN + 1];
static const char *url;
static long left_to_start, finished, failed;

struct delivery {
	struct curl_slist *headers;
};

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	struct epoll_event event = { 0 };

	(void)easy;
	(void)ctx;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.data.fd = fd;
	event.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) |
	    (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
	epoll_ctl(epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
	curl_multi_assign(multi, fd, multi);
	return 0;
}

static int
on_timer(CURLM *m, long timeout_ms, void *ctx)
{
	(void)m;
	(void)ctx;
	timer_ms = timeout_ms;
	return 0;
}

static size_t
on_body(char *data, size_t size, size_t n, void *ctx)
{
	(void)data;
	(void)ctx;
	return size * n;
}

/* Sign as Standard Webhooks asks, then hand the transfer to curl. */
static void
start(CURL *easy)
{
	static const char key[] = "0123456789abcdef0123456789abcdef";
	unsigned char mac[EVP_MAX_MD_SIZE], text[EVP_MAX_MD_SIZE * 2];
	unsigned mac_len;
	char head[128], line[512];
	struct delivery *delivery;
	unsigned char signed_text[BODY_LEN + 128];
	int len;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&delivery);
	curl_slist_free_all(delivery->headers);
	delivery->headers = NULL;
	len = snprintf((char *)signed_text, sizeof(signed_text),
	    "%036ld.%ld.%s", left_to_start, (long)time(NULL), body);
	HMAC(EVP_sha256(), key, (int)strlen(key), signed_text, (size_t)len,
	    mac, &mac_len);
	EVP_EncodeBlock(text, mac, (int)mac_len);
	snprintf(line, sizeof(line), "webhook-signature: v1,%s", (char *)text);
	snprintf(head, sizeof(head), "webhook-id: %036ld", left_to_start);
	delivery->headers = curl_slist_append(NULL, line);
	delivery->headers = curl_slist_append(delivery->headers, head);
	delivery->headers = curl_slist_append(delivery->headers,
	    "Content-Type: application/json");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, delivery->headers);
	curl_multi_add_handle(multi, easy);
	left_to_start--;
}

static CURL *
easy_new(void)
{
	CURL *easy = curl_easy_init();
	struct delivery *delivery = calloc(1, sizeof(*delivery));

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)BODY_LEN);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, delivery);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	if (getenv("BENCH_CA") != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("BENCH_CA"));
	return easy;
}

static void
collect(void)
{
	CURLMsg *msg;
	int more;

	while ((msg = curl_multi_info_read(multi, &more)) != NULL) {
		CURL *easy = msg->easy_handle;
		long status = 0;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		if (msg->data.result != CURLE_OK || status != 200)
			failed++;
		finished++;
		curl_multi_remove_handle(multi, easy);
		if (left_to_start > 0)
			start(easy);
	}
}

static void
run(long count)
{
	struct epoll_event events[64];
	int running;

	while (finished < count) {
		int n = epoll_wait(epoll_fd, events, 64,
		    timer_ms < 0 ? 1000 : (int)timer_ms);

		if (n == 0 || timer_ms == 0) {
			timer_ms = -1;
			curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0,
			    &running);
		}
		for (int i = 0; i < n; i++)
			curl_multi_socket_action(multi, events[i].data.fd,
			    (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
			    (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0),
			    &running);
		collect();
	}
}

static double
seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	long count, in_flight;
	double began, cpu;

	if (argc != 4)
		errx(2, "usage: limit_deliver URL COUNT IN_FLIGHT");
	url = argv[1];
	count = left_to_start = atol(argv[2]);
	in_flight = atol(argv[3]);
	memset(body, 'b', BODY_LEN);
	curl_global_init(CURL_GLOBAL_ALL);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	multi = curl_multi_init();
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, in_flight);
	began = seconds(CLOCK_MONOTONIC);
	for (long i = 0; i < in_flight && left_to_start > 0; i++)
		start(easy_new());
	run(count);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	if (failed > 0)
		errx(1, "%ld of %ld deliveries failed", failed, count);
	printf("%.0f %.1f\n",
	    (double)count / (seconds(CLOCK_MONOTONIC) - began),
	    cpu * 1e6 / (double)count);
	return 0;
}
