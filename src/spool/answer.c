/* SPDX-License-Identifier: MIT */
/* The body of a receiver's answer. Its status has said all that counts, so it
   is read only to keep the connection usable: up to a size and for a time, of
   which drops that come one by one buy no more. Its beginning is kept as valid
   UTF-8 without control characters, for whoever owns the webhook. */
#include "config.h"

#include "answer.h"

#include "wuts/clock.h"
#include "wuts/strbuf.h"
#include "wuts/utf8.h"

#define READ_MAX ((size_t)64 * 1024)
#define KEEP_MAX ((size_t)4 * 1024)
#define DRIP_US (INT64_C(5) * CLOCK_SECOND_US)

void
answer_begin(struct answer *answer)
{
	answer->read = 0;
	answer->began_us = 0;
	strbuf_reset(&answer->text);
}

bool
answer_take(struct answer *answer, const char *data, size_t len,
    int64_t mono_us)
{
	size_t room = KEEP_MAX - answer->text.len;

	if (answer->began_us == 0)
		answer->began_us = mono_us;
	answer->read += len;
	strbuf_append(&answer->text, data, len < room ? len : room);
	return answer->read <= READ_MAX &&
	    mono_us - answer->began_us < DRIP_US;
}

static bool
is_control(const char *text, size_t n)
{
	unsigned char first = (unsigned char)text[0];

	/* U+0080 to U+009F, too. */
	return first < 0x20 || first == 0x7f ||
	    (n == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0);
}

/* In place: nothing gets longer. */
void
answer_end(struct answer *answer)
{
	char *text = answer->text.data;
	size_t len = answer->text.len, used = 0, n;

	for (size_t i = 0; i < len; i += n) {
		n = utf8_sequence_len(text + i, len - i);
		if (n == 0) {
			n = 1;
			text[used++] = '?';
		} else if (is_control(text + i, n)) {
			text[used++] = ' ';
		} else {
			for (size_t j = 0; j < n; j++)
				text[used++] = text[i + j];
		}
	}
	answer->text.len = used;
	if (text != NULL)
		text[used] = '\0';
}

void
answer_deinit(struct answer *answer)
{
	strbuf_deinit(&answer->text);
}

/* What an address is, and whether there is one, is nobody's business but the
   operator's: the messages of libcurl name addresses, ports and files. */
const char *
answer_explain(CURLcode code, bool refused)
{
	if (refused)
		return "the host has no address that may be connected to";
	switch (code) {
	case CURLE_OK:
		return "";
	case CURLE_UNSUPPORTED_PROTOCOL:
		return "plain http is not allowed";
	case CURLE_COULDNT_RESOLVE_HOST:
		return "the host name has no address";
	case CURLE_COULDNT_CONNECT:
		return "the host does not accept connections";
	case CURLE_OPERATION_TIMEDOUT:
		return "no answer in time";
	case CURLE_PEER_FAILED_VERIFICATION:
		return "the certificate cannot be verified";
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
		return "no common way to encrypt was found";
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return "the connection broke off";
	case CURLE_WEIRD_SERVER_REPLY:
		return "the answer was not HTTP";
	case CURLE_WRITE_ERROR:
		return "the answer was too long or came too slowly";
	default:
		return "the request failed";
	}
}
