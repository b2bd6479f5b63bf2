ALTER TABLE session_events DROP COLUMN stated_reason;
ALTER TABLE session_events DROP COLUMN job_id;
ALTER TABLE session_events DROP COLUMN by_application_id;
DELETE FROM session_events
WHERE session_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM user_sessions WHERE user_sessions.id = session_events.session_id);
ALTER TABLE session_events ADD CONSTRAINT session_events_session_id_fkey
    FOREIGN KEY (session_id) REFERENCES user_sessions (id) ON DELETE CASCADE;

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
ALTER TABLE user_sessions RESET (fillfactor);
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
