-- SPDX-License-Identifier: MIT
-- Every request really changes a role: user and manager by turns.
local targets, at = {}, 0
function init()
	for line in io.lines(os.getenv("BENCH_TARGETS")) do
		local token, path = line:match("^(%S+) (%S+)$")
		local headers = { Authorization = "Bearer " .. token,
		    ["Content-Type"] = "application/json" }
		targets[#targets + 1] = { role = "manager",
		    user = wrk.format("POST", path .. "/promote", headers,
			'{"new_role":"user"}'),
		    manager = wrk.format("POST", path .. "/promote", headers,
			'{"new_role":"manager"}') }
	end
end
function request()
	at = at % #targets + 1
	local target = targets[at]
	local text = target[target.role]
	target.role = target.role == "user" and "manager" or "user"
	return text
end
