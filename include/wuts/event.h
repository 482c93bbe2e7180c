/* SPDX-License-Identifier: MIT */
/* The event catalogue (spec/wuts.md §5) and sets of its names. */
#ifndef WUTS_EVENT_H
#define WUTS_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf;
struct uuid;

#define EVENT_NAME_MAX 63

/* Who may report it, and which webhook gets it. */
enum event_origin {
	EVENT_OF_ENGINE,	/* reported by the engine, to the device's webhook */
	EVENT_OF_TENANT		/* ours, to the tenant's webhook */
};

/* The engine's names come first, in the order of the specification, then
   ours. */
size_t event_count(enum event_origin origin);
/* index: 0 .. event_count(ENGINE) + event_count(TENANT) - 1. */
const char *event_name(size_t index);
enum event_origin event_origin(size_t index);
/* The index of name, or -1. */
int event_find(const char *name);

/* What a webhook may subscribe to: a catalogue name, all of one group
   ("message.*"), or everything ("*"). */
#define EVENT_PATTERN_LIMIT 256
/* Each has its number below EVENT_PATTERN_LIMIT. -1: none of these. */
int event_pattern_find(const char *pattern);

/* A set of catalogue names, as bits by index; all set: also names that a later
   release adds ("*"). */
struct event_set {
	bool all;
	uint64_t bits[2];
};
/* Add what a pattern stands for. False: it is none. */
bool event_set_add(struct event_set *set, const char *pattern);
bool event_set_has(const struct event_set *set, size_t index);

/* The body of a delivery, one line of compact JSON (spec §6). tenant-level
   events: device_id NULL, sent as null. */
void event_body_format(struct strbuf *out, const struct uuid *id,
    const char *event, int64_t timestamp_us, const struct uuid *tenant_id,
    const struct uuid *device_id, const char *data, size_t data_len);

/* The same of an event of the Wacht dialect (spec/wacht.md §5.1), whose readers
   look at "type", "timestamp" with milliseconds, and "data". */
void event_body_format_typed(struct strbuf *out, const struct uuid *id,
    const char *event, int64_t timestamp_us, const struct uuid *tenant_id,
    const char *data, size_t data_len);

#endif
