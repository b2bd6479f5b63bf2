ALTER TABLE users DROP COLUMN browser_time_zone;
ALTER TABLE users DROP COLUMN time_zone;
