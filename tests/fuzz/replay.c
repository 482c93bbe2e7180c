/* SPDX-License-Identifier: MIT */
/* replay FILE...: gives a fuzz target each file of its corpus, every prefix of
   it, and a few thousand small distortions, always the same ones. So the
   corpus is walked where there is no libFuzzer, with any sanitizer. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/strbuf.h"

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX ((size_t)1 << 20)
#define DISTORTIONS 2000

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void
give(const char *data, size_t len)
{
	/* A block of its own, so that a read behind it is seen. */
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, data, len);
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

/* Bytes changed, cut out, or said twice. */
static void
distort(const struct strbuf *input, uint32_t *seed)
{
	static const char telling[] = "\r\n-:;\"=%\0 \xff";
	struct strbuf text = STRBUF_INIT;
	size_t at, n;

	strbuf_append(&text, input->data, input->len);
	for (unsigned i = next_random(seed) % 4 + 1; i > 0 && text.len > 0;
	    i--) {
		at = next_random(seed) % text.len;
		n = next_random(seed) % 8;
		if (n > text.len - at)
			n = text.len - at;
		switch (next_random(seed) % 3) {
		case 0:
			text.data[at] = telling[next_random(seed) %
			    (sizeof(telling) - 1)];
			break;
		case 1:
			memmove(text.data + at, text.data + at + n,
			    text.len - at - n);
			text.len -= n;
			break;
		default:
			strbuf_reserve(&text, n);
			memmove(text.data + at + n, text.data + at,
			    text.len - at);
			text.len += n;
			break;
		}
	}
	give(text.data, text.len);
	strbuf_deinit(&text);
}

int
main(int argc, char **argv)
{
	struct strbuf input = STRBUF_INIT;
	struct fault fault;
	uint32_t seed;

	for (int i = 1; i < argc; i++) {
		strbuf_reset(&input);
		fault_clear(&fault);
		if (file_read(argv[i], INPUT_MAX, &input, &fault) < 0) {
			fprintf(stderr, "%s\n", fault.text);
			return 1;
		}
		for (size_t len = 0; len <= input.len;
		    len += 1 + input.len / 500)
			give(input.data, len);
		give(input.data, input.len);
		seed = (uint32_t)i;
		for (unsigned n = 0; n < DISTORTIONS; n++)
			distort(&input, &seed);
	}
	strbuf_deinit(&input);
	printf("%d inputs\n", argc - 1);
	return argc > 1 ? 0 : 1;
}
