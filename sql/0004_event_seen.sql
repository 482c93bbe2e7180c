-- SPDX-License-Identifier: MIT
-- Ids that callers gave to their events and that were accepted. A row is there
-- only when the event is durable in the queue: it commits after the append. No
-- foreign key: rows are many, short-lived and swept.

CREATE TABLE IF NOT EXISTS event_seen (
	tenant_id BINARY(16) NOT NULL,
	id BINARY(16) NOT NULL,
	seen_at DATETIME(6) NOT NULL,
	PRIMARY KEY (tenant_id, id),
	KEY event_seen_at (seen_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
