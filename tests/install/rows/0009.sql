-- SPDX-License-Identifier: MIT
-- What version 9 writes besides.
UPDATE webhook SET headers_sealed = REPEAT('h', 60) WHERE tenant_id = @t;
