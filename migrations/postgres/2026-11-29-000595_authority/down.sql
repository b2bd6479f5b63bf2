ALTER TABLE bulk_jobs DROP COLUMN unmatched;
ALTER TABLE bulk_jobs DROP COLUMN unknown;
ALTER TABLE bulk_jobs DROP COLUMN stop_reason;
ALTER TABLE bulk_jobs DROP COLUMN stopped_by_application_id;
ALTER TABLE bulk_jobs DROP COLUMN stopped_by_user_id;
DROP INDEX bulk_jobs_by_key;
ALTER TABLE bulk_jobs DROP COLUMN by_key_id;
