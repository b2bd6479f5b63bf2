DROP TABLE mail_queue;
DROP TABLE alerts;
DROP INDEX user_sessions_of_device;
DROP TABLE devices;
ALTER TABLE user_sessions DROP COLUMN location_point;
ALTER TABLE users DROP COLUMN alert_emails;
ALTER TABLE users DROP COLUMN address_keeping;
