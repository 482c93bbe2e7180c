/* SPDX-License-Identifier: MIT */
/* multipart/form-data, cut up while it arrives. What is held is at most one
   piece that was just read, the headers of one part, the text of one field and
   the one file that was asked for. Strict where RFC 2046 leaves room: no
   preamble, no folded headers, nothing but blanks behind a boundary; a sender
   that means well does none of that, and what parsers disagree about is what
   attackers send. */
#include "config.h"

#include "wuts/multipart.h"

#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/utf8.h"

#include <string.h>
#include <strings.h>

static int
refuse(struct fault *fault, const char *why)
{
	return fault_say(fault, REFUSAL_VALIDATION, "malformed form: %s", why);
}

/* --- header values: words and quoted strings --- */

/* What a name of a parameter, and a value without quotes, is made of. */
static bool
is_token_char(char c)
{
	return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static size_t
token_len(const char *text)
{
	size_t len = 0;

	while (is_token_char(text[len]))
		len++;
	return len;
}

static const char *
skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

struct parameter {
	const char *name;
	size_t name_len;
	const char *value;	/* without quotes */
	size_t value_len;
};

/* The next "; name=value" at *textp. 1; 0: there is none; -1: malformed. */
static int
next_parameter(const char **textp, struct parameter *p)
{
	const char *text = skip_blanks(*textp);

	if (*text == '\0')
		return 0;
	if (*text++ != ';')
		return -1;
	text = skip_blanks(text);
	if (*text == '\0') {		/* a last ';' is nobody's mistake */
		*textp = text;
		return 0;
	}
	p->name = text;
	p->name_len = token_len(text);
	text += p->name_len;
	if (p->name_len == 0 || *text++ != '=')
		return -1;
	if (*text == '"') {
		p->value = ++text;
		p->value_len = strcspn(text, "\"");
		text += p->value_len;
		if (*text++ != '"')
			return -1;
	} else {
		p->value = text;
		p->value_len = token_len(text);
		text += p->value_len;
		if (p->value_len == 0)
			return -1;
	}
	*textp = text;
	return 1;
}

static bool
is_named(const struct parameter *p, const char *name)
{
	return p->name_len == strlen(name) &&
	    strncasecmp(p->name, name, p->name_len) == 0;
}

/* Does text begin with this word, which ends there? */
static bool
begins_with(const char *text, const char *word, const char **rest_r)
{
	size_t len = strlen(word);

	if (strncasecmp(text, word, len) != 0)
		return false;
	*rest_r = skip_blanks(text + len);
	return **rest_r == '\0' || **rest_r == ';';
}

static bool
is_boundary(const char *text, size_t len)
{
	static const char others[] = "'()+_,-./:=? ";

	if (len == 0 || len > MULTIPART_BOUNDARY_MAX || text[len - 1] == ' ')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= '0' && text[i] <= '9') ||
		    (text[i] >= 'A' && text[i] <= 'Z') ||
		    (text[i] >= 'a' && text[i] <= 'z') ||
		    (text[i] != '\0' && strchr(others, text[i]) != NULL)))
			return false;
	return true;
}

static int
take_boundary(struct multipart *m, const char *content_type,
    struct fault *fault)
{
	const char *rest = NULL;
	struct parameter p;
	int got;

	if (!begins_with(skip_blanks(content_type), "multipart/form-data",
	    &rest))
		return fault_say(fault, REFUSAL_MEDIA_TYPE,
		    "Content-Type must be multipart/form-data");
	while ((got = next_parameter(&rest, &p)) == 1) {
		if (!is_named(&p, "boundary"))
			continue;
		if (m->delimiter_len > 0 ||
		    !is_boundary(p.value, p.value_len))
			return refuse(fault, "its boundary is none");
		memcpy(m->delimiter, "\r\n--", 4);
		memcpy(m->delimiter + 4, p.value, p.value_len);
		m->delimiter_len = p.value_len + 4;
	}
	if (got < 0 || m->delimiter_len == 0)
		return refuse(fault, "it has no boundary");
	return 0;
}

int
multipart_init(struct multipart *m, struct arena *arena,
    const char *content_type, size_t body_max,
    const struct multipart_field *fields, size_t nfields,
    struct multipart_value *values_r, struct fault *fault)
{
	memset(m, 0, sizeof(*m));
	memset(values_r, 0, nfields * sizeof(values_r[0]));
	m->arena = arena;
	m->fields = fields;
	m->nfields = nfields;
	m->values = values_r;
	for (size_t i = 0; i < nfields; i++)
		if (fields[i].is_file)
			m->file_cap = fields[i].max > 0 &&
			    fields[i].max < body_max ? fields[i].max :
			    body_max;
	if (take_boundary(m, content_type, fault) < 0)
		return -1;
	/* The first boundary has no line before it: give it one. */
	strbuf_append(&m->in, "\r\n", 2);
	return 0;
}

void
multipart_deinit(struct multipart *m)
{
	strbuf_deinit(&m->in);
	strbuf_deinit(&m->text);
}

/* --- the headers of a part --- */

/* %22, %0D and %0A are what a quote and the ends of lines are sent as; no
   other escape is one. */
static const char *
unescape(struct arena *arena, const char *text, size_t len)
{
	char *out = arena_alloc(arena, len + 1), *p = out;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%' && len - i >= 3 &&
		    strncasecmp(text + i, "%22", 3) == 0)
			*p++ = '"';
		else if (text[i] == '%' && len - i >= 3 &&
		    strncasecmp(text + i, "%0d", 3) == 0)
			*p++ = '\r';
		else if (text[i] == '%' && len - i >= 3 &&
		    strncasecmp(text + i, "%0a", 3) == 0)
			*p++ = '\n';
		else {
			*p++ = text[i];
			continue;
		}
		i += 2;
	}
	return out;
}

static int
take_disposition(struct multipart *m, const char *value, bool *has_file_r,
    struct fault *fault)
{
	const char *rest = NULL;
	struct parameter p;
	int got;

	if (m->name != NULL)
		return refuse(fault, "a part has two names");
	if (!begins_with(value, "form-data", &rest))
		return refuse(fault, "a part is no form-data");
	while ((got = next_parameter(&rest, &p)) == 1) {
		if (is_named(&p, "filename"))
			*has_file_r = true;
		if (!is_named(&p, "name"))
			continue;
		if (m->name != NULL)
			return refuse(fault, "a part has two names");
		if (p.value_len == 0 || !utf8_is_valid(p.value, p.value_len))
			return refuse(fault, "a part's name is no text");
		m->name = unescape(m->arena, p.value, p.value_len);
	}
	return got < 0 ? refuse(fault, "a part's name cannot be read") : 0;
}

static bool
is_identity_encoding(const char *value)
{
	return strcasecmp(value, "7bit") == 0 ||
	    strcasecmp(value, "8bit") == 0 || strcasecmp(value, "binary") == 0;
}

/* One line, without its end, NUL behind it. */
static int
take_header(struct multipart *m, char *line, bool *has_file_r,
    struct fault *fault)
{
	size_t len = token_len(line);
	char *value = line + len, *end;

	if (len == 0 || *value != ':')
		return refuse(fault, "a part's header is none");
	*value++ = '\0';
	value += strspn(value, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	if (strcasecmp(line, "Content-Disposition") == 0)
		return take_disposition(m, value, has_file_r, fault);
	if (strcasecmp(line, "Content-Type") == 0)
		m->type = arena_strdup(m->arena, value);
	else if (strcasecmp(line, "Content-Transfer-Encoding") == 0 &&
	    !is_identity_encoding(value))
		return refuse(fault, "a part is encoded");
	return 0;
}

static void
choose_field(struct multipart *m, bool has_file)
{
	m->field = NULL;
	for (size_t i = 0; i < m->nfields; i++)
		if (strcmp(m->fields[i].name, m->name) == 0)
			m->field = &m->fields[i];
	m->is_text = m->field != NULL ? !m->field->is_file : !has_file;
	strbuf_reset(&m->text);
	m->file_len = 0;
	if (m->field != NULL && m->field->is_file && m->file == NULL)
		m->file = arena_alloc(m->arena, m->file_cap + 1);
}

/* The header lines of a part, each ended by CR LF, in len bytes that may be
   written to. */
static int
take_headers(struct multipart *m, char *text, size_t len, struct fault *fault)
{
	char *end = text + len, *cr;
	bool has_file = false;

	m->name = NULL;
	m->type = "";
	if (memchr(text, '\0', len) != NULL)
		return refuse(fault, "a part's header holds a NUL");
	for (; text < end; text = cr + 2) {
		cr = memchr(text, '\r', (size_t)(end - text));
		if (cr == NULL || cr + 1 == end || cr[1] != '\n' ||
		    memchr(text, '\n', (size_t)(cr - text)) != NULL)
			return refuse(fault, "a part's header has no end");
		*cr = '\0';
		if (take_header(m, text, &has_file, fault) < 0)
			return -1;
	}
	if (m->name == NULL)
		return refuse(fault, "a part has no name");
	choose_field(m, has_file);
	return 0;
}

/* --- the data of a part --- */

static size_t
text_max(const struct multipart *m)
{
	return m->field != NULL && m->field->max > 0 ? m->field->max :
	    MULTIPART_TEXT_MAX;
}

static int
take_data(struct multipart *m, const char *data, size_t len,
    struct fault *fault)
{
	if (m->is_text) {
		if (len > text_max(m) - m->text.len)
			return fault_add_field(fault, m->name, "is too long",
			    NULL);
		strbuf_append(&m->text, data, len);
		return 0;
	}
	if (m->field == NULL)
		return 0;
	if (len > m->file_cap - m->file_len)
		return fault_say(fault, REFUSAL_PAYLOAD_TOO_LARGE,
		    "%s is larger than %zu bytes", m->field->name,
		    m->file_cap);
	if (len > 0)
		memcpy(m->file + m->file_len, data, len);
	m->file_len += len;
	return 0;
}

static int
end_part(struct multipart *m, struct fault *fault)
{
	const char *text = m->text.data == NULL ? "" : m->text.data;
	struct multipart_value *value;

	if (m->is_text && (!utf8_is_valid(text, m->text.len) ||
	    memchr(text, '\0', m->text.len) != NULL))
		return fault_add_field(fault, m->name, "must be UTF-8 text",
		    NULL);
	if (m->field == NULL)
		return 0;
	value = &m->values[m->field - m->fields];
	value->type = m->type;
	if (m->is_text) {
		value->data = arena_memdup(m->arena, text, m->text.len);
		value->len = m->text.len;
		return 0;
	}
	m->file[m->file_len] = '\0';
	value->data = m->file;
	value->len = m->file_len;
	return 0;
}

/* --- the machine: each step takes what it understands from the front of
   m->in. 1: it took something; 0: it needs more; -1 --- */

static void
drop(struct multipart *m, size_t len)
{
	m->in.len -= len;
	memmove(m->in.data, m->in.data + len, m->in.len + 1);
}

static int
step_start(struct multipart *m, struct fault *fault)
{
	/* Empty lines before the first boundary are common enough. */
	while (m->in.len >= 4 && memcmp(m->in.data, "\r\n\r\n", 4) == 0)
		drop(m, 2);
	if (m->in.len < m->delimiter_len)
		return 0;
	if (memcmp(m->in.data, m->delimiter, m->delimiter_len) != 0)
		return refuse(fault, "it does not begin with its boundary");
	drop(m, m->delimiter_len);
	m->state = MULTIPART_DELIMITER;
	return 1;
}

/* Behind a boundary: "--" closes; else blanks up to the line's end. */
static int
step_delimiter(struct multipart *m, struct fault *fault)
{
	size_t n;

	if (m->in.len < 2)
		return 0;
	if (memcmp(m->in.data, "--", 2) == 0) {
		drop(m, 2);
		m->state = MULTIPART_CLOSED;
		return 1;
	}
	n = strspn(m->in.data, " \t");
	if (n > MULTIPART_HEADERS_MAX)
		return refuse(fault, "a boundary has no end");
	if (m->in.len - n < 2)
		return 0;
	if (memcmp(m->in.data + n, "\r\n", 2) != 0)
		return refuse(fault, "a boundary has something behind it");
	if (++m->nparts > MULTIPART_PARTS_MAX)
		return refuse(fault, "it has more than 64 parts");
	/* The line's end stays: with it an empty line ends the headers, even
	   where there are none. */
	drop(m, n);
	m->state = MULTIPART_HEADERS;
	return 1;
}

static int
step_headers(struct multipart *m, struct fault *fault)
{
	const char *end = memmem(m->in.data, m->in.len, "\r\n\r\n", 4);
	size_t len;

	if (end == NULL && m->in.len <= MULTIPART_HEADERS_MAX + 4)
		return 0;
	len = end == NULL ? m->in.len : (size_t)(end - m->in.data);
	if (len > MULTIPART_HEADERS_MAX)
		return refuse(fault, "a part's headers are too long");
	if (take_headers(m, m->in.data + 2, len, fault) < 0)
		return -1;
	drop(m, len + 4);
	m->state = MULTIPART_DATA;
	return 1;
}

static int
step_data(struct multipart *m, struct fault *fault)
{
	const char *end = memmem(m->in.data, m->in.len, m->delimiter,
	    m->delimiter_len);
	size_t len;

	if (end == NULL) {
		/* All but what may be the start of a boundary. */
		if (m->in.len < m->delimiter_len)
			return 0;
		len = m->in.len - m->delimiter_len + 1;
		if (take_data(m, m->in.data, len, fault) < 0)
			return -1;
		drop(m, len);
		return 0;
	}
	len = (size_t)(end - m->in.data);
	if (take_data(m, m->in.data, len, fault) < 0 ||
	    end_part(m, fault) < 0)
		return -1;
	drop(m, len + m->delimiter_len);
	m->state = MULTIPART_DELIMITER;
	return 1;
}

/* Behind the last boundary: blanks, and then nothing, or a line's end and
   whatever the sender likes. */
static int
step_closed(struct multipart *m, struct fault *fault)
{
	size_t n = strspn(m->in.data, " \t");

	drop(m, n);
	if (m->in.len < 2)
		return 0;
	if (memcmp(m->in.data, "\r\n", 2) != 0)
		return refuse(fault,
		    "the last boundary has something behind it");
	m->state = MULTIPART_EPILOGUE;
	return 1;
}

static int
step(struct multipart *m, struct fault *fault)
{
	switch (m->state) {
	case MULTIPART_START:
		return step_start(m, fault);
	case MULTIPART_DELIMITER:
		return step_delimiter(m, fault);
	case MULTIPART_HEADERS:
		return step_headers(m, fault);
	case MULTIPART_DATA:
		return step_data(m, fault);
	case MULTIPART_CLOSED:
		return step_closed(m, fault);
	case MULTIPART_EPILOGUE:
		break;
	}
	strbuf_reset(&m->in);
	return 0;
}

int
multipart_feed(struct multipart *m, const char *data, size_t len,
    struct fault *fault)
{
	int did;

	strbuf_append(&m->in, data, len);
	do {
		did = step(m, fault);
	} while (did == 1);
	return did;
}

int
multipart_end(struct multipart *m, struct fault *fault)
{
	if (m->state == MULTIPART_EPILOGUE ||
	    (m->state == MULTIPART_CLOSED && m->in.len == 0))
		return 0;
	return refuse(fault, "it is cut off");
}
