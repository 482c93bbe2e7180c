-- SPDX-License-Identifier: MIT
-- What version 8 writes besides.
UPDATE users SET username = CONCAT('Ana', @n), username_key = CONCAT('ana', @n)
	WHERE id = @u;
INSERT INTO session (id, tenant_id, user_id, token_hash, address, user_agent,
	created_at, updated_at, expires_at, last_active_at) VALUES
	(@d, @t, @u, CONCAT(@d, @d), '192.0.2.1', 'curl', @at, @at, @at, @at);
INSERT IGNORE INTO user_email (id, tenant_id, user_id, email, email_key,
	is_primary, verified, verified_at, created_at, updated_at) VALUES
	(@d, @t, @u, 'Ana@acme.example', 'ana@acme.example', TRUE, FALSE, NULL,
	@at, @at);
