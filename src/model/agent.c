/* SPDX-License-Identifier: MIT */
/* What a User-Agent says of itself, when it says it in one of the usual ways.
   It decides nothing: it helps a person to tell one log-in from another. */
#include "config.h"

#include "wuts/agent.h"

#include <string.h>

struct agent_word {
	const char *word;	/* somewhere in the header */
	const char *name;
};

/* In the order in which they hide each other: Edge calls itself Chrome, and
   Chrome calls itself Safari. */
static const struct agent_word browsers[] = {
	{ "Edg/", "Edge" },
	{ "OPR/", "Opera" },
	{ "SamsungBrowser/", "Samsung Internet" },
	{ "Firefox/", "Firefox" },
	{ "FxiOS/", "Firefox" },
	{ "Chrome/", "Chrome" },
	{ "CriOS/", "Chrome" },
	{ "Safari/", "Safari" },
	{ "curl/", "curl" }
};
static const struct agent_word devices[] = {
	{ "iPhone", "iPhone" },
	{ "iPad", "iPad" },
	{ "Android", "Android" },
	{ "Windows", "Windows" },
	{ "Macintosh", "Mac" },
	{ "CrOS", "Chromebook" },
	{ "Linux", "Linux" }
};

static const char *
find(const struct agent_word *words, size_t n, const char *user_agent)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(user_agent, words[i].word) != NULL)
			return words[i].name;
	return "";
}

const char *
agent_browser(const char *user_agent)
{
	return find(browsers, sizeof(browsers) / sizeof(browsers[0]),
	    user_agent);
}

const char *
agent_device(const char *user_agent)
{
	return find(devices, sizeof(devices) / sizeof(devices[0]),
	    user_agent);
}
