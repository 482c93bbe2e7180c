/* SPDX-License-Identifier: MIT */
/* wutsd: options, configuration, log, what needs privileges, then master or
   worker. */
#include "config.h"

#include "wuts/api.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/log.h"
#include "wuts/metrics.h"
#include "wuts/privilege.h"
#include "wuts/settings.h"

#include "wutsd_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct dialect *const dialects[] = {
	&api_wuts, &api_onprem, &api_wacht, &api_ops
};
#define NDIALECTS (sizeof(dialects) / sizeof(dialects[0]))

static int
print_routes(void)
{
	const struct route *route;

	for (size_t d = 0; d < NDIALECTS; d++) {
		for (size_t i = 0; i < dialects[d]->nroutes; i++) {
			route = &dialects[d]->routes[i];
			printf("%s %s %s %s\n",
			    http_method_name(route->method), route->pattern,
			    access_name(route->access), dialects[d]->name);
		}
	}
	return 0;
}

/* What root does for us before it goes. */
static int
preinit(struct listener *listener, const struct settings *settings,
    struct fault *fault)
{
	const char *log_file = settings->log_file;

	if (settings_open_log(settings, "wutsd") < 0)
		return fault_errno(fault, FAULT_CONFIG, "%s", log_file);
	if (strcmp(log_file, "-") != 0 &&
	    owner_give(settings, log_file, fault) < 0)
		return -1;
	if (owner_make_dir(settings, settings->run_dir, 0755, fault) < 0 ||
	    owner_make_dir(settings, settings->queue_dir, 0700, fault) < 0)
		return -1;
	return listener_open(listener, settings, fault);
}

/* A worker may hold every connection that nginx keeps: as many descriptors as
   the system lets us have. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* A socket on descriptor 0 makes this process the worker, unless it is told
   to have some. */
static int
run_alone(struct heritage *heritage, struct settings *settings)
{
	struct fault fault;
	int status;

	fault_clear(&fault);
	if (budget_take(settings, &fault) < 0)
		log_fatal("%s", fault.text);
	heritage->settings = settings;
	heritage->board = board_new(1);
	heritage->workers = 1;
	board_clear_slot(heritage->board, 0);
	log_info("ready: serving alone");
	status = worker_run(heritage);
	board_free(&heritage->board);
	settings_free(&settings);
	return status;
}

static int
run(const struct options *options, struct settings *settings)
{
	struct heritage heritage = { .dialects = dialects,
	    .ndialects = NDIALECTS, .doorbell_fd = -1 };
	struct metrics_route *routes;
	struct listener listener;
	struct fault fault;
	int status;

	fault_clear(&fault);
	heritage.nroutes = http_metrics_routes(dialects, NDIALECTS, &routes);
	heritage.routes = routes;
	heritage.up_since_us = clock_mono_us();
	if (preinit(&listener, settings, &fault) < 0 ||
	    privilege_drop(settings, &fault) < 0 ||
	    heritage_open_queue(&heritage, &fault) < 0)
		log_fatal("%s", fault.text);
	privilege_hide_memory();
	raise_descriptor_limit();
	heritage.listen_fd = listener.fd;
	heritage.is_listener_kept = listener.kind == LISTENER_ACTIVATED;
	if (listener.kind == LISTENER_STDIN && options->workers == 0)
		status = run_alone(&heritage, settings);
	else if (options_check(options, settings, &fault) < 0)
		log_fatal("%s", fault.text);
	else
		status = master_run(&heritage, &listener, options, settings);
	close(heritage.give_fd);
	close(heritage.take_fd);
	listener_close(&listener);
	free(routes);
	return status;
}

static int
test(const struct options *options, struct settings *settings)
{
	struct fault fault;
	int ret;

	fault_clear(&fault);
	ret = options_check(options, settings, &fault);
	if (ret == 0)
		puts("the configuration is good");
	else
		fprintf(stderr, "wutsd: %s\n", fault.text);
	settings_free(&settings);
	return ret == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct options options;
	struct settings *settings;
	struct fault fault;

	options_parse(&options, argc, argv);
	if (options.is_routes)
		return print_routes();
	fault_clear(&fault);
	if (settings_load(&settings, options.config, &fault) < 0) {
		fprintf(stderr, "wutsd: %s\n", fault.text);
		return 1;
	}
	if (options.is_test)
		return test(&options, settings);
	return run(&options, settings);
}
