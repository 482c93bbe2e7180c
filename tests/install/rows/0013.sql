-- SPDX-License-Identifier: MIT
-- What version 13 writes besides.
INSERT INTO user_count (tenant_id, n) VALUES (@t, 1);
