-- SPDX-License-Identifier: MIT
-- The delivery log: one row an event that was tried, written by the spooler in
-- batches. No foreign key: rows are many and short-lived, and one that comes
-- late must not hold up the others of its batch.
--
-- attempts is a JSON array as the API shows it; answer is how the last answer
-- began that was no success. Both lists are read from the newest.

CREATE TABLE IF NOT EXISTS delivery (
	tenant_id BINARY(16) NOT NULL,
	id BINARY(16) NOT NULL,
	device_id BINARY(16) NOT NULL,
	event VARCHAR(63) NOT NULL,
	state VARCHAR(16) NOT NULL,
	attempt SMALLINT UNSIGNED NOT NULL,
	attempts TEXT NOT NULL,
	answer TEXT NULL,
	next_attempt_at DATETIME(6) NULL,
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	PRIMARY KEY (tenant_id, id),
	KEY delivery_list (tenant_id, device_id, created_at, id),
	KEY delivery_state (tenant_id, device_id, state, created_at, id),
	KEY delivery_updated (updated_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
