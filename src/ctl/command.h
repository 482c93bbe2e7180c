/* SPDX-License-Identifier: MIT */
/* The two tables that wutsctl is made of, and how it is called. */
#ifndef WUTS_CTL_COMMAND_H
#define WUTS_CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct ctl;

/* An option of commands: a text into struct ctl, or a flag. */
struct ctl_option {
	const char *name;	/* without the dashes */
	const char *value;	/* what it takes; NULL: it is a flag */
	size_t offset;		/* into struct ctl: const char * or bool */
	const char *meaning;
};
extern const struct ctl_option ctl_options[];
extern const size_t ctl_options_len;

struct command {
	const char *name;	/* one word, or noun and verb */
	const char *args;	/* "TENANT [NAME]"; "": none */
	const char *takes;	/* names of options, blanks between */
	int (*run)(const struct ctl *ctl);
	const char *summary;
	const char *help;
};

/* The command that the first words of argv name; *words_r is how many. */
const struct command *command_find(int argc, char **argv, int *words_r);

/* Is this the noun of some command? */
bool command_is_noun(const char *word);

bool command_takes(const struct command *command, const char *option);

/* How many arguments it must and may have. */
void command_args(const struct command *command, unsigned *min_r,
    unsigned *max_r);

/* All commands, those of a noun, one. */
void print_usage(FILE *out);
/* A line a command: its name, "--option" or "--option=VALUE" for each. */
void print_commands(FILE *out);
void print_noun_usage(const char *noun, FILE *out);
void print_command_usage(const struct command *command, FILE *out);

#endif
