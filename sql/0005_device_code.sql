-- SPDX-License-Identifier: MIT
-- The code for pairing that the engine has reported last for a device. It is
-- shown for a minute, replaced by the next one, and gone when the device is
-- connected: worthless to whoever finds it in a dump.

CREATE TABLE IF NOT EXISTS device_code (
	device_id BINARY(16) NOT NULL,
	tenant_id BINARY(16) NOT NULL,
	code VARCHAR(2048) NOT NULL,
	reported_at DATETIME(6) NOT NULL,
	PRIMARY KEY (device_id),
	KEY device_code_device (tenant_id, device_id),
	CONSTRAINT device_code_of_device FOREIGN KEY (tenant_id, device_id)
		REFERENCES device (tenant_id, id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
