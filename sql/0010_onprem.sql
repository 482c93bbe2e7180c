-- SPDX-License-Identifier: MIT
-- The On-Premises dialect. A tenant that speaks it has a row of application
-- settings: the object of GET /v1/settings/application without the parts that
-- have columns of their own.
CREATE TABLE IF NOT EXISTS onprem_settings (
	tenant_id BINARY(16) NOT NULL,
	settings TEXT NOT NULL,
	wa_id VARCHAR(31) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	PRIMARY KEY (tenant_id),
	CONSTRAINT onprem_settings_of_tenant FOREIGN KEY (tenant_id)
		REFERENCES tenant (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What a tenant's webhooks trust besides the system's certificates, byte for
-- byte as it was uploaded: a client that fetches it compares.
CREATE TABLE IF NOT EXISTS tenant_ca (
	tenant_id BINARY(16) NOT NULL,
	pem MEDIUMBLOB NOT NULL,
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	PRIMARY KEY (tenant_id),
	CONSTRAINT tenant_ca_of_tenant FOREIGN KEY (tenant_id)
		REFERENCES tenant (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
