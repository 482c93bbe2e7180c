/* SPDX-License-Identifier: MIT */
/* A small file of fixed size, mapped shared. */
#include "config.h"

#include "base_private.h"

#include "wuts/fault.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void *
mapping_open(const char *path, size_t size, struct fault *fault)
{
	void *map = MAP_FAILED;
	struct stat st;
	int fd;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (fd < 0) {
		fault_errno(fault, FAULT_IO, "open %s", path);
		return NULL;
	}
	/* Two that make it at once both extend it to the same size. */
	if (fstat(fd, &st) == 0 && st.st_size != 0 &&
	    st.st_size != (off_t)size)
		fault_set(fault, FAULT_IO,
		    "%s has another size than this release's: stop all WUTS "
		    "processes and remove it", path);
	else if (ftruncate(fd, (off_t)size) < 0)
		fault_errno(fault, FAULT_IO, "extend %s", path);
	else if ((map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0)) == MAP_FAILED)
		fault_errno(fault, FAULT_IO, "map %s", path);
	close(fd);
	return map == MAP_FAILED ? NULL : map;
}

void
mapping_close(void *map, size_t size)
{
	if (map != NULL)
		munmap(map, size);
}
