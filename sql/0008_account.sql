-- SPDX-License-Identifier: MIT
-- One user for every dialect: an account may have a user name, need not have an
-- e-mail address or a password, and holds sessions.
--
-- username is unique byte by byte within a tenant, as the On-Premises dialect
-- compares it; whoever wants it unique in whatever case asks username_key
-- under the tenant's lock. users.email repeats the primary address of
-- user_email, which is where addresses are unique.

SET @wuts_change = IF(EXISTS (SELECT * FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'users'
	AND column_name = 'username'), 'DO 0', '
	ALTER TABLE users
		MODIFY COLUMN email VARCHAR(254) NULL,
		MODIFY COLUMN email_key VARCHAR(254) NULL,
		MODIFY COLUMN password_hash VARCHAR(160) NULL,
		ADD COLUMN username VARCHAR(128) NULL AFTER email_key,
		ADD COLUMN username_key VARCHAR(128) NULL AFTER username,
		ADD COLUMN must_change_password BOOLEAN NOT NULL DEFAULT FALSE
			AFTER password_hash,
		ADD UNIQUE KEY users_username (tenant_id, username),
		ADD KEY users_username_key (tenant_id, username_key)');
PREPARE wuts_change FROM @wuts_change;
EXECUTE wuts_change;
DEALLOCATE PREPARE wuts_change;

CREATE TABLE IF NOT EXISTS user_email (
	id BINARY(16) NOT NULL,
	tenant_id BINARY(16) NOT NULL,
	user_id BINARY(16) NOT NULL,
	email VARCHAR(254) NOT NULL,
	email_key VARCHAR(254) NOT NULL,
	is_primary BOOLEAN NOT NULL,
	verified BOOLEAN NOT NULL,
	verified_at DATETIME(6) NULL,
	strategy VARCHAR(32) NOT NULL DEFAULT 'otp',
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY user_email_tenant (tenant_id, id),
	UNIQUE KEY user_email_key (tenant_id, email_key),
	KEY user_email_user (tenant_id, user_id, created_at, id),
	CONSTRAINT user_email_of_user FOREIGN KEY (tenant_id, user_id)
		REFERENCES users (tenant_id, id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO user_email (id, tenant_id, user_id, email, email_key,
	is_primary, verified, verified_at, created_at, updated_at)
	SELECT UNHEX(REPLACE(UUID(), '-', '')), tenant_id, id, email, email_key,
	TRUE, FALSE, NULL, created_at, updated_at
	FROM users WHERE email IS NOT NULL;

-- A log-in. The token is kept as a hash only; a revoked session stays for a
-- while so that its token is told from one that never was.
CREATE TABLE IF NOT EXISTS session (
	id BINARY(16) NOT NULL,
	tenant_id BINARY(16) NOT NULL,
	user_id BINARY(16) NOT NULL,
	token_hash BINARY(32) NOT NULL,
	address VARCHAR(64) NOT NULL,
	user_agent VARCHAR(255) NOT NULL,
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	expires_at DATETIME(6) NOT NULL,
	last_active_at DATETIME(6) NOT NULL,
	revoked_at DATETIME(6) NULL,
	PRIMARY KEY (id),
	UNIQUE KEY session_token (token_hash),
	KEY session_user (tenant_id, user_id, last_active_at, id),
	KEY session_expires (expires_at),
	CONSTRAINT session_of_user FOREIGN KEY (tenant_id, user_id)
		REFERENCES users (tenant_id, id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
