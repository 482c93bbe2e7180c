/* SPDX-License-Identifier: MIT */
/* What a User-Agent says of itself; "" when it is not plain. */
#ifndef WUTS_AGENT_H
#define WUTS_AGENT_H

const char *agent_browser(const char *user_agent);
const char *agent_device(const char *user_agent);

#endif
