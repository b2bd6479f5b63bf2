-- The id of an order, from before it was made: the same form sent again finds its job.
ALTER TABLE bulk_jobs ADD COLUMN order_id BLOB CHECK (length(order_id) = 16);
CREATE UNIQUE INDEX bulk_jobs_by_order ON bulk_jobs (by_session_id, order_id);

-- What an administrator did, of alerts that only report that, and why.
ALTER TABLE alerts ADD COLUMN act TEXT;
ALTER TABLE alerts ADD COLUMN stated_reason TEXT CHECK (length(stated_reason) <= 500);
