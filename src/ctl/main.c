/* SPDX-License-Identifier: MIT */
/* wutsctl: the operator's command line. Takes it apart by the tables of
   command.c; called the wrong way it says how and exits 2. */
#include "config.h"

#include "command.h"
#include "ctl_private.h"

#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/privilege.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPTION_HELP = 256,
	OPTION_COMMANDS,
	OPTION_VERSION,
	OPTION_FIRST		/* of the table */
};

static const struct option global_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "commands", no_argument, NULL, OPTION_COMMANDS },
	{ NULL, 0, NULL, 0 }
};

/* What to do about a refusal, where the message alone does not tell. */
static const char *
hint_for(enum fault_code code)
{
	switch (code) {
	case REFUSAL_TENANT_NOT_FOUND:
	case REFUSAL_TENANT_EXISTS:
		return "see wutsctl tenant list";
	case REFUSAL_USER_NOT_FOUND:
	case REFUSAL_EMAIL_EXISTS:
		return "see wutsctl user list TENANT";
	case FAULT_DATABASE:
	case FAULT_QUEUE:
	case FAULT_QUEUE_FULL:
		return "see wutsctl doctor";
	default:
		return NULL;
	}
}

int
ctl_failed(const struct fault *fault)
{
	const char *hint = hint_for(fault->code);
	size_t i;

	fprintf(stderr, "wutsctl: %s%s%s\n",
	    fault_is_refusal(fault->code) && fault->said[0] != '\0' ?
	    fault->said : fault->text, hint != NULL ? ": " : "",
	    hint != NULL ? hint : "");
	for (i = 0; i < fault->nfields; i++)
		fprintf(stderr, "  %s %s\n", fault->fields[i].field,
		    fault->fields[i].message);
	return CTL_FAILED;
}

int
ctl_limit(const struct ctl *ctl, unsigned *limit_r, struct fault *fault)
{
	const char *text = ctl->limit;
	unsigned long limit;
	char *rest;

	*limit_r = 0;
	if (text == NULL)
		return 0;
	errno = 0;
	limit = strtoul(text, &rest, 10);
	if (text[0] < '0' || text[0] > '9' || *rest != '\0' || errno != 0 ||
	    limit == 0 || limit > INT32_MAX)
		return fault_set(fault, FAULT_CONFIG,
		    "--limit must be a number from 1 on, not \"%s\"", text);
	*limit_r = (unsigned)limit;
	return 0;
}

static int
command_refuse(const struct command *command, const char *why,
    const char *what)
{
	fprintf(stderr, "wutsctl %s: %s%s\n", command->name, why, what);
	print_command_usage(command, stderr);
	return CTL_USAGE;
}

/* Everything below takes UTF-8, as it comes from JSON elsewhere. */
static bool
is_text(const char *text)
{
	json_t *string = json_string(text);

	json_decref(string);
	return string != NULL;
}

static int
set_option(const struct command *command, struct ctl *ctl,
    const struct ctl_option *option, const char *value)
{
	char *place = (char *)ctl + option->offset;

	if (!command_takes(command, option->name))
		return command_refuse(command, "takes no --", option->name);
	if (option->value == NULL)
		*(bool *)(void *)place = true;
	else if (!is_text(value))
		return command_refuse(command, "not in UTF-8: --",
		    option->name);
	else
		*(const char **)(void *)place = value;
	return CTL_OK;
}

static int
set_arguments(const struct command *command, struct ctl *ctl, int argc,
    char **argv)
{
	unsigned min, max;
	int i;

	command_args(command, &min, &max);
	for (i = 0; i < argc; i++) {
		if ((unsigned)i >= max)
			return command_refuse(command, "what is this: ",
			    argv[i]);
		if (!is_text(argv[i]))
			return command_refuse(command, "not in UTF-8: ",
			    argv[i]);
		ctl->args[i] = argv[i];
	}
	if ((unsigned)argc < min)
		return command_refuse(command, "needs ", command->args);
	return CTL_OK;
}

/* The options of the table, for getopt_long(). */
static struct option *
make_options(void)
{
	struct option *options = mem_calloc(ctl_options_len + 3,
	    sizeof(*options));
	size_t i;

	memcpy(options, global_options, 2 * sizeof(*options));
	for (i = 0; i < ctl_options_len; i++)
		options[i + 2] = (struct option){ ctl_options[i].name,
		    ctl_options[i].value != NULL ? required_argument :
		    no_argument, NULL, OPTION_FIRST + (int)i };
	return options;
}

/* CTL_OK, or the status to end with; *is_help_r: the help was printed. */
static int
parse_options(const struct command *command, struct ctl *ctl, int argc,
    char **argv, bool *is_help_r)
{
	struct option *options = make_options();
	int option, status = CTL_OK;

	/* Zero makes getopt begin anew. */
	optind = 0;
	while (status == CTL_OK && !*is_help_r && (option = getopt_long(argc,
	    argv, "c:", options, NULL)) != -1) {
		if (option == 'c') {
			ctl->config = optarg;
		} else if (option == OPTION_HELP) {
			print_command_usage(command, stdout);
			*is_help_r = true;
		} else if (option >= OPTION_FIRST) {
			status = set_option(command, ctl,
			    &ctl_options[option - OPTION_FIRST], optarg);
		} else {
			print_command_usage(command, stderr);
			status = CTL_USAGE;
		}
	}
	free(options);
	return status;
}

/* argv[0] is the command's last word. */
static int
command_run(const struct command *command, struct ctl *ctl, int argc,
    char **argv)
{
	bool is_help = false;
	int status;

	status = parse_options(command, ctl, argc, argv, &is_help);
	if (status != CTL_OK || is_help)
		return status;
	status = set_arguments(command, ctl, argc - optind, argv + optind);
	return status != CTL_OK ? status : command->run(ctl);
}

/* The words name no command. */
static int
refuse_words(int argc, char **argv)
{
	bool is_noun = command_is_noun(argv[0]);

	if (is_noun && argc > 1 && strcmp(argv[1], "--help") == 0) {
		print_noun_usage(argv[0], stdout);
		return CTL_OK;
	}
	if (is_noun && argc == 1)
		fprintf(stderr, "wutsctl: %s what?\n", argv[0]);
	else
		fprintf(stderr, "wutsctl: there is no command \"%s%s%s\"\n",
		    argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
	if (is_noun)
		print_noun_usage(argv[0], stderr);
	else
		print_usage(stderr);
	return CTL_USAGE;
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
		case OPTION_COMMANDS:
			print_commands(stdout);
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
	if (command == NULL)
		return refuse_words(argc - optind, argv + optind);
	words += optind - 1;
	return command_run(command, &ctl, argc - words, argv + words);
}
