-- SPDX-License-Identifier: MIT
-- How many users a tenant has, moved with every creation and deletion under
-- the tenant's lock: a list tells its total without a look at every user. A
-- tenant without a row is counted, and gets one with its next change.
CREATE TABLE IF NOT EXISTS user_count (
	tenant_id BINARY(16) NOT NULL,
	n BIGINT UNSIGNED NOT NULL,
	PRIMARY KEY (tenant_id),
	CONSTRAINT user_count_of_tenant FOREIGN KEY (tenant_id)
		REFERENCES tenant (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
