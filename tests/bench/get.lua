-- SPDX-License-Identifier: MIT
-- GET with a token: one "token path" line of BENCH_TARGETS after another.
local targets, at = {}, 0
function init()
	for line in io.lines(os.getenv("BENCH_TARGETS")) do
		local token, path = line:match("^(%S+) (%S+)$")
		targets[#targets + 1] = wrk.format("GET", path,
		    { Authorization = "Bearer " .. token })
	end
end
function request()
	at = at % #targets + 1
	return targets[at]
end
