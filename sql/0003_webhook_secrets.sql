-- SPDX-License-Identifier: MIT
-- The secret before the last rotation, which signs besides until a time.

SET @wuts_change = IF(EXISTS (SELECT * FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'webhook'
	AND column_name = 'old_secret_sealed'), 'DO 0', '
	ALTER TABLE webhook
		ADD COLUMN old_secret_sealed VARBINARY(512) NULL,
		ADD COLUMN old_secret_until DATETIME(6) NULL');
PREPARE wuts_change FROM @wuts_change;
EXECUTE wuts_change;
DEALLOCATE PREPARE wuts_change;
