/* SPDX-License-Identifier: MIT */
/* Giving up root: all three user and group ids at once, so that nothing is
   left to go back to, and that is tried before we believe it. */
#include "config.h"

#include "wuts/privilege.h"

#include "wuts/fault.h"
#include "wuts/settings.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static int
find_ids(const struct settings *settings, uid_t *uid_r, gid_t *gid_r,
    struct fault *fault)
{
	const struct passwd *user;
	const struct group *group;

	user = getpwnam(settings->user);
	if (user == NULL)
		return fault_set(fault, FAULT_CONFIG,
		    "user %s does not exist: create it or change the setting",
		    settings->user);
	*uid_r = user->pw_uid;
	*gid_r = user->pw_gid;
	if (settings->group == NULL || settings->group[0] == '\0')
		return 0;
	group = getgrnam(settings->group);
	if (group == NULL)
		return fault_set(fault, FAULT_CONFIG,
		    "group %s does not exist: create it or change the setting",
		    settings->group);
	*gid_r = group->gr_gid;
	return 0;
}

int
privilege_drop(const struct settings *settings, struct fault *fault)
{
	uid_t uid = 0;
	gid_t gid = 0;

	if (geteuid() != 0 || settings->user == NULL ||
	    settings->user[0] == '\0')
		return 0;
	if (find_ids(settings, &uid, &gid, fault) < 0)
		return -1;
	if (uid == 0)
		return 0;
	if (initgroups(settings->user, gid) < 0)
		return fault_errno(fault, FAULT_CONFIG,
		    "take the groups of user %s", settings->user);
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return fault_errno(fault, FAULT_CONFIG, "become user %s",
		    settings->user);
	if (setuid(0) == 0)
		return fault_set(fault, FAULT_CONFIG,
		    "user %s can become root again", settings->user);
	return 0;
}

void
privilege_hide_memory(void)
{
#ifndef SANITIZED
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
