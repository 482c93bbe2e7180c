-- SPDX-License-Identifier: MIT
-- What the Wacht dialect knows of a user besides the account: names, metadata,
-- phone numbers, and what lists are searched and sorted by.

-- A user without a row has what is given here as the defaults.
CREATE TABLE IF NOT EXISTS user_profile (
	tenant_id BINARY(16) NOT NULL,
	user_id BINARY(16) NOT NULL,
	first_name VARCHAR(255) NOT NULL DEFAULT '',
	last_name VARCHAR(255) NOT NULL DEFAULT '',
	public_metadata MEDIUMTEXT NULL,
	private_metadata MEDIUMTEXT NULL,
	second_factor_policy VARCHAR(16) NOT NULL DEFAULT 'optional',
	availability VARCHAR(16) NOT NULL DEFAULT 'away',
	password_reset_at DATETIME(6) NULL,
	PRIMARY KEY (tenant_id, user_id),
	CONSTRAINT user_profile_of_user FOREIGN KEY (tenant_id, user_id)
		REFERENCES users (tenant_id, id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- phone_key: the digits of country code and number, by which it is unique.
CREATE TABLE IF NOT EXISTS user_phone (
	id BINARY(16) NOT NULL,
	tenant_id BINARY(16) NOT NULL,
	user_id BINARY(16) NOT NULL,
	country_code VARCHAR(5) NOT NULL,
	phone_number VARCHAR(16) NOT NULL,
	phone_key VARCHAR(15) NOT NULL,
	is_primary BOOLEAN NOT NULL,
	verified BOOLEAN NOT NULL,
	verified_at DATETIME(6) NULL,
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY user_phone_tenant (tenant_id, id),
	UNIQUE KEY user_phone_key (tenant_id, phone_key),
	KEY user_phone_user (tenant_id, user_id, created_at, id),
	CONSTRAINT user_phone_of_user FOREIGN KEY (tenant_id, user_id)
		REFERENCES users (tenant_id, id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One narrow row a user, written with every change of what stands in it. A
-- search reads all rows of a tenant, one behind the other, and nothing else:
-- text is lower-case UTF-8 compared as bytes. Without a search the lists are
-- sorted by indices of users and by the one here.
CREATE TABLE IF NOT EXISTS user_search (
	tenant_id BINARY(16) NOT NULL,
	user_id BINARY(16) NOT NULL,
	created_at DATETIME(6) NOT NULL,
	username_key VARCHAR(128) NULL,
	email_key VARCHAR(254) NULL,
	phone VARCHAR(21) NULL,
	text MEDIUMBLOB NOT NULL,
	PRIMARY KEY (tenant_id, user_id),
	KEY user_search_phone (tenant_id, phone, user_id),
	CONSTRAINT user_search_of_user FOREIGN KEY (tenant_id, user_id)
		REFERENCES users (tenant_id, id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO user_search (tenant_id, user_id, created_at, username_key,
	email_key, text)
	SELECT tenant_id, id, created_at, username_key, email_key,
	LOWER(CONCAT_WS(' ', username, email, email)) FROM users;

SET @wuts_change = IF(EXISTS (SELECT * FROM information_schema.statistics
	WHERE table_schema = DATABASE() AND table_name = 'users'
	AND index_name = 'users_created'), 'DO 0', '
	ALTER TABLE users ADD KEY users_created (tenant_id, created_at, id)');
PREPARE wuts_change FROM @wuts_change;
EXECUTE wuts_change;
DEALLOCATE PREPARE wuts_change;

-- What a tenant asks of its users. No row: the defaults.
CREATE TABLE IF NOT EXISTS user_policy (
	tenant_id BINARY(16) NOT NULL,
	names_required BOOLEAN NOT NULL DEFAULT TRUE,
	email_enabled BOOLEAN NOT NULL DEFAULT TRUE,
	email_required BOOLEAN NOT NULL DEFAULT TRUE,
	phone_enabled BOOLEAN NOT NULL DEFAULT TRUE,
	phone_required BOOLEAN NOT NULL DEFAULT FALSE,
	username_enabled BOOLEAN NOT NULL DEFAULT TRUE,
	username_required BOOLEAN NOT NULL DEFAULT FALSE,
	username_min SMALLINT UNSIGNED NOT NULL DEFAULT 3,
	username_max SMALLINT UNSIGNED NOT NULL DEFAULT 30,
	password_enabled BOOLEAN NOT NULL DEFAULT TRUE,
	password_min SMALLINT UNSIGNED NOT NULL DEFAULT 8,
	password_lower BOOLEAN NOT NULL DEFAULT TRUE,
	password_upper BOOLEAN NOT NULL DEFAULT TRUE,
	password_digit BOOLEAN NOT NULL DEFAULT TRUE,
	password_special BOOLEAN NOT NULL DEFAULT TRUE,
	expose_provider_tokens BOOLEAN NOT NULL DEFAULT FALSE,
	requests_per_minute INT UNSIGNED NOT NULL DEFAULT 0,
	updated_at DATETIME(6) NOT NULL,
	PRIMARY KEY (tenant_id),
	CONSTRAINT user_policy_of_tenant FOREIGN KEY (tenant_id)
		REFERENCES tenant (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
