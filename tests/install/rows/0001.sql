-- SPDX-License-Identifier: MIT
-- What a program of schema version 1 writes: a row a table, for tenant @n. Ids
-- and token are a real user's where they are given: a token is sealed for its
-- user.
SET @t = COALESCE(@t, UNHEX(LPAD(HEX(@n * 256 + 1), 32, '0')));
SET @u = COALESCE(@u, UNHEX(LPAD(HEX(@n * 256 + 2), 32, '0')));
SET @d = UNHEX(LPAD(HEX(@n * 256 + 3), 32, '0'));
SET @at = '2026-06-15 12:00:00.123456';
INSERT INTO tenant (id, name, name_key, created_at, updated_at) VALUES
	(@t, CONCAT('Tenant ', @n), CONCAT('tenant ', @n), @at, @at);
INSERT INTO users (id, tenant_id, email, email_key, password_hash, role,
	active, token_hash, token_sealed, pending_webhook_url, created_at,
	updated_at) VALUES
	(@u, @t, 'Ana@acme.example', 'ana@acme.example', '$argon2id$', 'admin',
	TRUE, CONCAT(@u, @u), COALESCE(@sealed, REPEAT('s', 60)), NULL, @at, @at);
INSERT INTO device (id, tenant_id, user_id, name, jid, connected,
	last_seen_at, created_at, updated_at) VALUES
	(@d, @t, @u, 'Shop phone', '', FALSE, NULL, @at, @at);
INSERT INTO webhook (id, tenant_id, device_id, owner_device_id, url,
	enabled_events, enabled, retry_attempts, timeout_s, ordered,
	max_concurrency, rate_limit, headers, secret_sealed, created_at,
	updated_at) VALUES
	(RIGHT(@d, 8), @t, @d, @d, 'https://hooks.example/a', '["*"]', TRUE, 5,
	30, FALSE, 8, 0, '{"X-A":"b"}', REPEAT('s', 60), @at, @at);
INSERT INTO outbox (id, claimed, created_at) VALUES (@d, FALSE, @at);
INSERT INTO audit (id, tenant_id, actor_kind, actor_user_id, actor_role,
	action, target_id, old_value, new_value, request_id, address,
	created_at) VALUES
	(@d, @t, 'user', @u, 'admin', 'user.role_changed', @u, '"user"',
	'"admin"', 'request', '192.0.2.1', @at);
INSERT IGNORE INTO role_transition (actor, from_role, to_role) VALUES
	('manager', 'manager', 'user');
