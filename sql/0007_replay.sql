-- SPDX-License-Identifier: MIT
-- Replays that were asked for: of one event, or of a webhook's dead letters of
-- events created in a time. The spooler does those that are not done.

CREATE TABLE IF NOT EXISTS replay (
	id BINARY(16) NOT NULL,
	tenant_id BINARY(16) NOT NULL,
	device_id BINARY(16) NOT NULL,
	event_id BINARY(16) NULL,
	since_at DATETIME(6) NOT NULL,
	until_at DATETIME(6) NOT NULL,
	done BOOLEAN NOT NULL,
	replayed BIGINT UNSIGNED NOT NULL,
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id),
	KEY replay_done (done, updated_at),
	CONSTRAINT replay_of_tenant FOREIGN KEY (tenant_id)
		REFERENCES tenant (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
