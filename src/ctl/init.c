/* SPDX-License-Identifier: MIT */
/* wutsctl init: makes what is missing, keeps what is there. A secret goes from
   the kernel's random numbers into its file, readable by its owner only, and
   nowhere else. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/mem.h"
#include "wuts/privilege.h"
#include "wuts/secret.h"
#include "wuts/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_BYTES 32
#define SAMPLE_MAX (1 << 20)

/* Who is to own what is made: the user that the programs become. */
struct owner {
	uid_t uid;
	gid_t gid;
	bool is_set;
};

static int
owner_find(const struct settings *settings, struct owner *owner_r,
    struct fault *fault)
{
	const struct passwd *user;
	const struct group *group;

	memset(owner_r, 0, sizeof(*owner_r));
	if (geteuid() != 0 || settings->user[0] == '\0')
		return 0;
	user = getpwnam(settings->user);
	if (user == NULL)
		return fault_set(fault, FAULT_CONFIG,
		    "user %s does not exist: create it (useradd --system %s)"
		    " or change the setting `user`", settings->user,
		    settings->user);
	owner_r->uid = user->pw_uid;
	owner_r->gid = user->pw_gid;
	owner_r->is_set = true;
	if (settings->group[0] == '\0')
		return 0;
	group = getgrnam(settings->group);
	if (group == NULL)
		return fault_set(fault, FAULT_CONFIG,
		    "group %s does not exist: create it (groupadd --system"
		    " %s) or change the setting `group`", settings->group,
		    settings->group);
	owner_r->gid = group->gr_gid;
	return 0;
}

/* The directories above what we make are shared with others: their owner and
   mode are nobody's in particular. */
static int
make_parent(const char *path, struct fault *fault)
{
	char *copy = mem_strdup(path);
	const char *dir = dirname(copy);
	struct stat st;
	int ret = 0;

	if (stat(dir, &st) < 0)
		ret = file_make_dirs(dir, 0755, fault);
	free(copy);
	return ret;
}

static int
make_directory(const char *path, mode_t mode, const struct owner *owner,
    struct fault *fault)
{
	struct stat st;

	if (stat(path, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			return fault_set(fault, FAULT_CONFIG,
			    "%s is not a directory: remove it, or name"
			    " another one", path);
		printf("kept     %s\n", path);
		return 0;
	}
	if (make_parent(path, fault) < 0 ||
	    file_make_dirs(path, mode, fault) < 0)
		return -1;
	if (owner->is_set && chown(path, owner->uid, owner->gid) < 0)
		return fault_errno(fault, FAULT_IO, "change the owner of %s",
		    path);
	printf("made     %s\n", path);
	return 0;
}

/* A file that is never overwritten: whatever was sealed with a key is lost
   with it. */
static int
write_secret(int fd, const char *path, const struct owner *owner,
    struct fault *fault)
{
	uint8_t bytes[SECRET_BYTES];
	char text[SECRET_BYTES * 2 + 2];
	int ret;

	crypto_random(bytes, sizeof(bytes));
	crypto_hex(bytes, sizeof(bytes), text);
	text[SECRET_BYTES * 2] = '\n';
	ret = file_write_all_at(fd, text, SECRET_BYTES * 2 + 1, 0);
	crypto_wipe(bytes, sizeof(bytes));
	crypto_wipe(text, sizeof(text));
	if (ret == 0 && owner->is_set)
		ret = fchown(fd, owner->uid, owner->gid);
	if (ret < 0 || fsync(fd) < 0)
		return fault_errno(fault, FAULT_IO, "write %s", path);
	return 0;
}

static int
make_secret(const char *path, const char *meaning, const struct owner *owner,
    struct fault *fault)
{
	int fd, ret;

	if (path[0] == '\0')
		return 0;
	if (secret_is_credential(path)) {
		printf("note     the %s is a credential: systemd has it\n",
		    meaning);
		return 0;
	}
	if (make_parent(path, fault) < 0)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0 && errno == EEXIST) {
		printf("kept     %s (%s)\n", path, meaning);
		return 0;
	}
	if (fd < 0)
		return fault_errno(fault, FAULT_IO, "make the %s %s", meaning,
		    path);
	ret = write_secret(fd, path, owner, fault);
	(void)close(fd);
	if (ret < 0)
		(void)unlink(path);
	else
		printf("made     %s (%s)\n", path, meaning);
	return ret;
}

/* A log can tell who does what: for its owner and group. */
static int
make_log_directory(const char *path, const struct owner *owner,
    struct fault *fault)
{
	char *copy = mem_strdup(path);
	int ret = 0;

	if (strcmp(path, "-") != 0)
		ret = make_directory(dirname(copy), 0750, owner, fault);
	free(copy);
	return ret;
}

static int
make_files(const struct settings *settings, struct fault *fault)
{
	struct owner owner;

	if (settings->installation_key_file[0] == '\0')
		return fault_set(fault, FAULT_CONFIG,
		    "installation_key_file is not set: name the file to make"
		    " in the configuration");
	/* run_dir is open to nginx on its way to the socket, pictures are for
	   nginx to serve; the queue holds messages. */
	if (owner_find(settings, &owner, fault) < 0 ||
	    make_directory(settings->run_dir, 0755, &owner, fault) < 0 ||
	    make_directory(settings->queue_dir, 0700, &owner, fault) < 0 ||
	    (settings->picture_url[0] != '\0' &&
	    make_directory(settings->picture_dir, 0755, &owner, fault) < 0) ||
	    make_log_directory(settings->log_file, &owner, fault) < 0 ||
	    make_secret(settings->installation_key_file, "installation key",
	    &owner, fault) < 0 ||
	    make_secret(settings->master_token_file, "master token", &owner,
	    fault) < 0 ||
	    make_secret(settings->engine_token_file, "engine token", &owner,
	    fault) < 0)
		return -1;
	return 0;
}

/* There is none: the sample, in which the database has to be named. 1: made;
   0: it was there; -1. */
static int
make_config(const char *path, struct fault *fault)
{
	struct strbuf text = STRBUF_INIT;
	struct stat st;
	int ret;

	if (stat(path, &st) == 0 || errno != ENOENT ||
	    stat(WUTS_SAMPLE, &st) < 0)
		return 0;	/* reading it says what is wrong */
	ret = file_read(WUTS_SAMPLE, SAMPLE_MAX, &text, fault);
	if (ret == 0)
		ret = make_parent(path, fault);
	if (ret == 0)
		ret = file_replace(path, text.data, text.len, 0644, fault);
	strbuf_deinit(&text);
	return ret < 0 ? -1 : 1;
}

int
ctl_init(const struct ctl *ctl)
{
	const char *config = settings_path(ctl->config);
	struct settings *settings;
	struct fault fault;
	int ret, status;

	fault_clear(&fault);
	ret = make_config(config, &fault);
	if (ret < 0)
		return ctl_failed(&fault);
	if (ret == 1) {
		printf("made     %s\n", config);
		(void)fflush(stdout);
		(void)fault_set(&fault, FAULT_CONFIG, "say in %s which"
		    " database to use (database_*), then run this again",
		    config);
		return ctl_failed(&fault);
	}
	if (settings_load_paths(&settings, ctl->config, &fault) < 0)
		return ctl_failed(&fault);
	ret = make_files(settings, &fault);
	settings_free(&settings);
	if (ret < 0 || settings_load(&settings, ctl->config, &fault) < 0)
		return ctl_failed(&fault);
	/* A database may know its user by the system's. */
	if (privilege_drop(settings, &fault) < 0) {
		settings_free(&settings);
		return ctl_failed(&fault);
	}
	status = ctl_apply_schema(ctl, settings);
	if (status == CTL_OK && !settings->has_master_token)
		printf("note     no master token is set: nobody can register"
		    " a tenant\n");
	settings_free(&settings);
	return status;
}
