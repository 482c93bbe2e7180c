/* SPDX-License-Identifier: MIT */
/* wutsctl doctor: who the programs are, and the files and directories that they
   have to reach and others must not. */
#include "config.h"

#include "doctor.h"

#include "wuts/fault.h"
#include "wuts/secret.h"
#include "wuts/settings.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GENERATIONS_BYTES (4096 * 8)

uid_t
service_uid(const struct settings *settings)
{
	const struct passwd *user = NULL;

	if (settings->user[0] != '\0' && geteuid() == 0)
		user = getpwnam(settings->user);
	return user != NULL ? user->pw_uid : geteuid();
}

void
check_user(struct doctor *d)
{
	const char *user = d->settings->user;

	if (user[0] == '\0' && geteuid() == 0)
		report(d, VERDICT_WARN, "user", "set `user` to an account of"
		    " its own", "the programs would run as root");
	else if (user[0] != '\0' && geteuid() == 0 &&
	    getpwnam(user) == NULL)
		report(d, VERDICT_FAIL, "user", "create it (useradd --system)"
		    " or change the setting `user`", "%s does not exist",
		    user);
}

static void
check_secret_file(struct doctor *d, const char *what, const char *path)
{
	struct stat st;

	if (path[0] == '\0')
		return;
	if (secret_is_credential(path)) {
		report(d, VERDICT_OK, what, NULL, "%s", path);
		return;
	}
	if (stat(path, &st) < 0) {
		report(d, VERDICT_FAIL, what, errno == ENOENT ?
		    "run `wutsctl init`" : "let the programs' user read it",
		    "%s: %s", path, strerror(errno));
		return;
	}
	if ((st.st_mode & 0007) != 0)
		report(d, VERDICT_FAIL, what, "chmod 600 the file",
		    "%s is open to everybody", path);
	else if ((st.st_mode & 0070) != 0)
		report(d, VERDICT_WARN, what, "chmod 600 the file unless its"
		    " group is meant to read it",
		    "%s is open to its group", path);
	else if (st.st_uid != 0 && st.st_uid != service_uid(d->settings))
		report(d, VERDICT_WARN, what, "chown it to the setting"
		    " `user`", "%s belongs to somebody else", path);
	else
		report(d, VERDICT_OK, what, NULL, "%s", path);
}

bool
check_secrets(struct doctor *d)
{
	const struct settings *set = d->settings;
	struct settings *whole;
	struct fault fault;

	check_secret_file(d, "installation key", set->installation_key_file);
	check_secret_file(d, "master token", set->master_token_file);
	check_secret_file(d, "engine token", set->engine_token_file);
	check_secret_file(d, "database password",
	    set->database_password_file);
	fault_clear(&fault);
	if (settings_load(&whole, d->ctl->config, &fault) < 0) {
		report(d, VERDICT_FAIL, "secrets", "correct it, or run"
		    " `wutsctl init` when the file is missing", "%s",
		    fault.text);
		return false;
	}
	if (!whole->has_master_token)
		report(d, VERDICT_WARN, "master token", "set"
		    " master_token_file and run `wutsctl init`",
		    "none is set: nobody can register a tenant");
	/* From here on with the secrets: the database wants its password. */
	settings_free(&d->settings);
	d->settings = whole;
	return true;
}

bool
check_directory(struct doctor *d, const char *what, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		report(d, VERDICT_FAIL, what, "run `wutsctl init`", "%s: %s",
		    path, strerror(errno));
		return false;
	}
	if (!S_ISDIR(st.st_mode))
		report(d, VERDICT_FAIL, what, "remove it and run `wutsctl"
		    " init`", "%s is not a directory", path);
	else if (st.st_uid != service_uid(d->settings))
		report(d, VERDICT_FAIL, what, "chown it to the user that the"
		    " programs run as", "%s belongs to somebody else", path);
	else if (access(path, R_OK | W_OK | X_OK) < 0)
		report(d, VERDICT_FAIL, what, "chmod u+rwx it", "%s: %s",
		    path, strerror(errno));
	else {
		report(d, VERDICT_OK, what, NULL, "%s", path);
		return true;
	}
	return false;
}

void
check_run_dir(struct doctor *d)
{
	struct strbuf path = STRBUF_INIT;
	struct stat st;

	if (!check_directory(d, "run directory", d->settings->run_dir))
		return;
	strbuf_printf(&path, "%s/generations", d->settings->run_dir);
	if (stat(path.data, &st) < 0 && errno == ENOENT)
		report(d, VERDICT_WARN, "generations", "nothing: wutsd makes"
		    " it when it starts", "%s is not there yet", path.data);
	else if (stat(path.data, &st) < 0 || st.st_size != GENERATIONS_BYTES)
		report(d, VERDICT_FAIL, "generations", "stop wutsd and"
		    " wuts-spool, remove the file, start them",
		    "%s cannot be used", path.data);
	else
		report(d, VERDICT_OK, "generations", NULL, "%s", path.data);
	strbuf_deinit(&path);
}
