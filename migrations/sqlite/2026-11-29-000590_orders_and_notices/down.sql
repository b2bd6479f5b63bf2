DELETE FROM alerts WHERE kind = 'administered';
ALTER TABLE alerts DROP COLUMN stated_reason;
ALTER TABLE alerts DROP COLUMN act;
DROP INDEX bulk_jobs_by_order;
ALTER TABLE bulk_jobs DROP COLUMN order_id;
