-- SPDX-License-Identifier: MIT
-- What version 5 writes besides.
INSERT INTO device_code (device_id, tenant_id, code, reported_at) VALUES
	(@d, @t, '2@abc', @at);
