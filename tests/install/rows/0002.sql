-- SPDX-License-Identifier: MIT
-- What version 2 writes besides.
UPDATE tenant SET deleted_at = NULL WHERE id = @t;
INSERT INTO audit_chain (tenant_id, seq, hash) VALUES
	(@t, 0, REPEAT(X'00', 32));
INSERT INTO api_key (id, tenant_id, name, prefix, scope, key_hash, created_at,
	expires_at, last_used_at) VALUES
	(@d, @t, 'a key', 'wuts_abc', 'full', CONCAT(@d, @u), @at, NULL, NULL);
INSERT INTO idempotency (key_hash, body_hash, status, sealed, created_at)
	VALUES (CONCAT(@u, @d), CONCAT(@u, @d), 201, REPEAT('s', 60), @at);
