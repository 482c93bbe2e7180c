-- SPDX-License-Identifier: MIT
-- What version 3 writes besides.
UPDATE webhook SET old_secret_sealed = REPEAT('o', 60), old_secret_until = @at
	WHERE tenant_id = @t;
