DROP INDEX users_by_external_subject;
ALTER TABLE users DROP COLUMN external_subject;
