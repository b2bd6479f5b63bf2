ALTER TABLE devices DROP COLUMN is_idle_exempt;
