-- SPDX-License-Identifier: MIT
-- What version 7 writes besides.
INSERT INTO replay (id, tenant_id, device_id, event_id, since_at, until_at,
	done, replayed, created_at, updated_at) VALUES
	(@d, @t, @d, NULL, @at, @at, FALSE, 0, @at, @at);
