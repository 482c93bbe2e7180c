/* SPDX-License-Identifier: MIT */
/* The command line. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/settings.h"

#include "wutsd_private.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define WORKERS_MAX 1024

static const char usage[] =
    "usage: wutsd [-c FILE] [-t] [--workers N] [--routes]\n"
    "  -c, --config FILE  read this configuration\n"
    "                     (default: $WUTS_CONFIG, else "
    WUTS_DEFAULT_CONFIG ")\n"
    "  -t, --test         check the configuration and exit\n"
    "      --workers N    this many workers, whatever the configuration says\n"
    "      --routes       print method, path, access and dialect of every\n"
    "                     route and exit\n"
    "      --help         print this and exit\n"
    "      --version      print the version and exit\n"
    "The manual is wutsd(8).\n";

enum {
	OPTION_HELP = 256,
	OPTION_ROUTES,
	OPTION_VERSION,
	OPTION_WORKERS
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "routes", no_argument, NULL, OPTION_ROUTES },
	{ "test", no_argument, NULL, 't' },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "workers", required_argument, NULL, OPTION_WORKERS },
	{ NULL, 0, NULL, 0 }
};

static void __attribute__((noreturn))
refuse(const char *why)
{
	if (why != NULL)
		fprintf(stderr, "wutsd: %s\n", why);
	fputs(usage, stderr);
	exit(2);
}

static unsigned
parse_workers(const char *text)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < 1 ||
	    n > WORKERS_MAX)
		refuse("--workers takes a number from 1 to 1024");
	return (unsigned)n;
}

unsigned
options_workers(const struct options *options,
    const struct settings *settings)
{
	return options->workers != 0 ? options->workers : settings->workers;
}

int
options_check(const struct options *options, const struct settings *settings,
    struct fault *fault)
{
	unsigned workers = options_workers(options, settings);
	unsigned max = settings_workers_max(settings);

	if (workers <= max)
		return 0;
	return fault_set(fault, FAULT_CONFIG, "database_connections = %u has"
	    " room for %u workers, not for %u: lower `workers`, or raise it",
	    settings->database_connections, max, workers);
}

void
options_parse(struct options *options, int argc, char **argv)
{
	int c;

	*options = (struct options) { 0 };
	while ((c = getopt_long(argc, argv, "c:t", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			options->config = optarg;
			break;
		case 't':
			options->is_test = true;
			break;
		case OPTION_ROUTES:
			options->is_routes = true;
			break;
		case OPTION_WORKERS:
			options->workers = parse_workers(optarg);
			break;
		case OPTION_HELP:
			fputs(usage, stdout);
			exit(0);
		case OPTION_VERSION:
			puts("wutsd " PACKAGE_VERSION);
			exit(0);
		default:
			refuse(NULL);
		}
	}
	if (optind < argc)
		refuse("no arguments are taken");
}
