-- The events of an account, and the names that its devices got: what *Account* lists as activity.
DROP INDEX session_events_of_account;
CREATE INDEX session_events_of_account ON session_events (user_id, id DESC)
    WHERE session_id IS NULL OR kind = 'renamed';
