-- SPDX-License-Identifier: MIT
-- A webhook's headers, which may hold a credential of its receiver's, as they
-- are kept now: sealed. Rows written before have none and their headers in
-- column headers still, until they are next written; wutsctl key rotate
-- writes all of them.

SET @wuts_change = IF(EXISTS (SELECT * FROM information_schema.columns
	WHERE table_schema = DATABASE() AND table_name = 'webhook'
	AND column_name = 'headers_sealed'), 'DO 0', '
	ALTER TABLE webhook
		ADD COLUMN headers_sealed BLOB NULL AFTER headers');
PREPARE wuts_change FROM @wuts_change;
EXECUTE wuts_change;
DEALLOCATE PREPARE wuts_change;
