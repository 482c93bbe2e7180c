-- SPDX-License-Identifier: MIT
-- What version 10 writes besides.
INSERT INTO onprem_settings (tenant_id, settings, wa_id, updated_at) VALUES
	(@t, '{}', '4915112345678', @at);
INSERT INTO tenant_ca (tenant_id, pem, created_at, updated_at) VALUES
	(@t, '-----BEGIN CERTIFICATE-----', @at, @at);
