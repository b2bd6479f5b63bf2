DROP INDEX session_events_of_account;
CREATE INDEX session_events_of_account ON session_events (user_id, id DESC) WHERE session_id IS NULL;
