-- SPDX-License-Identifier: MIT
-- What version 11 writes besides.
INSERT INTO user_profile (tenant_id, user_id, first_name, last_name) VALUES
	(@t, @u, 'Ana', 'Sousa');
INSERT INTO user_phone (id, tenant_id, user_id, country_code, phone_number,
	phone_key, is_primary, verified, created_at, updated_at) VALUES
	(@d, @t, @u, '+49', '15112345678', '4915112345678', TRUE, FALSE, @at,
	@at);
INSERT INTO user_policy (tenant_id, updated_at) VALUES (@t, @at);
