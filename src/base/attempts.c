/* SPDX-License-Identifier: MIT */
/* Failed authentications per address: a mapped table of two words a slot, the
   address's hash and its window with the count in it. */
#include "config.h"

#include "wuts/attempts.h"

#include "wuts/clock.h"
#include "wuts/mem.h"
#include "base_private.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 4096
#define COUNT_BITS 24
#define COUNT_MAX ((UINT64_C(1) << COUNT_BITS) - 1)

struct slot {
	_Atomic uint64_t address_hash;
	_Atomic uint64_t window;	/* start in seconds, then the count */
};

struct attempts {
	struct slot *slots;
	unsigned limit;
	unsigned window_s;
};

int
attempts_open(struct attempts **attempts_r, const char *path, unsigned limit,
    unsigned window_s, struct fault *fault)
{
	struct attempts *attempts = mem_calloc(1, sizeof(*attempts));

	attempts->limit = limit;
	attempts->window_s = window_s;
	attempts->slots = mapping_open(path, SLOTS * sizeof(struct slot),
	    fault);
	if (attempts->slots == NULL) {
		attempts_close(&attempts);
		return -1;
	}
	*attempts_r = attempts;
	return 0;
}

void
attempts_close(struct attempts **attemptsp)
{
	if (*attemptsp == NULL)
		return;
	mapping_close((*attemptsp)->slots, SLOTS * sizeof(struct slot));
	free(*attemptsp);
	*attemptsp = NULL;
}

/* Seconds since the window began, or -1 when it has passed. A clock that went
   back ends it too. */
static int64_t
age_of(const struct attempts *attempts, uint64_t window, int64_t now_s)
{
	int64_t age = now_s - (int64_t)(window >> COUNT_BITS);

	return age >= 0 && age < attempts->window_s ? age : -1;
}

unsigned
attempts_wait_s(const struct attempts *attempts, const char *address,
    int64_t now_us)
{
	uint64_t hash = hash_bytes(address, strlen(address)), window;
	struct slot *slot = &attempts->slots[hash % SLOTS];
	int64_t age;

	if (attempts->limit == 0 || atomic_load(&slot->address_hash) != hash)
		return 0;
	window = atomic_load(&slot->window);
	age = age_of(attempts, window, now_us / CLOCK_SECOND_US);
	if (age < 0 || (window & COUNT_MAX) < attempts->limit)
		return 0;
	return (unsigned)(attempts->window_s - age);
}

/* One more; the window as it is then. */
static uint64_t
count(struct attempts *attempts, const char *name, int64_t now_s)
{
	uint64_t hash = hash_bytes(name, strlen(name)), old, new;
	struct slot *slot = &attempts->slots[hash % SLOTS];

	if (atomic_exchange(&slot->address_hash, hash) != hash)
		atomic_store(&slot->window, 0);
	old = atomic_load(&slot->window);
	do {
		if (age_of(attempts, old, now_s) < 0)
			new = (uint64_t)now_s << COUNT_BITS | 1;
		else if ((old & COUNT_MAX) < COUNT_MAX)
			new = old + 1;
		else
			return old;
	} while (!atomic_compare_exchange_weak(&slot->window, &old, new));
	return new;
}

void
attempts_count_failure(struct attempts *attempts, const char *address,
    int64_t now_us)
{
	(void)count(attempts, address, now_us / CLOCK_SECOND_US);
}

unsigned
attempts_take(struct attempts *attempts, const char *name, unsigned limit,
    int64_t now_us)
{
	int64_t now_s = now_us / CLOCK_SECOND_US, age;
	uint64_t window = count(attempts, name, now_s);

	if ((window & COUNT_MAX) <= limit)
		return 0;
	age = age_of(attempts, window, now_s);
	return age < 0 ? 0 : (unsigned)(attempts->window_s - age);
}

void
attempts_forget(struct attempts *attempts, const char *address)
{
	uint64_t hash = hash_bytes(address, strlen(address));
	struct slot *slot = &attempts->slots[hash % SLOTS];

	if (atomic_load(&slot->address_hash) == hash)
		atomic_store(&slot->window, 0);
}
