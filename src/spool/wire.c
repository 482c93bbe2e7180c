/* SPDX-License-Identifier: MIT */
/* Messages over a stream socket that never blocks: length, type, bytes. */
#include "config.h"

#include "shard_private.h"

#include "wuts/crypto.h"
#include "wuts/log.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BYTES ((size_t)64 << 10)
#define KEEP_BYTES ((size_t)1 << 20)

struct frame {
	uint32_t len;
	uint32_t type;
};

void
wire_init(struct wire *wire, int fd)
{
	memset(wire, 0, sizeof(*wire));
	wire->fd = fd;
}

static void
forget(struct strbuf *buf, size_t *done)
{
	if (buf->data != NULL)
		crypto_wipe(buf->data, buf->len);
	strbuf_deinit(buf);
	*done = 0;
}

void
wire_deinit(struct wire *wire)
{
	forget(&wire->in, &wire->in_done);
	forget(&wire->out, &wire->out_done);
	if (wire->fd >= 0)
		close(wire->fd);
	wire->fd = -1;
}

/* --- saying --- */

void
wire_begin(struct wire *wire, enum wire_type type, const void *head,
    size_t size)
{
	struct frame frame = { .len = 0, .type = type };

	wire->begun = wire->out.len;
	strbuf_append(&wire->out, &frame, sizeof(frame));
	strbuf_append(&wire->out, head, size);
}

void
wire_add(struct wire *wire, const void *data, size_t len)
{
	strbuf_append(&wire->out, data, len);
}

void
wire_add_text(struct wire *wire, const char *text)
{
	strbuf_append(&wire->out, text, strlen(text) + 1);
}

void
wire_end(struct wire *wire)
{
	size_t len = wire->out.len - wire->begun - sizeof(struct frame);
	uint32_t value = (uint32_t)len;

	wuts_assert(len <= UINT32_MAX);
	memcpy(wire->out.data + wire->begun + offsetof(struct frame, len),
	    &value, sizeof(value));
}

bool
wire_is_flushed(const struct wire *wire)
{
	return wire->out_done == wire->out.len;
}

/* All is said: give back what one large message took. */
static void
empty(struct wire *wire)
{
	if (wire->is_secret || wire->out.cap > KEEP_BYTES)
		forget(&wire->out, &wire->out_done);
	strbuf_reset(&wire->out);
	wire->out_done = 0;
	wire->is_secret = false;
}

int
wire_flush(struct wire *wire)
{
	ssize_t n;

	while (!wire_is_flushed(wire)) {
		n = send(wire->fd, wire->out.data + wire->out_done,
		    wire->out.len - wire->out_done,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0)
			wire->out_done += (size_t)n;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			return 0;
		else if (errno != EINTR)
			return -1;
	}
	if (wire->out.len > 0)
		empty(wire);
	return 0;
}

/* --- hearing --- */

/* What was taken makes room for what comes. */
static void
make_room(struct wire *wire)
{
	size_t left = wire->in.len - wire->in_done;

	if (wire->in_done > 0) {
		memmove(wire->in.data, wire->in.data + wire->in_done, left);
		wire->in.len = left;
		wire->in_done = 0;
	}
	if (left == 0 && wire->in.cap > KEEP_BYTES)
		forget(&wire->in, &wire->in_done);
	strbuf_reserve(&wire->in, RECEIVE_BYTES);
}

int
wire_receive(struct wire *wire)
{
	ssize_t n;

	make_room(wire);
	do
		n = recv(wire->fd, wire->in.data + wire->in.len,
		    RECEIVE_BYTES, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		wire->in.len += (size_t)n;
		wire->in.data[wire->in.len] = '\0';
		return 0;
	}
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
}

bool
wire_next(struct wire *wire, struct wire_message *message_r)
{
	size_t left = wire->in.len - wire->in_done;
	struct frame frame;

	if (left < sizeof(frame))
		return false;
	memcpy(&frame, wire->in.data + wire->in_done, sizeof(frame));
	if (left - sizeof(frame) < frame.len)
		return false;
	message_r->type = (enum wire_type)frame.type;
	message_r->data = wire->in.data + wire->in_done + sizeof(frame);
	message_r->len = frame.len;
	wire->in_done += sizeof(frame) + frame.len;
	return true;
}

bool
wire_take(struct wire_message *message, void *head_r, size_t size)
{
	if (message->len < size)
		return false;
	memcpy(head_r, message->data, size);
	message->data += size;
	message->len -= size;
	return true;
}

const char *
wire_take_text(struct wire_message *message)
{
	const char *text = message->data;
	size_t len = strnlen(text, message->len);

	if (len == message->len)
		return NULL;
	message->data += len + 1;
	message->len -= len + 1;
	return text;
}
