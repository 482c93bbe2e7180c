-- SPDX-License-Identifier: MIT
-- The first schema. For MySQL 8.0+ and MariaDB 10.6+ alike.
--
-- A statement ends with a semicolon at the end of its line. Data definition
-- cannot be rolled back, so every statement can run twice: after a failure,
-- correct the cause and migrate again.
--
-- Ids are BINARY(16) UUIDs, times DATETIME(6) in UTC written by the program.
-- What is unique in whatever case has a column *_key beside it, the text after
-- SQL LOWER(), compared byte by byte: collations differ between servers.

CREATE TABLE IF NOT EXISTS schema_migration (
	version INT UNSIGNED NOT NULL,
	name VARCHAR(100) NOT NULL,
	applied_at DATETIME(6) NOT NULL,
	PRIMARY KEY (version)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS tenant (
	id BINARY(16) NOT NULL,
	name VARCHAR(120) NOT NULL,
	name_key VARCHAR(120) NOT NULL,
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY tenant_name (name_key)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The key on role and active answers "another active admin?" without a look
-- at every user; the one on tenant and id gives lists their order, and devices
-- a foreign key that cannot cross tenants.
CREATE TABLE IF NOT EXISTS users (
	id BINARY(16) NOT NULL,
	tenant_id BINARY(16) NOT NULL,
	email VARCHAR(254) NOT NULL,
	email_key VARCHAR(254) NOT NULL,
	password_hash VARCHAR(160) NOT NULL,
	role VARCHAR(16) NOT NULL,
	active BOOLEAN NOT NULL,
	token_hash BINARY(32) NOT NULL,
	token_sealed VARBINARY(96) NOT NULL,
	pending_webhook_url VARCHAR(2048) NULL,
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY users_tenant (tenant_id, id),
	UNIQUE KEY users_email (tenant_id, email_key),
	UNIQUE KEY users_token (token_hash),
	KEY users_role (tenant_id, role, active),
	CONSTRAINT users_of_tenant FOREIGN KEY (tenant_id)
		REFERENCES tenant (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The permission matrix: who (actor) may turn whom from what into what.
CREATE TABLE IF NOT EXISTS role_transition (
	actor VARCHAR(16) NOT NULL,
	from_role VARCHAR(16) NOT NULL,
	to_role VARCHAR(16) NOT NULL,
	PRIMARY KEY (actor, from_role, to_role)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO role_transition (actor, from_role, to_role) VALUES
	('admin', 'admin', 'manager'),
	('admin', 'admin', 'user'),
	('admin', 'manager', 'admin'),
	('admin', 'manager', 'user'),
	('admin', 'user', 'admin'),
	('admin', 'user', 'manager'),
	('manager', 'user', 'manager');

CREATE TABLE IF NOT EXISTS device (
	id BINARY(16) NOT NULL,
	tenant_id BINARY(16) NOT NULL,
	user_id BINARY(16) NOT NULL,
	name VARCHAR(100) NOT NULL,
	jid VARCHAR(127) NOT NULL DEFAULT '',
	connected BOOLEAN NOT NULL,
	last_seen_at DATETIME(6) NULL,
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY device_tenant (tenant_id, id),
	KEY device_user (tenant_id, user_id, id),
	CONSTRAINT device_of_user FOREIGN KEY (tenant_id, user_id)
		REFERENCES users (tenant_id, id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- device_id is all zero for the tenant's own webhook, so that one unique key
-- covers both kinds; owner_device_id is the same or NULL, so that a device
-- takes its webhook along. enabled_events and headers are JSON text.
CREATE TABLE IF NOT EXISTS webhook (
	id BINARY(8) NOT NULL,
	tenant_id BINARY(16) NOT NULL,
	device_id BINARY(16) NOT NULL,
	owner_device_id BINARY(16) NULL,
	url VARCHAR(2048) NOT NULL,
	enabled_events TEXT NOT NULL,
	enabled BOOLEAN NOT NULL,
	retry_attempts SMALLINT UNSIGNED NOT NULL,
	timeout_s SMALLINT UNSIGNED NOT NULL,
	ordered BOOLEAN NOT NULL,
	max_concurrency SMALLINT UNSIGNED NOT NULL,
	rate_limit INT UNSIGNED NOT NULL,
	headers TEXT NOT NULL,
	secret_sealed VARBINARY(512) NOT NULL,
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY webhook_device (tenant_id, device_id),
	KEY webhook_owner (tenant_id, owner_device_id),
	CONSTRAINT webhook_of_tenant FOREIGN KEY (tenant_id)
		REFERENCES tenant (id) ON DELETE CASCADE,
	CONSTRAINT webhook_of_device FOREIGN KEY (tenant_id, owner_device_id)
		REFERENCES device (tenant_id, id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Ids of queue records whose transaction committed, and tombstones (claimed) of
-- those that never will.
CREATE TABLE IF NOT EXISTS outbox (
	id BINARY(16) NOT NULL,
	claimed BOOLEAN NOT NULL DEFAULT FALSE,
	created_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id),
	KEY outbox_created (created_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- No foreign key: the trail survives its tenant.
CREATE TABLE IF NOT EXISTS audit (
	id BINARY(16) NOT NULL,
	tenant_id BINARY(16) NOT NULL,
	actor_kind VARCHAR(16) NOT NULL,
	actor_user_id BINARY(16) NULL,
	actor_role VARCHAR(16) NULL,
	action VARCHAR(63) NOT NULL,
	target_id BINARY(16) NOT NULL,
	old_value TEXT NULL,
	new_value TEXT NULL,
	request_id VARCHAR(128) NOT NULL,
	address VARCHAR(64) NOT NULL,
	created_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id),
	KEY audit_tenant (tenant_id, id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
