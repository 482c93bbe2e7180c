-- SPDX-License-Identifier: MIT
-- API keys, answers kept for Idempotency-Key, the audit trail as a chain, and
-- tenants that are marked as deleted before their rows go.
--
-- MySQL knows no ALTER TABLE … IF NOT EXISTS, so each change of a table is
-- asked for first and is one statement: it has happened whole or not at all.

SET @wuts_change = IF(EXISTS (SELECT * FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'tenant'
	AND column_name = 'deleted_at'), 'DO 0', '
	ALTER TABLE tenant
		ADD COLUMN deleted_at DATETIME(6) NULL,
		ADD KEY tenant_deleted (deleted_at)');
PREPARE wuts_change FROM @wuts_change;
EXECUTE wuts_change;
DEALLOCATE PREPARE wuts_change;

-- seq and hash are NULL in rows older than the chain. The keys serve the list
-- of a tenant, of one action and of one user, each from the newest; with the
-- action at their end, those of a user answer for both without the rows.
SET @wuts_change = IF(EXISTS (SELECT * FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'audit'
	AND column_name = 'seq'), 'DO 0', '
	ALTER TABLE audit
		ADD COLUMN actor_key_id BINARY(16) NULL AFTER actor_user_id,
		ADD COLUMN seq BIGINT UNSIGNED NULL,
		ADD COLUMN hash BINARY(32) NULL,
		DROP KEY audit_tenant,
		ADD UNIQUE KEY audit_seq (tenant_id, seq),
		ADD KEY audit_action (tenant_id, action, seq),
		ADD KEY audit_actor (tenant_id, actor_user_id, seq, action),
		ADD KEY audit_target (tenant_id, target_id, seq, action)');
PREPARE wuts_change FROM @wuts_change;
EXECUTE wuts_change;
DEALLOCATE PREPARE wuts_change;

-- The last link of each tenant's chain, kept apart so that a trail cut off at
-- its end is found. No foreign key: it survives its tenant.
CREATE TABLE IF NOT EXISTS audit_chain (
	tenant_id BINARY(16) NOT NULL,
	seq BIGINT UNSIGNED NOT NULL,
	hash BINARY(32) NOT NULL,
	PRIMARY KEY (tenant_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What belongs to no tenant chains under the nil id. No tenant's row is locked
-- for it, so this one is there to be locked from the first link on.
INSERT IGNORE INTO audit_chain (tenant_id, seq, hash) VALUES
	(REPEAT(X'00', 16), 0, REPEAT(X'00', 32));

CREATE TABLE IF NOT EXISTS api_key (
	id BINARY(16) NOT NULL,
	tenant_id BINARY(16) NOT NULL,
	name VARCHAR(100) NOT NULL,
	prefix VARCHAR(12) NOT NULL,
	scope VARCHAR(16) NOT NULL,
	key_hash BINARY(32) NOT NULL,
	created_at DATETIME(6) NOT NULL,
	expires_at DATETIME(6) NULL,
	last_used_at DATETIME(6) NULL,
	PRIMARY KEY (id),
	UNIQUE KEY api_key_tenant (tenant_id, id),
	UNIQUE KEY api_key_hash (key_hash),
	CONSTRAINT api_key_of_tenant FOREIGN KEY (tenant_id)
		REFERENCES tenant (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- status is NULL while the request is in flight; sealed is its answer.
CREATE TABLE IF NOT EXISTS idempotency (
	key_hash BINARY(32) NOT NULL,
	body_hash BINARY(32) NOT NULL,
	status SMALLINT UNSIGNED NULL,
	sealed MEDIUMBLOB NULL,
	created_at DATETIME(6) NOT NULL,
	PRIMARY KEY (key_hash),
	KEY idempotency_created (created_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
