/* SPDX-License-Identifier: MIT */
/* wutsctl: the operator's command line. A table of commands, each with the
   options that it takes; called the wrong way it says how and exits 2. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/privilege.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
	TAKES_JSON = 1 << 0,
	TAKES_SQL = 1 << 1
};

struct command {
	const char *name;	/* one or two words */
	int (*run)(const struct ctl *ctl);
	unsigned takes;
	const char *summary;
	const char *help;
};

static const struct command commands[] = {
	{ "doctor", ctl_doctor, TAKES_JSON,
	    "check the installation; says what is wrong and what to do",
	    "One line a check, \"ok\", \"warn\" or \"fail\", what, why and"
	    " what to do about it.\nExit status 1 when a check fails.\n" },
	{ "init", ctl_init, TAKES_SQL,
	    "make an installation: directories, secrets, database",
	    "Makes what the configuration names and does not exist yet: the"
	    " run and queue\ndirectories, the installation key and the token"
	    " files (random, mode 0600), the\ndatabase if its user may, and"
	    " the schema. What exists is kept, so it can be\nrepeated. No"
	    " secret is printed.\n" },
	{ "migrate", ctl_migrate, TAKES_SQL,
	    "bring the database schema to this release",
	    "Applies the migrations that the database has not seen yet, each"
	    " once.\n" },
	{ "queue status", ctl_queue_status, TAKES_JSON,
	    "how many events wait, since when, and who delivers them",
	    "Reads the queue directory; changes nothing and disturbs"
	    " nobody.\n" },
};
static const size_t commands_len = sizeof(commands) / sizeof(commands[0]);

enum {
	OPTION_HELP = 256,
	OPTION_VERSION,
	OPTION_JSON,
	OPTION_SQL
};

static const struct option global_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 }
};

static const struct option command_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "sql", required_argument, NULL, OPTION_SQL },
	{ NULL, 0, NULL, 0 }
};

int
ctl_failed(const struct fault *fault)
{
	fprintf(stderr, "wutsctl: %s\n", fault->text);
	return CTL_FAILED;
}

static void
print_usage(FILE *out)
{
	size_t i;

	fputs("usage: wutsctl [-c FILE] COMMAND [OPTION...]\n\n", out);
	for (i = 0; i < commands_len; i++)
		fprintf(out, "  %-14s%s\n", commands[i].name,
		    commands[i].summary);
	fputs("\n  -c FILE       the configuration ($WUTS_CONFIG, else "
	    WUTS_DEFAULT_CONFIG ")\n"
	    "  --help        this text; after a command, that command's\n"
	    "  --version     the version\n", out);
}

static void
print_command_usage(const struct command *command, FILE *out)
{
	fprintf(out, "usage: wutsctl [-c FILE] %s%s%s\n\n%s", command->name,
	    (command->takes & TAKES_JSON) ? " [--json]" : "",
	    (command->takes & TAKES_SQL) ? " [--sql DIR]" : "",
	    command->help);
	if (command->takes & TAKES_JSON)
		fputs("\n  --json        JSON for programs\n", out);
	if (command->takes & TAKES_SQL)
		fputs("\n  --sql DIR     the migrations (" WUTS_SQL_DIR ")\n",
		    out);
}

/* Is this command meant? Its words used, or 0. */
static int
words_match(const struct command *command, int argc, char **argv)
{
	const char *space = strchr(command->name, ' ');
	size_t len;

	if (space == NULL)
		return strcmp(argv[0], command->name) == 0;
	len = (size_t)(space - command->name);
	return argc > 1 && strlen(argv[0]) == len &&
	    strncmp(argv[0], command->name, len) == 0 &&
	    strcmp(argv[1], space + 1) == 0 ? 2 : 0;
}

static const struct command *
command_find(int argc, char **argv, int *words_r)
{
	size_t i;

	for (i = 0; i < commands_len; i++) {
		*words_r = words_match(&commands[i], argc, argv);
		if (*words_r > 0)
			return &commands[i];
	}
	return NULL;
}

static int
command_refuse(const struct command *command, const char *why,
    const char *what)
{
	fprintf(stderr, "wutsctl %s: %s%s\n", command->name, why, what);
	print_command_usage(command, stderr);
	return CTL_USAGE;
}

/* argv[0] is the command's last word. */
static int
command_run(const struct command *command, struct ctl *ctl, int argc,
    char **argv)
{
	int option;

	/* Zero makes getopt begin anew. */
	optind = 0;
	while ((option = getopt_long(argc, argv, "c:", command_options,
	    NULL)) != -1) {
		switch (option) {
		case 'c':
			ctl->config = optarg;
			break;
		case OPTION_HELP:
			print_command_usage(command, stdout);
			return CTL_OK;
		case OPTION_JSON:
			if (!(command->takes & TAKES_JSON))
				return command_refuse(command,
				    "takes no --json", "");
			ctl->json = true;
			break;
		case OPTION_SQL:
			if (!(command->takes & TAKES_SQL))
				return command_refuse(command,
				    "takes no --sql", "");
			ctl->sql_dir = optarg;
			break;
		default:
			print_command_usage(command, stderr);
			return CTL_USAGE;
		}
	}
	if (optind < argc)
		return command_refuse(command, "what is this: ", argv[optind]);
	return command->run(ctl);
}

int
main(int argc, char **argv)
{
	struct ctl ctl = { .sql_dir = WUTS_SQL_DIR };
	const struct command *command;
	int option, words;

	privilege_hide_memory();
	(void)log_open("wutsctl", "-", LOG_LEVEL_WARN);
	while ((option = getopt_long(argc, argv, "+c:", global_options,
	    NULL)) != -1) {
		switch (option) {
		case 'c':
			ctl.config = optarg;
			break;
		case OPTION_HELP:
			print_usage(stdout);
			return CTL_OK;
		case OPTION_VERSION:
			puts("wutsctl " PACKAGE_VERSION);
			return CTL_OK;
		default:
			print_usage(stderr);
			return CTL_USAGE;
		}
	}
	if (optind == argc) {
		print_usage(stderr);
		return CTL_USAGE;
	}
	command = command_find(argc - optind, argv + optind, &words);
	if (command == NULL) {
		fprintf(stderr, "wutsctl: there is no command \"%s%s%s\"\n",
		    argv[optind], optind + 1 < argc ? " " : "",
		    optind + 1 < argc ? argv[optind + 1] : "");
		print_usage(stderr);
		return CTL_USAGE;
	}
	words += optind - 1;
	return command_run(command, &ctl, argc - words, argv + words);
}
