-- SPDX-License-Identifier: MIT
-- One event a request, or BENCH_BATCH events; a body of 600 bytes an event.
local targets, at = {}, 0
function init()
	local batch = tonumber(os.getenv("BENCH_BATCH") or "1")
	local event = '{"event":"message.received","data":{"text":"' ..
	    string.rep("m", 550) .. '"}}'
	local body = event
	if batch > 1 then
		body = "[" .. string.rep(event .. ",", batch - 1) .. event .. "]"
	end
	for line in io.lines(os.getenv("BENCH_TARGETS")) do
		local token, path = line:match("^(%S+) (%S+)$")
		targets[#targets + 1] = wrk.format("POST", path .. "/events",
		    { Authorization = "Bearer " .. token,
		      ["Content-Type"] = "application/json" }, body)
	end
end
function request()
	at = at % #targets + 1
	return targets[at]
end
