-- SPDX-License-Identifier: MIT
-- What version 6 writes besides.
INSERT INTO delivery (tenant_id, id, device_id, event, state, attempt,
	attempts, answer, next_attempt_at, created_at, updated_at) VALUES
	(@t, @d, @d, 'message.received', 'retrying', 1, '[]', NULL, @at, @at,
	@at);
