/* SPDX-License-Identifier: MIT */
/* wuts-spool: delivers what the workers have queued. Options, configuration,
   privileges, log, then the loop until told to stop. */
#include "config.h"

#include "loop.h"
#include "shard_private.h"
#include "shards.h"

#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/privilege.h"
#include "wuts/settings.h"

#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* Exit codes, as sysexits.h has them for those that exist there. */
enum {
	EXIT_USAGE = 64,
	EXIT_CANNOT_START = 69,
	EXIT_CONFIG = 78
};

static const char usage_text[] =
    "usage: wuts-spool [-c FILE] [--once] [--shards N]\n"
    "       wuts-spool --help | --version\n";

static const char help_text[] =
    "\n"
    "Delivers queued events to their webhooks, in the foreground.\n"
    "\n"
    "  -c, --config FILE  configuration (default: $WUTS_CONFIG, else\n"
    "                     " WUTS_DEFAULT_CONFIG ")\n"
    "      --once         deliver all that is due, then exit (for cron)\n"
    "      --shards N     make the attempts in N processes, by endpoint\n"
    "  -h, --help         this text\n"
    "  -V, --version      the version\n"
    "\n"
    "SIGTERM: finish what is in flight and exit. SIGHUP: reopen the log and\n"
    "read the configuration again.\n";

static unsigned
parse_shards(const char *text)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && n >= 1 &&
	    n <= SHARDS_MAX)
		return (unsigned)n;
	fprintf(stderr, "wuts-spool: --shards takes a number from 1 to %d\n"
	    "%s", SHARDS_MAX, usage_text);
	exit(EXIT_USAGE);
}

static void __attribute__((noreturn))
be_shard(void)
{
	struct stat st;
	int status;

	if (fstat(SHARD_FD, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		fputs(usage_text, stderr);
		exit(EXIT_USAGE);
	}
	privilege_hide_memory();
	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		log_fatal("libcurl cannot be initialised");
	status = shard_run(SHARD_FD);
	curl_global_cleanup();
	exit(status);
}

static void
parse_options(int argc, char **argv, struct loop_options *options)
{
	static const struct option names[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "once", no_argument, NULL, 'o' },
		{ "shard", no_argument, NULL, 's' },
		{ "shards", required_argument, NULL, 'S' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:hV", names, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			break;
		case 'o':
			options->once = true;
			break;
		case 's':
			/* What shards.c starts; for nobody else. */
			be_shard();
		case 'S':
			options->shards = parse_shards(optarg);
			break;
		case 'h':
			printf("%s%s", usage_text, help_text);
			exit(0);
		case 'V':
			printf("wuts-spool %s\n", PACKAGE_VERSION);
			exit(0);
		default:
			fputs(usage_text, stderr);
			exit(EXIT_USAGE);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "wuts-spool: %s is no option\n%s",
		    argv[optind], usage_text);
		exit(EXIT_USAGE);
	}
}

/* Before the first thread, so that all of them inherit it. */
static void
block_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* A connection an attempt, and kept ones besides. */
static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int
fail(int code, const struct fault *fault)
{
	log_error("%s", fault->text);
	return fault->code == FAULT_CONFIG ? EXIT_CONFIG : code;
}

int
main(int argc, char **argv)
{
	struct loop_options options = { .config = NULL };
	struct fault fault = { .code = FAULT_NONE };
	struct settings *settings;
	int code = 0;

	(void)log_open("wuts-spool", NULL, LOG_LEVEL_INFO);
	parse_options(argc, argv, &options);
	privilege_hide_memory();
	if (settings_load(&settings, options.config, &fault) < 0)
		return fail(EXIT_CONFIG, &fault);
	block_signals();
	raise_file_limit();
	if (privilege_drop(settings, &fault) < 0) {
		settings_free(&settings);
		return fail(EXIT_CONFIG, &fault);
	}
	privilege_hide_memory();
	if (settings_open_log(settings, "wuts-spool") < 0)
		log_error("open log %s: %m", settings->log_file);
	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		log_fatal("libcurl cannot be initialised");
	if (loop_run(settings, &options, &fault) < 0)
		code = fail(EXIT_CANNOT_START, &fault);
	curl_global_cleanup();
	settings_free(&settings);
	return code;
}
