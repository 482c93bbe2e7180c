/* SPDX-License-Identifier: MIT */
/* What is asked of the person at the terminal, or of standard input where
   there is none. A password never is an argument, and is echoed nowhere. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/crypto.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define GENERATED_BYTES 15	/* 120 bits, as 30 hex digits */

/* What wants to end us while the terminal is without echo. */
static const int enders[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
#define ENDERS (sizeof(enders) / sizeof(enders[0]))

static volatile sig_atomic_t ender;

static void
note_ender(int signo)
{
	ender = signo;
}

/* One line without its newline, a character a read so that what comes behind
   it stays for others. mask: the signals that stay blocked while it waits;
   NULL: those of now. */
static int
read_line(char line_r[PROMPT_LINE_MAX], const sigset_t *mask,
    struct fault *fault)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	size_t len = 0;
	ssize_t n;
	char c;

	for (;;) {
		n = ppoll(&in, 1, NULL, mask) < 0 ? -1 :
		    read(STDIN_FILENO, &c, 1);
		if (n < 0 && errno == EINTR && ender == 0)
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
    const sigset_t *mask, struct fault *fault)
{
	struct termios shown, hidden;
	int ret;

	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return fault_errno(fault, FAULT_IO, "terminal");
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	/* Before the question, and flushing what was typed until then: it was
	   echoed. */
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) < 0)
		return fault_errno(fault, FAULT_IO, "terminal");
	fprintf(stderr, "%s: ", question);
	ret = read_line(line_r, mask, fault);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	fputc('\n', stderr);
	return ret;
}

/* As ask_hidden(), and the terminal is again as it was also when a signal ends
   us. */
static int
ask_safely(const char *question, char line_r[PROMPT_LINE_MAX],
    struct fault *fault)
{
	struct sigaction noting = { .sa_handler = note_ender };
	struct sigaction before[ENDERS];
	sigset_t blocked, mask;
	size_t i;
	int ret;

	/* Taken only while a key is waited for: none comes unnoticed between
	   the question and that. */
	sigemptyset(&blocked);
	for (i = 0; i < ENDERS; i++)
		sigaddset(&blocked, enders[i]);
	(void)sigprocmask(SIG_BLOCK, &blocked, &mask);
	sigemptyset(&noting.sa_mask);
	for (i = 0; i < ENDERS; i++)
		(void)sigaction(enders[i], &noting, &before[i]);
	ret = ask_hidden(question, line_r, &mask, fault);
	for (i = 0; i < ENDERS; i++)
		(void)sigaction(enders[i], &before[i], NULL);
	if (ender != 0)
		(void)raise(ender);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	return ret;
}

static int
ask_twice(char password_r[PROMPT_LINE_MAX], struct fault *fault)
{
	char again[PROMPT_LINE_MAX];
	int ret = -1;

	if (ask_safely("Password", password_r, fault) == 0 &&
	    ask_safely("Again", again, fault) == 0) {
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
	    read_line(password_r, NULL, fault) < 0)
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
	if (read_line(line, NULL, fault) < 0)
		return -1;
	if (strcmp(line, name) != 0)
		return fault_set(fault, FAULT_CONFIG,
		    "that is not it: nothing was done");
	return 0;
}
