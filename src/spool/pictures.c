/* SPDX-License-Identifier: MIT */
/* Files of pictures that no row names: what a crash has left between writing a
   file and committing its row, or between dropping a row and removing its
   file, and the files of tenants that were deleted. A file younger than an
   hour may have a transaction yet to come, so it is left alone; an older one
   without a row will never have one, since every upload gets a new name. */
#include "config.h"

#include "lookup.h"

#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/picture_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define YOUNG_S 3600
#define FOLDERS 256
/* What one call may take of the thread that looks webhooks up. */
#define SLICE_US 50000

static bool
is_old(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) &&
	    (int64_t)st.st_mtime + YOUNG_S <=
	    clock_wall_us() / CLOCK_SECOND_US;
}

/* Does no row name this file? A name that is not one of ours is that of a file
   that was being written. 1 / 0 / -1. */
static int
is_orphan(struct db *db, unsigned folder, const char *file,
    struct fault *fault)
{
	char name[PICTURE_NAME_MAX + 1];
	int used;

	if (strlen(file) > PICTURE_NAME_MAX - 3)
		return 1;
	(void)snprintf(name, sizeof(name), "%02x/%.44s", folder, file);
	if (!picture_name_is_ours(name))
		return 1;
	used = picture_store_is_used_any_tenant(db, name, fault);
	return used < 0 ? -1 : used == 0;
}

static int
sweep_open(struct db *db, DIR *dir, unsigned folder, struct fault *fault)
{
	const struct dirent *entry;
	int orphan;

	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' ||
		    !is_old(dirfd(dir), entry->d_name))
			continue;
		orphan = is_orphan(db, folder, entry->d_name, fault);
		if (orphan < 0)
			return -1;
		if (orphan == 1 &&
		    unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			log_warn("remove picture %02x/%s: %s", folder,
			    entry->d_name, strerror(errno));
		else if (orphan == 1)
			log_info("picture %02x/%s was nobody's: removed",
			    folder, entry->d_name);
	}
	return 0;
}

static int
sweep_folder(struct db *db, const char *picture_dir, unsigned folder,
    struct fault *fault)
{
	struct arena *arena = arena_new();
	const char *path = arena_printf(arena, "%s/%02x", picture_dir,
	    folder);
	DIR *dir = opendir(path);
	int ret = 0;

	if (dir != NULL) {
		ret = sweep_open(db, dir, folder, fault);
		(void)closedir(dir);
	} else if (errno != ENOENT) {
		log_warn("open %s: %s", path, strerror(errno));
	}
	arena_free(&arena);
	return ret;
}

int
pictures_sweep(struct db *db, const char *picture_dir, unsigned *folder,
    struct fault *fault)
{
	int64_t until_us = clock_mono_us() + SLICE_US;

	for (unsigned n = 0; n < FOLDERS && clock_mono_us() < until_us; n++) {
		if (sweep_folder(db, picture_dir, *folder, fault) < 0)
			return fault_prefix(fault, "pictures");
		*folder = (*folder + 1) % FOLDERS;
	}
	return 0;
}
