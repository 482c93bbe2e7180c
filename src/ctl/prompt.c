/* SPDX-License-Identifier: MIT */
/* What is asked of the person at the terminal, or of standard input where
   there is none. A password never is an argument, and is echoed nowhere. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/crypto.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define GENERATED_BYTES 15	/* 120 bits, as 30 hex digits */

/* One line without its newline, a character a read so that what comes behind
   it stays for others. */
static int
read_line(char line_r[PROMPT_LINE_MAX], struct fault *fault)
{
	size_t len = 0;
	ssize_t n;
	char c;

	for (;;) {
		n = read(STDIN_FILENO, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_errno(fault, FAULT_IO, "standard input");
		if (n == 0 || c == '\n')
			break;
		if (c == '\0' || len == PROMPT_LINE_MAX - 1)
			return fault_set(fault, FAULT_IO,
			    "standard input: the line is no password");
		line_r[len++] = c;
	}
	line_r[len] = '\0';
	return 0;
}

/* The question goes to standard error: standard output is the answer's. */
static int
ask_hidden(const char *question, char line_r[PROMPT_LINE_MAX],
    struct fault *fault)
{
	struct termios shown, hidden;
	int ret;

	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return fault_errno(fault, FAULT_IO, "terminal");
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	fprintf(stderr, "%s: ", question);
	/* Flushing what was typed before: it was echoed. */
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) < 0)
		return fault_errno(fault, FAULT_IO, "terminal");
	ret = read_line(line_r, fault);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	fputc('\n', stderr);
	return ret;
}

static int
ask_twice(char password_r[PROMPT_LINE_MAX], struct fault *fault)
{
	char again[PROMPT_LINE_MAX];
	int ret = -1;

	if (ask_hidden("Password", password_r, fault) == 0 &&
	    ask_hidden("Again", again, fault) == 0) {
		ret = strcmp(password_r, again) == 0 ? 0 :
		    fault_set(fault, FAULT_CONFIG,
		    "the two are not the same: nothing was done");
	}
	crypto_wipe(again, sizeof(again));
	return ret;
}

int
prompt_password(const struct ctl *ctl, char password_r[PROMPT_LINE_MAX],
    bool *is_generated_r, struct fault *fault)
{
	uint8_t bytes[GENERATED_BYTES];
	json_t *text;

	*is_generated_r = ctl->generate;
	if (ctl->generate) {
		crypto_random(bytes, sizeof(bytes));
		crypto_hex(bytes, sizeof(bytes), password_r);
		crypto_wipe(bytes, sizeof(bytes));
		return 0;
	}
	if (isatty(STDIN_FILENO) ? ask_twice(password_r, fault) < 0 :
	    read_line(password_r, fault) < 0)
		return -1;
	if (password_r[0] == '\0')
		return fault_set(fault, FAULT_CONFIG, "no password was given:"
		    " write it to standard input, or give --generate");
	text = json_string(password_r);
	json_decref(text);
	if (text == NULL)
		return fault_set(fault, FAULT_CONFIG,
		    "the password is not in UTF-8");
	return 0;
}

int
prompt_confirm(const struct ctl *ctl, const char *warning, const char *name,
    struct fault *fault)
{
	char line[PROMPT_LINE_MAX];

	if (ctl->yes)
		return 0;
	if (!isatty(STDIN_FILENO))
		return fault_set(fault, FAULT_CONFIG,
		    "%s: give --yes to do so without being asked", warning);
	fprintf(stderr, "%s.\nType %s to go on: ", warning, name);
	if (read_line(line, fault) < 0)
		return -1;
	if (strcmp(line, name) != 0)
		return fault_set(fault, FAULT_CONFIG,
		    "that is not it: nothing was done");
	return 0;
}
