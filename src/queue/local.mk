# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libwuts_queue.a
libwuts_queue_a_SOURCES = \
	src/queue/adopt.c \
	src/queue/dead.c \
	src/queue/io.c \
	src/queue/outcome.c \
	src/queue/queue_private.h \
	src/queue/reader.c \
	src/queue/record.c \
	src/queue/scan.c \
	src/queue/segment.c \
	src/queue/status.c \
	src/queue/view.c \
	src/queue/writer.c \
	src/queue/writer_private.h \
	src/queue/writer_segment.c
EXTRA_DIST += doc/queue-format.md
