/* SPDX-License-Identifier: MIT */
/* Faults and refusals: a code, a text for the operator, a text for the
   client. Nothing here allocates: a fault can always be reported. */
#include "config.h"

#include "wuts/fault.h"

#include "wuts/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Texts are cut to their room, never inside a character. */
static void
copy_cut(char *out, size_t size, const char *text)
{
	size_t len = utf8_prefix_len(text, size - 1);

	memcpy(out, text, len);
	out[len] = '\0';
}

/* As vsnprintf(), which may cut inside a character. */
static void __attribute__((format(printf, 3, 0)))
print_cut(char *out, size_t size, const char *fmt, va_list ap)
{
	size_t len, begin, left;
	int whole;

	whole = vsnprintf(out, size, fmt, ap);
	if (whole < 0 || (size_t)whole < size)
		return;
	len = size - 1;
	for (begin = len; begin > 0 && len - begin < 4; begin--) {
		if (((unsigned char)out[begin - 1] & 0xc0) == 0x80)
			continue;
		left = len - (begin - 1);
		if (utf8_sequence_len(out + begin - 1, left) != left)
			out[begin - 1] = '\0';
		return;
	}
}

static void
append_cut(char *out, size_t size, const char *text)
{
	size_t len = strlen(out);

	copy_cut(out + len, size - len, text);
}

void
fault_clear(struct fault *fault)
{
	fault->code = FAULT_NONE;
	fault->retry_after_s = 0;
	fault->text[0] = '\0';
	fault->said[0] = '\0';
	fault->nfields = 0;
}

int
fault_set(struct fault *fault, enum fault_code code, const char *fmt, ...)
{
	va_list ap;

	fault->code = code;
	va_start(ap, fmt);
	print_cut(fault->text, sizeof(fault->text), fmt, ap);
	va_end(ap);
	return -1;
}

int
fault_errno(struct fault *fault, enum fault_code code, const char *fmt, ...)
{
	int saved_errno = errno;
	va_list ap;

	fault->code = code;
	va_start(ap, fmt);
	print_cut(fault->text, sizeof(fault->text), fmt, ap);
	va_end(ap);
	append_cut(fault->text, sizeof(fault->text), ": ");
	append_cut(fault->text, sizeof(fault->text), strerror(saved_errno));
	errno = saved_errno;
	return -1;
}

int
fault_prefix(struct fault *fault, const char *fmt, ...)
{
	char text[sizeof(fault->text)];
	va_list ap;

	va_start(ap, fmt);
	print_cut(text, sizeof(text), fmt, ap);
	va_end(ap);
	append_cut(text, sizeof(text), ": ");
	append_cut(text, sizeof(text), fault->text);
	memcpy(fault->text, text, sizeof(text));
	return -1;
}

int
fault_say(struct fault *fault, enum fault_code code, const char *fmt, ...)
{
	va_list ap;

	fault->code = code;
	va_start(ap, fmt);
	print_cut(fault->said, sizeof(fault->said), fmt, ap);
	va_end(ap);
	if (fault->text[0] == '\0')
		copy_cut(fault->text, sizeof(fault->text), fault->said);
	return -1;
}

int
fault_add_field(struct fault *fault, const char *field, const char *message,
    const char *value)
{
	struct fault_field *f;

	fault->code = REFUSAL_VALIDATION;
	if (fault->nfields == FAULT_FIELDS_MAX)
		return -1;
	f = &fault->fields[fault->nfields++];
	copy_cut(f->field, sizeof(f->field), field);
	copy_cut(f->message, sizeof(f->message), message);
	copy_cut(f->value, sizeof(f->value), value == NULL ? "" : value);
	if (fault->text[0] == '\0') {
		append_cut(fault->text, sizeof(fault->text), f->field);
		append_cut(fault->text, sizeof(fault->text), ": ");
		append_cut(fault->text, sizeof(fault->text), f->message);
	}
	return -1;
}

int
fault_is_refusal(enum fault_code code)
{
	return code > FAULT_NONE && code < FAULT_INTERNAL;
}
