-- SPDX-License-Identifier: MIT
-- What version 12 writes besides.
INSERT INTO user_picture (tenant_id, user_id, name, created_at) VALUES
	(@t, @u, CONCAT('picture', @n), @at);
INSERT INTO user_connection (id, tenant_id, user_id, email_id, provider, email,
	created_at, updated_at) VALUES
	(@d, @t, @u, NULL, 'google', 'ana@acme.example', @at, @at);
INSERT INTO user_passkey (id, tenant_id, user_id, name, credential_id,
	public_key, created_at, updated_at) VALUES
	(@d, @t, @u, 'a key', @d, @d, @at, @at);
INSERT INTO user_authenticator (id, tenant_id, user_id, secret_sealed, account,
	created_at, updated_at) VALUES
	(@d, @t, @u, REPEAT('s', 60), 'ana', @at, @at);
INSERT INTO user_backup_code (id, tenant_id, user_id, code_hash, created_at)
	VALUES (@d, @t, @u, '$argon2id$', @at);
