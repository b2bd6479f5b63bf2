ALTER TABLE applications DROP COLUMN hosts;
ALTER TABLE applications DROP COLUMN kind;

DROP INDEX session_events_by_ip;
DROP INDEX session_events_by_job;
DROP INDEX session_events_by_application;
DROP INDEX session_events_by_person;
DROP INDEX session_events_by_kind;
DROP INDEX session_events_without_ip_key;
ALTER TABLE session_events DROP COLUMN ip_key;
