/* SPDX-License-Identifier: MIT */
/* Measured numbers in the two forms that monitoring reads: JSON objects of
   metrics, and the text format of Prometheus, of the same names and labels. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/log.h"
#include "wuts/metric_text.h"
#include "wuts/strbuf.h"

#include "onprem_private.h"

#include <inttypes.h>
#include <string.h>

static int
choose_form(struct samples *s, struct fault *fault)
{
	const char *format = request_query(s->x, "format");

	s->is_text = format != NULL && strcmp(format, "prometheus") == 0;
	if (format == NULL || s->is_text || strcmp(format, "json") == 0)
		return 0;
	return fault_add_field(fault, "format", "must be json or prometheus",
	    format);
}

int
samples_begin(struct samples *s, struct exchange *x, const char *outer,
    const char *inner, struct fault *fault)
{
	*s = (struct samples) { .x = x, .is_nested = inner != NULL };
	if (choose_form(s, fault) < 0)
		return -1;
	if (s->is_text) {
		response_status(x, 200);
		response_header(x, "Content-Type", METRIC_TEXT_TYPE);
		return 0;
	}
	s->w = onprem_begin(x, 200);
	json_write_key(s->w, outer);
	json_write_object_begin(s->w);
	if (inner == NULL)
		return 0;
	json_write_key(s->w, inner);
	json_write_object_begin(s->w);
	return 0;
}

static void
end_metric(struct samples *s)
{
	if (!s->has_metric || s->is_text)
		return;
	json_write_array_end(s->w);
	json_write_object_end(s->w);
}

void
samples_metric(struct samples *s, const char *name, const char *type,
    const char *help)
{
	end_metric(s);
	s->has_metric = true;
	s->name = name;
	if (s->is_text) {
		/* Our own words: nothing in them needs an escape. */
		wuts_assert(strpbrk(help, "\\\n") == NULL);
		strbuf_printf(&s->x->response.body,
		    "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
		return;
	}
	json_write_key(s->w, name);
	json_write_object_begin(s->w);
	json_member_text(s->w, "type", type);
	json_member_text(s->w, "help", help);
	json_write_key(s->w, "data");
	json_write_array_begin(s->w);
}

static void
add_escaped(struct strbuf *out, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '\n') {
			strbuf_append_str(out, "\\n");
			continue;
		}
		if (*value == '\\' || *value == '"')
			strbuf_append_char(out, '\\');
		strbuf_append_char(out, *value);
	}
}

static void
add_as_text(struct samples *s, const struct sample_label *labels,
    size_t nlabels, uint64_t value)
{
	struct strbuf *out = &s->x->response.body;

	strbuf_append_str(out, s->name);
	for (size_t i = 0; i < nlabels; i++) {
		strbuf_printf(out, "%c%s=\"", i == 0 ? '{' : ',',
		    labels[i].name);
		add_escaped(out, labels[i].value);
		strbuf_append_char(out, '"');
	}
	strbuf_printf(out, "%s %" PRIu64 "\n", nlabels > 0 ? "}" : "", value);
}

void
samples_add(struct samples *s, const struct sample_label *labels,
    size_t nlabels, uint64_t value)
{
	for (size_t i = 1; i < nlabels; i++)
		wuts_assert(strcmp(labels[i - 1].name, labels[i].name) < 0);
	if (s->is_text) {
		add_as_text(s, labels, nlabels, value);
		return;
	}
	json_write_object_begin(s->w);
	if (nlabels > 0) {
		json_write_key(s->w, "labels");
		json_write_object_begin(s->w);
		for (size_t i = 0; i < nlabels; i++) {
			json_write_key(s->w, labels[i].name);
			json_write_string(s->w, labels[i].value);
		}
		json_write_object_end(s->w);
	}
	json_member_int(s->w, "value", (int64_t)value);
	json_write_object_end(s->w);
}

int
samples_end(struct samples *s)
{
	if (s->is_text)
		return 0;
	end_metric(s);
	if (s->is_nested)
		json_write_object_end(s->w);
	json_write_object_end(s->w);
	return onprem_end(s->x);
}
