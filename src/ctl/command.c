/* SPDX-License-Identifier: MIT */
/* The commands and their options: two tables, and the usage made from them. A
   command is a row here, a function in the file of its noun, and a paragraph
   in wutsctl(8). */
#include "config.h"

#include "command.h"
#include "ctl_private.h"

#include <string.h>

#define AT(field) offsetof(struct ctl, field)

const struct ctl_option ctl_options[] = {
	{ "action", "NAME", AT(action),
	    "only entries of this action, such as user.role_changed" },
	{ "after", "ID", AT(after), "only users behind this one" },
	{ "check", NULL, AT(check), "apply nothing; status 1: some are missing" },
	{ "dead", NULL, AT(dead), "all dead letters that the others say" },
	{ "device", "ID", AT(device), "only events of this device" },
	{ "event", "NAME", AT(event), "only this event" },
	{ "expires", "TIME", AT(expires),
	    "when it ends, such as 2027-01-31T00:00:00Z (never)" },
	{ "finish", NULL, AT(finish),
	    "end the rotation, whatever still needs the old key" },
	{ "generate", NULL, AT(generate),
	    "make the password up, and print it" },
	{ "json", NULL, AT(json), "JSON for programs" },
	{ "limit", "N", AT(limit), "at most this many (all)" },
	{ "role", "ROLE", AT(role), "admin, manager or user (user)" },
	{ "scope", "SCOPE", AT(scope), "full or read (full)" },
	{ "secrets", NULL, AT(secrets),
	    "with password hashes, tokens and secrets, to be kept safe" },
	{ "since", "TIME", AT(since),
	    "only from then on, such as 2027-01-31T00:00:00Z" },
	{ "sql", "DIR", AT(sql_dir), "the migrations (" WUTS_SQL_DIR ")" },
	{ "state", "STATE", AT(state),
	    "only waiting, retrying, prepared or dead ones" },
	{ "step", NULL, AT(step), "stop after the next step" },
	{ "tenant", "TENANT", AT(tenant),
	    "whose it is; of a user needed when USER is an e-mail" },
	{ "user", "USER", AT(user), "only what this user did or underwent" },
	{ "webhook", "URL", AT(webhook),
	    "the webhook of the user's first device" },
	{ "yes", NULL, AT(yes), "do not ask" },
};
const size_t ctl_options_len = sizeof(ctl_options) / sizeof(ctl_options[0]);

#define PASSWORD_HELP "The password is asked for on a terminal, and read from" \
    " standard input\n(one line) elsewhere; it is never an argument.\n"
#define USER_HELP "USER is a user's id, or an e-mail together with --tenant.\n"

static const struct command commands[] = {
	{ "audit list", "[TENANT]", "action json limit user", ctl_audit_list,
	    "who changed what, newest first",
	    "Of a tenant, also of one that was deleted (give its id);"
	    " without TENANT of the\ninstallation itself: the permission"
	    " matrix.\n" },
	{ "audit verify", "[TENANT]", "json", ctl_audit_verify,
	    "prove that nobody edited the audit trail",
	    "One line for each tenant that ever was: \"ok\" and how many"
	    " entries, or \"BROKEN\",\nthe first entry that is wrong, and"
	    " why. Exit status 1 when one is broken.\n" },
	{ "doctor", "", "json", ctl_doctor,
	    "check the installation; says what is wrong and what to do",
	    "One line a check, \"ok\", \"warn\" or \"fail\", what, why and"
	    " what to do about it.\nExit status 1 when a check fails.\n" },
	{ "export", "TENANT", "after secrets", ctl_export,
	    "the users of a tenant as lines of JSON",
	    "With everything that hangs on them, in the order of their ids, to"
	    " standard\noutput. After an interruption go on with --after and the"
	    " last id that came.\n" },
	{ "import", "TENANT [FILE]", "", ctl_import,
	    "users from lines of JSON",
	    "As export writes them, from FILE or standard input. Users who are"
	    " there already\nare left alone, so an interrupted import is simply"
	    " begun again. Exit status 1\nwhen a line was refused.\n" },
	{ "init", "", "sql", ctl_init,
	    "make an installation: directories, secrets, database",
	    "Makes the configuration, from the sample, and what it names and"
	    " does not exist\nyet: the run and queue directories, the"
	    " installation key and the token files\n(random, mode 0600), the"
	    " database if its user may, and the schema. What exists"
	    "\nis kept, so it can be repeated. No secret is printed.\n" },
	{ "key create", "TENANT NAME", "expires json scope", ctl_key_create,
	    "a new API key of a tenant; prints it, this once", "" },
	{ "key delete", "TENANT KEY", "json", ctl_key_delete,
	    "delete an API key; it stops at once",
	    "KEY is the key's id, as wutsctl key list shows it.\n" },
	{ "key list", "TENANT", "json", ctl_key_list,
	    "the API keys of a tenant", "" },
	{ "key rotate", "", "finish json step", ctl_key_rotate,
	    "give the installation a new key, without downtime",
	    "Adds a new key to the key file, has every process accept and"
	    " then use it, writes\nanew what is under the old one, and"
	    " retires that when nothing needs it any more.\nInterrupted, it"
	    " is continued by running it again. API keys change over when"
	    " they\nare used: as long as some have not been, the old key"
	    " stays.\n" },
	{ "matrix allow", "ACTOR FROM TO", "json", ctl_matrix_allow,
	    "let users of a role turn a role into another",
	    "As in `matrix allow manager user manager`. In force at once.\n"
	},
	{ "matrix deny", "ACTOR FROM TO", "json", ctl_matrix_deny,
	    "no longer let them",
	    "As in `matrix deny manager user manager`. In force at once.\n" },
	{ "matrix reset", "", "json", ctl_matrix_reset,
	    "the matrix as it was shipped", "" },
	{ "matrix show", "", "json", ctl_matrix_show,
	    "who may turn which role into which",
	    "What differs from the shipped matrix is marked with a star.\n" },
	{ "migrate", "", "check sql", ctl_migrate,
	    "bring the database schema to this release",
	    "Applies the migrations that the database has not seen yet, each"
	    " once.\n" },
	{ "onprem disable", "TENANT", "json yes", ctl_onprem_disable,
	    "a tenant no longer speaks the On-Premises dialect",
	    "Its application settings and CA certificates go for good; its"
	    " accounts stay. The\ntenant's name must be typed again, or"
	    " --yes given.\n" },
	{ "onprem enable", "TENANT", "json", ctl_onprem_enable,
	    "a tenant speaks the On-Premises dialect, under /v1/",
	    "Makes its application settings and the account admin, which has"
	    " the password of\nthe setting onprem_admin_password until its"
	    " first log-in changes it. What is\nthere is kept.\n" },
	{ "onprem show", "TENANT", "json", ctl_onprem_show,
	    "whether a tenant speaks it, and its webhook",
	    "--json has all application settings.\n" },
	{ "queue drop", "ID", "json yes", ctl_queue_drop,
	    "give up an event that waits, or a dead letter, for good",
	    "A running wuts-spool is asked to; else it is done here. What is"
	    " being delivered\nat that moment may arrive all the same. The"
	    " id must be typed again, or --yes\ngiven.\n" },
	{ "queue list", "", "device event json limit since state tenant",
	    ctl_queue_list,
	    "the events that wait, and the dead letters",
	    "One line each, in the order of the files. --tenant takes the"
	    " tenant's id.\n" },
	{ "queue retry", "[ID]", "dead device event json since tenant",
	    ctl_queue_retry,
	    "try an event again: now, or from the dead letters",
	    "With an id: a dead letter goes back into the queue, an event that"
	    " waits for its\nnext attempt is due at once. With --dead: all dead"
	    " letters that the options say.\nEach is delivered with the same"
	    " webhook-id as before, to the webhook as it is\nnow.\n" },
	{ "queue show", "ID", "json", ctl_queue_show,
	    "one event with its body", "" },
	{ "queue status", "", "json", ctl_queue_status,
	    "how many events wait, since when, and who delivers them",
	    "Reads the queue directory; changes nothing and disturbs"
	    " nobody.\n" },
	{ "queue verify", "", "json", ctl_queue_verify,
	    "read everything, check every checksum and account",
	    "Each record must have come to exactly one end, or wait. Says"
	    " what does not hold\nand where. Exit status 1 when"
	    " something does not.\n" },
	{ "tenant create", "NAME EMAIL", "generate json webhook",
	    ctl_tenant_create,
	    "register a tenant with its first admin; prints the token",
	    PASSWORD_HELP },
	{ "tenant delete", "TENANT", "json yes", ctl_tenant_delete,
	    "delete a tenant with all that is its, for good",
	    "Users, devices, webhooks, keys and sessions go, queued events"
	    " are dropped; the\naudit trail stays. The tenant's name must be"
	    " typed again, or --yes given.\n" },
	{ "tenant list", "", "json", ctl_tenant_list,
	    "all tenants, by name", "" },
	{ "tenant policy", "TENANT [NAME=VALUE]", "json", ctl_tenant_policy,
	    "what a tenant asks of its users' fields; changes one of it",
	    "For the Wacht users API: which fields are used and required, how"
	    " long and how\nmixed a password must be. VALUE is true, false or"
	    " a number.\n" },
	{ "tenant show", "TENANT", "json", ctl_tenant_show,
	    "one tenant, and how many users and devices it has",
	    "TENANT is a tenant's id or its name, in whatever case.\n" },
	{ "top", "", "", ctl_top,
	    "the queue as it moves; q ends",
	    "A picture a second on a terminal, one picture elsewhere.\n" },
	{ "trace", "ID [LOG [LOG]]", "json", ctl_trace,
	    "the story of a request or an event",
	    "From the log, the queue, the delivery log and the audit trail, in"
	    " the order of\ntime. ID is an X-Request-Id or an event's id. LOG:"
	    " log files besides log_file,\n/dev/stdin for the journal's.\n" },
	{ "user activate", "USER", "json tenant", ctl_user_activate,
	    "let a user in again", USER_HELP },
	{ "user create", "TENANT EMAIL", "generate json role webhook",
	    ctl_user_create,
	    "a new user; prints the token", PASSWORD_HELP },
	{ "user deactivate", "USER", "json tenant", ctl_user_deactivate,
	    "keep a user out; its token stops at once", USER_HELP },
	{ "user delete", "USER", "json tenant yes", ctl_user_delete,
	    "delete a user with its devices and webhooks, for good",
	    USER_HELP
	    "The user's e-mail must be typed again, or --yes given.\n" },
	{ "user list", "TENANT", "json limit", ctl_user_list,
	    "the users of a tenant, in the order of their creation", "" },
	{ "user role", "USER ROLE", "json tenant", ctl_user_role,
	    "make a user admin, manager or user",
	    USER_HELP
	    "The permission matrix does not bind the operator.\n" },
	{ "user show", "USER", "json tenant", ctl_user_show,
	    "one user", USER_HELP },
	{ "user token", "USER", "json tenant", ctl_user_token,
	    "a new token for a user, printed; the old one stops at once",
	    USER_HELP },
};
static const size_t commands_len = sizeof(commands) / sizeof(commands[0]);

/* How many words of argv are this command's name; 0: it is another. */
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

const struct command *
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

static bool
is_of_noun(const struct command *command, const char *noun)
{
	size_t len = strlen(noun);

	return strncmp(command->name, noun, len) == 0 &&
	    command->name[len] == ' ';
}

bool
command_is_noun(const char *word)
{
	size_t i;

	for (i = 0; i < commands_len; i++)
		if (is_of_noun(&commands[i], word))
			return true;
	return false;
}

bool
command_takes(const struct command *command, const char *option)
{
	size_t len = strlen(option), n;
	const char *p = command->takes;

	for (; *p != '\0'; p += n + strspn(p + n, " ")) {
		n = strcspn(p, " ");
		if (n == len && strncmp(p, option, len) == 0)
			return true;
	}
	return false;
}

void
command_args(const struct command *command, unsigned *min_r, unsigned *max_r)
{
	const char *p = command->args;

	*min_r = *max_r = 0;
	while (*p != '\0') {
		++*max_r;
		if (*p != '[')
			++*min_r;
		p += strcspn(p, " ");
		p += strspn(p, " ");
	}
}

static void
print_summary(const struct command *command, FILE *out)
{
	fprintf(out, "  %-17s%s\n", command->name, command->summary);
}

/* The verbs of the noun that commands[i] begins; the last one's index. */
static size_t
print_verbs(size_t i, FILE *out)
{
	int len = (int)strcspn(commands[i].name, " ");

	fprintf(out, "  %-17.*s", len, commands[i].name);
	for (;; i++) {
		const char *verb = commands[i].name + len + 1;
		bool is_last = i + 1 == commands_len || strncmp(
		    commands[i + 1].name, commands[i].name,
		    (size_t)len + 1) != 0;

		fprintf(out, "%s%s", verb, is_last ? "\n" : ", ");
		if (is_last)
			return i;
	}
}

void
print_usage(FILE *out)
{
	size_t i;

	fputs("usage: wutsctl [-c FILE] COMMAND [OPTION...]\n\n", out);
	for (i = 0; i < commands_len; i++) {
		if (strchr(commands[i].name, ' ') == NULL)
			print_summary(&commands[i], out);
		else
			i = print_verbs(i, out);
	}
	fputs("\n  -c FILE          the configuration; else $WUTS_CONFIG, else\n"
	    "                   " WUTS_DEFAULT_CONFIG "\n"
	    "  --help           this text; after a noun or command, of that\n"
	    "  --commands       every command with its options, for programs\n"
	    "  --version        the version\n", out);
}

void
print_commands(FILE *out)
{
	const struct ctl_option *option;
	size_t i, j;

	for (i = 0; i < commands_len; i++) {
		fputs(commands[i].name, out);
		for (j = 0; j < ctl_options_len; j++) {
			option = &ctl_options[j];
			if (!command_takes(&commands[i], option->name))
				continue;
			fprintf(out, " --%s%s%s", option->name,
			    option->value != NULL ? "=" : "",
			    option->value != NULL ? option->value : "");
		}
		putc('\n', out);
	}
}

void
print_noun_usage(const char *noun, FILE *out)
{
	size_t i;

	fprintf(out, "usage: wutsctl [-c FILE] %s COMMAND [OPTION...]\n\n",
	    noun);
	for (i = 0; i < commands_len; i++)
		if (is_of_noun(&commands[i], noun))
			print_summary(&commands[i], out);
}

void
print_command_usage(const struct command *command, FILE *out)
{
	const struct ctl_option *option;
	int width;
	size_t i;

	fprintf(out, "usage: wutsctl [-c FILE] %s%s%s%s\n\n%s%s",
	    command->name, command->args[0] != '\0' ? " " : "", command->args,
	    command->takes[0] != '\0' ? " [OPTION...]" : "",
	    command->help[0] != '\0' ? command->help : command->summary,
	    command->help[0] != '\0' ? "" : "\n");
	if (command->takes[0] != '\0')
		fputc('\n', out);
	for (i = 0; i < ctl_options_len; i++) {
		option = &ctl_options[i];
		if (!command_takes(command, option->name))
			continue;
		width = (int)(15 - strlen(option->name));
		fprintf(out, "  --%s %-*s%s\n", option->name, width,
		    option->value != NULL ? option->value : "",
		    option->meaning);
	}
}
