/* SPDX-License-Identifier: MIT */
/* Pictures as files. The order is what keeps row and file together: the file
   is on disk before the row that names it commits, and goes after the row that
   dropped it has. A crash in between leaves a file without a row, never a row
   without a file; src/spool/pictures.c removes such files. */
#include "config.h"

#include "wuts/picture_service.h"

#include "picture_private.h"
#include "service_private.h"
#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/log.h"
#include "wuts/picture_store.h"
#include "wuts/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIELD "profile_image"
#define FOLDER_MODE 0755	/* nginx is somebody else */
#define FILE_MODE 0644

static bool
is_empty(const struct picture_upload *upload)
{
	return upload == NULL || upload->data == NULL || upload->len == 0;
}

void
picture_check(const struct settings *settings,
    const struct picture_upload *upload, struct fault *fault)
{
	if (is_empty(upload))
		return;
	if (settings->picture_url[0] == '\0')
		fault_add_field(fault, FIELD,
		    "cannot be kept: this server has no pictures", NULL);
	else if (!picture_type_is_welcome(upload->type))
		fault_add_field(fault, FIELD,
		    "must be JPEG, PNG, GIF, WebP or ICO", upload->type);
	else if (picture_format_of(upload->data, upload->len) == PICTURE_NONE)
		fault_add_field(fault, FIELD,
		    "is not a JPEG, PNG, GIF, WebP or ICO file", NULL);
}

const char *
picture_url(const struct settings *settings, struct arena *arena,
    const char *name)
{
	if (name[0] == '\0')
		return "";
	return arena_printf(arena, "%s/%s", settings->picture_url, name);
}

/* The folder of the first two digits. A new one is synced into its parent: the
   file's own sync does not reach that far. */
static int
make_folder(const char *dir, const char *folder, struct fault *fault)
{
	int fd, ret = 0;

	if (mkdir(folder, FOLDER_MODE) < 0) {
		if (errno == EEXIST)
			return 0;
		if (errno != ENOENT)
			return fault_errno(fault, FAULT_IO, "make %s", folder);
		if (file_make_dirs(dir, FOLDER_MODE, fault) < 0)
			return -1;
		if (mkdir(folder, FOLDER_MODE) < 0 && errno != EEXIST)
			return fault_errno(fault, FAULT_IO, "make %s", folder);
	}
	/* Whatever the umask says. */
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (chmod(folder, FOLDER_MODE) < 0 || fd < 0 || fsync(fd) < 0)
		ret = fault_errno(fault, FAULT_IO, "sync %s", dir);
	if (fd >= 0)
		close(fd);
	return ret;
}

int
picture_prepare(struct service *service, const struct picture_upload *upload,
    struct picture_change *picture, struct fault *fault)
{
	const char *dir = service->settings->picture_dir;
	struct arena *arena;
	uint8_t random[16];
	int ret;

	picture->name[0] = '\0';
	picture->old_name[0] = '\0';
	if (picture->is_removed || is_empty(upload))
		return 0;
	arena = arena_new();
	crypto_random(random, sizeof(random));
	picture_name_format(random, picture_format_of(upload->data,
	    upload->len), picture->name);
	ret = make_folder(dir, arena_printf(arena, "%s/%.2s", dir,
	    picture->name), fault);
	if (ret == 0)
		ret = file_replace(arena_printf(arena, "%s/%s", dir,
		    picture->name), upload->data, upload->len, FILE_MODE,
		    fault);
	arena_free(&arena);
	if (ret < 0)
		picture->name[0] = '\0';
	return ret < 0 ? fault_prefix(fault, "keep picture") : 0;
}

int
picture_apply(struct change *change, const struct uuid *user_id,
    struct picture_change *picture, struct fault *fault)
{
	int had;

	picture->old_name[0] = '\0';
	if (!picture->is_removed && picture->name[0] == '\0')
		return 0;
	had = picture_store_find(change->db, &change->tenant_id, user_id,
	    picture->old_name, fault);
	if (had < 0)
		return fault_prefix(fault, "find picture");
	if (picture->is_removed)
		return had == 0 ? 0 : picture_store_delete(change->db,
		    &change->tenant_id, user_id, fault);
	if (picture_store_put(change->db, &change->tenant_id, user_id,
	    picture->name, change->now_us, fault) < 0)
		return fault_prefix(fault, "put picture");
	return 1;
}

/* Should this fail, the spooler tries again. */
static void
remove_file(const struct service *service, const char *name)
{
	struct arena *arena;
	const char *path;

	if (name[0] == '\0')
		return;
	arena = arena_new();
	path = arena_printf(arena, "%s/%s", service->settings->picture_dir,
	    name);
	if (unlink(path) < 0 && errno != ENOENT)
		log_warn("remove picture %s: %s", path, strerror(errno));
	arena_free(&arena);
}

int
picture_finish(struct service *service, const struct picture_change *picture,
    int ret, const struct fault *fault)
{
	if (ret == 0)
		remove_file(service, picture->old_name);
	else if (fault_is_refusal(fault->code))
		remove_file(service, picture->name);
	return ret;
}
