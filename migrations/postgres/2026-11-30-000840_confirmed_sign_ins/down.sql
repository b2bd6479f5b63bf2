DROP INDEX alerts_redaction_due;
ALTER TABLE alerts DROP COLUMN redaction_due;
ALTER TABLE alerts DROP COLUMN confirmed_by_link;
ALTER TABLE alerts DROP COLUMN confirmed_by;
