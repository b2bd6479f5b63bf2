CREATE TABLE events_with_reference (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id BLOB REFERENCES user_sessions (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    detail TEXT,
    ip_address TEXT CHECK (length(ip_address) <= 45),
    by_user_id BLOB,
    by_session_id BLOB,
    at TIMESTAMP NOT NULL
);
INSERT INTO events_with_reference
SELECT id, user_id, session_id, kind, detail, ip_address, by_user_id, by_session_id, at FROM session_events
WHERE session_id IS NULL OR session_id IN (SELECT id FROM user_sessions);
DROP TABLE session_events;
ALTER TABLE events_with_reference RENAME TO session_events;
CREATE INDEX session_events_of_session ON session_events (session_id, id DESC);
CREATE INDEX session_events_of_user ON session_events (user_id, id DESC);

DROP INDEX user_sessions_with_impossible_travel;
DROP INDEX user_sessions_with_changed_country;
DROP INDEX user_sessions_past_by_application;
DROP INDEX user_sessions_past_by_ip;
DROP INDEX user_sessions_past_by_country;
DROP INDEX user_sessions_past_by_os;
DROP INDEX user_sessions_past_by_browser;
DROP INDEX user_sessions_past_by_kind;
DROP INDEX user_sessions_past_by_reason;
DROP INDEX user_sessions_past_by_sign_in;
DROP INDEX user_sessions_past_by_use;
DROP INDEX user_sessions_past;
DROP INDEX user_sessions_live_by_application;
DROP INDEX user_sessions_live_by_ip;
DROP INDEX user_sessions_live_by_country;
DROP INDEX user_sessions_live_by_os;
DROP INDEX user_sessions_live_by_browser;
DROP INDEX user_sessions_live_by_kind;
DROP INDEX user_sessions_live_by_sign_in;
DROP INDEX user_sessions_live_by_use;
DROP INDEX user_sessions_without_ip_key;
DROP INDEX user_sessions_due;
DROP INDEX user_sessions_active;
ALTER TABLE user_sessions DROP COLUMN has_impossible_travel;
ALTER TABLE user_sessions DROP COLUMN has_changed_country;
ALTER TABLE user_sessions DROP COLUMN sign_in_country;
ALTER TABLE user_sessions DROP COLUMN application_id;
ALTER TABLE user_sessions DROP COLUMN ip_key;
ALTER TABLE user_sessions DROP COLUMN last_used_bucket;
ALTER TABLE user_sessions DROP COLUMN sweep_at;
CREATE INDEX user_sessions_active ON user_sessions (user_id, last_used_at DESC) WHERE is_active;
CREATE INDEX user_sessions_due ON user_sessions (expires_at) WHERE is_active;
CREATE INDEX user_sessions_past ON user_sessions (ended_at) WHERE NOT is_active;

DROP INDEX users_auditors;
ALTER TABLE users DROP COLUMN is_auditor;
