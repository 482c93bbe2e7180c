/* SPDX-License-Identifier: MIT */
/* wutsctl queue retry and drop. Started as root they become the user that the
   programs run as, so that what they write is theirs to read. */
#include "config.h"

#include "queue_look.h"

#include "wuts/privilege.h"
#include "wuts/settings.h"

#include <stdio.h>

#define ASK_TIMEOUT_MS 15000

struct choice {
	struct queue_filter filter;
	struct uuid id;		/* nil: what the filter says */
	struct queue_mender *mender;
};

static bool
is_chosen(void *ctx, const struct queue_entry *entry)
{
	struct choice *choice = ctx;

	if (!uuid_is_nil(&choice->id))
		return uuid_is_equal(&choice->id, &entry->record.id);
	return queue_filter_wants(&choice->filter, entry);
}

static int
open_mender(struct choice *choice, const struct ctl *ctl,
    struct fault *fault)
{
	struct queue_limits limits = { .segment_bytes = 1 << 20 };
	struct settings *settings;
	int ret = -1;

	if (settings_load_paths(&settings, ctl->config, fault) < 0)
		return -1;
	limits.max_bytes = settings->queue_max_bytes;
	limits.disk_reserve = settings->queue_disk_reserve;
	if (privilege_drop(settings, fault) == 0)
		ret = queue_mender_open(&choice->mender, settings->queue_dir,
		    &limits, fault);
	settings_free(&settings);
	return ret;
}

/* status 0: say how many, in a word of JSON or a sentence. */
static int
tell(const struct ctl *ctl, const char *word, size_t n)
{
	if (ctl->json)
		printf("{\"%s\":%zu}\n", word, n);
	else
		printf("%zu event%s %s\n", n, n == 1 ? "" : "s", word);
	return CTL_OK;
}

struct retried {
	size_t letters;		/* put back */
	size_t waiting;		/* due now */
};

static int
tell_retried(const struct ctl *ctl, const struct retried *retried)
{
	if (ctl->json)
		printf("{\"replayed\":%zu,\"due\":%zu}\n",
		    retried->letters, retried->waiting);
	else if (retried->waiting > 0)
		puts("the event is due now");
	else
		return tell(ctl, "replayed", retried->letters);
	return CTL_OK;
}

/* A dead letter of this id goes back; else what waits with it is due. */
static int
hurry(struct choice *choice, const struct ctl *ctl, struct retried *retried,
    struct fault *fault)
{
	int waited = queue_mender_hurry(choice->mender, &choice->id,
	    ASK_TIMEOUT_MS, fault);

	if (waited == 0)
		return fault_set(fault, FAULT_CONFIG,
		    "no event %s waits or is a dead letter", ctl->args[0]);
	retried->waiting = waited > 0;
	return waited < 0 ? -1 : 0;
}

static int
retry(struct choice *choice, const struct ctl *ctl,
    struct retried *retried, struct fault *fault)
{
	size_t *n_r = &retried->letters;

	if ((ctl->args[0] != NULL) == ctl->dead)
		return fault_set(fault, FAULT_CONFIG,
		    "give the id of an event, or --dead for all dead"
		    " letters");
	if (queue_argument_id(ctl, &choice->id, fault) < 0 ||
	    queue_filter_parse(&choice->filter, ctl, fault) < 0 ||
	    open_mender(choice, ctl, fault) < 0)
		return -1;
	if (queue_mender_letters(choice->mender, QUEUE_LETTER_REPLAY,
	    is_chosen, choice, n_r, fault) < 0) {
		if (*n_r > 0)
			fault_prefix(fault, "after %zu events", *n_r);
		return -1;
	}
	return *n_r == 0 && !ctl->dead ?
	    hurry(choice, ctl, retried, fault) : 0;
}

int
ctl_queue_retry(const struct ctl *ctl)
{
	struct choice choice = { .mender = NULL };
	struct retried retried = { 0, 0 };
	struct fault fault;
	int ret;

	fault_clear(&fault);
	ret = retry(&choice, ctl, &retried, &fault);
	queue_mender_close(&choice.mender);
	return ret < 0 ? ctl_failed(&fault) : tell_retried(ctl, &retried);
}

static int
drop(struct choice *choice, const struct ctl *ctl, size_t *n_r,
    struct fault *fault)
{
	int waited;

	if (queue_argument_id(ctl, &choice->id, fault) < 0 ||
	    prompt_confirm(ctl, "The event will not be delivered",
	    ctl->args[0], fault) < 0 ||
	    open_mender(choice, ctl, fault) < 0)
		return -1;
	/* What waits first: as a dead letter it would still be there. */
	waited = queue_mender_drop(choice->mender, &choice->id,
	    ASK_TIMEOUT_MS, fault);
	if (waited < 0 || queue_mender_letters(choice->mender,
	    QUEUE_LETTER_DROP, is_chosen, choice, n_r, fault) < 0)
		return -1;
	*n_r += (size_t)waited;
	if (*n_r == 0)
		return fault_set(fault, FAULT_CONFIG,
		    "no event %s waits or is a dead letter", ctl->args[0]);
	return 0;
}

int
ctl_queue_drop(const struct ctl *ctl)
{
	struct choice choice = { .mender = NULL };
	struct fault fault;
	size_t n = 0;
	int ret;

	fault_clear(&fault);
	ret = drop(&choice, ctl, &n, &fault);
	queue_mender_close(&choice.mender);
	return ret < 0 ? ctl_failed(&fault) : tell(ctl, "dropped", n);
}
