-- The key that ordered a job, which stops with it.
ALTER TABLE bulk_jobs ADD COLUMN by_key_id BLOB;
CREATE INDEX bulk_jobs_by_key ON bulk_jobs (by_key_id) WHERE by_key_id IS NOT NULL;
-- Who stopped it, and the reason that they stated.
ALTER TABLE bulk_jobs ADD COLUMN stopped_by_user_id BLOB;
ALTER TABLE bulk_jobs ADD COLUMN stopped_by_application_id BLOB;
ALTER TABLE bulk_jobs ADD COLUMN stop_reason TEXT CHECK (length(stop_reason) <= 500);
-- Listed ids that no session has, and sessions that its filter does not find any more.
ALTER TABLE bulk_jobs ADD COLUMN unknown BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bulk_jobs ADD COLUMN unmatched BIGINT NOT NULL DEFAULT 0;
