/* SPDX-License-Identifier: MIT */
/* What root makes for the user that it is about to become: directories, the
   socket, the log file. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/settings.h"

#include "wutsd_private.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

/* A name that does not exist is privilege_drop()'s to complain about. */
static bool
find_owner(const struct settings *settings, uid_t *uid_r, gid_t *gid_r)
{
	const struct passwd *user;
	const struct group *group;

	if (geteuid() != 0 || settings->user == NULL ||
	    settings->user[0] == '\0')
		return false;
	user = getpwnam(settings->user);
	if (user == NULL)
		return false;
	*uid_r = user->pw_uid;
	*gid_r = user->pw_gid;
	if (settings->group == NULL || settings->group[0] == '\0')
		return true;
	group = getgrnam(settings->group);
	if (group == NULL)
		return false;
	*gid_r = group->gr_gid;
	return true;
}

int
owner_give(const struct settings *settings, const char *path,
    struct fault *fault)
{
	uid_t uid;
	gid_t gid;

	if (find_owner(settings, &uid, &gid) && lchown(path, uid, gid) < 0)
		return fault_errno(fault, FAULT_IO, "chown %s", path);
	return 0;
}

/* A directory that exists keeps its owner: that was the operator's choice. */
int
owner_make_dir(const struct settings *settings, const char *path, mode_t mode,
    struct fault *fault)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return 0;
	if (file_make_dirs(path, mode, fault) < 0)
		return -1;
	return owner_give(settings, path, fault);
}
