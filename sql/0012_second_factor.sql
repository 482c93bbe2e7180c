-- SPDX-License-Identifier: MIT
-- What hangs on a user beside its addresses and numbers: its picture's file,
-- its accounts at identity providers, its passkeys and its second factor.
--
-- All of them go with the user; the file of a picture whose row has gone is
-- removed by whoever deleted the row, or later by the spooler.

CREATE TABLE IF NOT EXISTS user_picture (
	tenant_id BINARY(16) NOT NULL,
	user_id BINARY(16) NOT NULL,
	name VARCHAR(47) NOT NULL,
	created_at DATETIME(6) NOT NULL,
	PRIMARY KEY (tenant_id, user_id),
	UNIQUE KEY user_picture_name (name),
	CONSTRAINT user_picture_of_user FOREIGN KEY (tenant_id, user_id)
		REFERENCES users (tenant_id, id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- email_id is no foreign key: deleting an address takes the connections bound
-- to it along, in words (connection_store_delete_of_email).
CREATE TABLE IF NOT EXISTS user_connection (
	id BINARY(16) NOT NULL,
	tenant_id BINARY(16) NOT NULL,
	user_id BINARY(16) NOT NULL,
	email_id BINARY(16) NULL,
	provider VARCHAR(32) NOT NULL,
	email VARCHAR(254) NOT NULL,
	access_sealed BLOB NULL,
	refresh_sealed BLOB NULL,
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id),
	KEY user_connection_user (tenant_id, user_id, created_at, id),
	CONSTRAINT user_connection_of_user FOREIGN KEY (tenant_id, user_id)
		REFERENCES users (tenant_id, id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS user_passkey (
	id BINARY(16) NOT NULL,
	tenant_id BINARY(16) NOT NULL,
	user_id BINARY(16) NOT NULL,
	name VARCHAR(255) NOT NULL,
	credential_id VARBINARY(1023) NOT NULL,
	public_key BLOB NOT NULL,
	aaguid BINARY(16) NULL,
	sign_count BIGINT UNSIGNED NOT NULL DEFAULT 0,
	transports VARCHAR(255) NULL,
	device_type VARCHAR(32) NULL,
	backed_up BOOLEAN NULL,
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	last_used_at DATETIME(6) NULL,
	PRIMARY KEY (id),
	KEY user_passkey_user (tenant_id, user_id, created_at, id),
	CONSTRAINT user_passkey_of_user FOREIGN KEY (tenant_id, user_id)
		REFERENCES users (tenant_id, id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One a user, whoever is faster. last_step: the time step of the last code
-- that was used; none is taken twice. failures: tries since the last one that
-- was right; each counts before it is judged.
CREATE TABLE IF NOT EXISTS user_authenticator (
	id BINARY(16) NOT NULL,
	tenant_id BINARY(16) NOT NULL,
	user_id BINARY(16) NOT NULL,
	secret_sealed VARBINARY(157) NOT NULL,
	account VARCHAR(600) NOT NULL,
	last_step BIGINT UNSIGNED NOT NULL DEFAULT 0,
	failures INT UNSIGNED NOT NULL DEFAULT 0,
	tried_at DATETIME(6) NULL,
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY user_authenticator_user (tenant_id, user_id),
	CONSTRAINT user_authenticator_of_user FOREIGN KEY (tenant_id, user_id)
		REFERENCES users (tenant_id, id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A code that was used has no row any more.
CREATE TABLE IF NOT EXISTS user_backup_code (
	id BINARY(16) NOT NULL,
	tenant_id BINARY(16) NOT NULL,
	user_id BINARY(16) NOT NULL,
	code_hash VARCHAR(160) NOT NULL,
	created_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id),
	KEY user_backup_code_user (tenant_id, user_id),
	CONSTRAINT user_backup_code_of_user FOREIGN KEY (tenant_id, user_id)
		REFERENCES users (tenant_id, id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
