-- SPDX-License-Identifier: MIT
-- What version 4 writes besides.
INSERT INTO event_seen (tenant_id, id, seen_at) VALUES (@t, @d, @at);
