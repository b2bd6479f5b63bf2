DROP INDEX hourly_counts_by_metric;
DROP TRIGGER users_redact_events;
CREATE TABLE events_rebuilt (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL,
    session_id BLOB,
    kind TEXT NOT NULL,
    detail TEXT,
    ip_address TEXT CHECK (length(ip_address) <= 45),
    -- Who did it, and from which session; no reference, as they may go first.
    by_user_id BLOB,
    by_session_id BLOB,
    at TIMESTAMP NOT NULL,
    -- The application whose key did it, and the bulk job that it belongs to.
    by_application_id BLOB,
    job_id BLOB,
    -- The reason that an administrator gave; its person sees it.
    stated_reason TEXT CHECK (length(stated_reason) <= 500),
    ip_key TEXT CHECK (length(ip_key) IN (9, 33))
);
INSERT INTO events_rebuilt
SELECT id, user_id, session_id, kind, detail, ip_address, by_user_id, by_session_id, at, by_application_id,
    job_id, stated_reason, ip_key
FROM session_events
WHERE user_id IS NOT NULL
    AND kind NOT IN ('sign_in_failed', 'password_refused', 'throttled', 'form_refused', 'admin_refused',
        'token_refused', 'setting_changed', 'email_change_cancelled', 'service_key_created', 'service_key_revoked', 'key_created', 'key_revoked', 'signed_up',
        'password_link_requested', 'verification_link_requested')
    AND (kind IN ('account_deleted', 'job_stopped') OR user_id IN (SELECT id FROM users));
DROP TABLE session_events;
ALTER TABLE events_rebuilt RENAME TO session_events;
CREATE INDEX session_events_of_session ON session_events (session_id, id DESC);
CREATE INDEX session_events_of_user ON session_events (user_id, id DESC);
CREATE INDEX session_events_of_account ON session_events (user_id, id DESC) WHERE session_id IS NULL;
CREATE INDEX session_events_without_ip_key ON session_events (id) WHERE ip_key IS NULL AND ip_address IS NOT NULL;
CREATE INDEX session_events_by_kind ON session_events (kind, id DESC);
CREATE INDEX session_events_by_person ON session_events (by_user_id, id DESC) WHERE by_user_id IS NOT NULL;
CREATE INDEX session_events_by_application ON session_events (by_application_id, id DESC)
    WHERE by_application_id IS NOT NULL;
CREATE INDEX session_events_by_job ON session_events (job_id, id DESC) WHERE job_id IS NOT NULL;
CREATE INDEX session_events_by_ip ON session_events (ip_key, id DESC) WHERE ip_key IS NOT NULL;
CREATE TRIGGER users_delete_events AFTER DELETE ON users
BEGIN
    DELETE FROM session_events WHERE user_id = OLD.id;
END;
DELETE FROM hourly_counts WHERE metric IN ('refusal', 'throttled_account', 'throttled_network');
