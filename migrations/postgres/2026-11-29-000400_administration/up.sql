-- An auditor sees what an administrator sees, and changes nothing.
ALTER TABLE users ADD COLUMN is_auditor boolean NOT NULL DEFAULT false;
CREATE INDEX users_auditors ON users (id) WHERE is_auditor;

-- Before this time the session can't have expired: the sweep moves it when it meets a session that
-- was used since, and whatever shortens a session moves it as well. What every use changes
-- (last_used_at, expires_at) is in no index, so that PostgreSQL's updates stay heap-only.
ALTER TABLE user_sessions ADD COLUMN sweep_at timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00';
-- The ten minutes of the last use, counted from the Unix epoch: lists are sorted by it.
ALTER TABLE user_sessions ADD COLUMN last_used_bucket integer NOT NULL DEFAULT 0;
-- The address in a form that sorts: "4" or "6", and its bytes in hexadecimal.
ALTER TABLE user_sessions ADD COLUMN ip_key text COLLATE "C" CHECK (length(ip_key) IN (9, 33));
-- The application of its owner, if one authenticates them.
ALTER TABLE user_sessions ADD COLUMN application_id uuid;
-- The country of the sign-in, not known of older sessions; whether it was used in another since, and whether it travelled
-- impossibly fast. Neither is taken back.
ALTER TABLE user_sessions ADD COLUMN sign_in_country text CHECK (length(sign_in_country) <= 100);
ALTER TABLE user_sessions ADD COLUMN has_changed_country boolean NOT NULL DEFAULT false;
ALTER TABLE user_sessions ADD COLUMN has_impossible_travel boolean NOT NULL DEFAULT false;

DROP INDEX user_sessions_active;
DROP INDEX user_sessions_due;
DROP INDEX user_sessions_past;

-- Room in each page for the next version of a row: before the rows are written anew.
ALTER TABLE user_sessions SET (fillfactor = 90);

-- IPv4 addresses get their form here, IPv6 ones from the sweep.
UPDATE user_sessions SET
    sweep_at = expires_at,
    last_used_bucket = floor(extract(epoch FROM greatest(last_used_at, '1970-01-01 00:00:00+00')) / 600)::integer,
    ip_key = CASE WHEN ip_address ~ '^[0-9]{1,3}([.][0-9]{1,3}){3}$' THEN
        '4' || lpad(to_hex(split_part(ip_address, '.', 1)::integer), 2, '0') || lpad(to_hex(split_part(ip_address, '.', 2)::integer), 2, '0')
        || lpad(to_hex(split_part(ip_address, '.', 3)::integer), 2, '0') || lpad(to_hex(split_part(ip_address, '.', 4)::integer), 2, '0')
    END,
    application_id = (SELECT application_id FROM users WHERE users.id = user_sessions.user_id),
    has_impossible_travel = EXISTS (
        SELECT 1 FROM session_events
        WHERE session_events.session_id = user_sessions.id AND session_events.kind = 'impossible_travel'
    );

-- A person's active sessions.
CREATE INDEX user_sessions_active ON user_sessions (user_id, last_used_bucket DESC, id DESC) WHERE is_active;
-- Sessions to expire.
CREATE INDEX user_sessions_due ON user_sessions (sweep_at) WHERE is_active;
-- Sessions whose address was stored before addresses had a form that sorts.
CREATE INDEX user_sessions_without_ip_key ON user_sessions (id) WHERE ip_key IS NULL AND ip_address IS NOT NULL;

-- The administrator's lists of active sessions: by last use, and by sign-in.
CREATE INDEX user_sessions_live_by_use ON user_sessions (last_used_bucket DESC, id DESC) WHERE is_active;
CREATE INDEX user_sessions_live_by_sign_in ON user_sessions (created_at DESC, id DESC) WHERE is_active;
-- By one filter each.
CREATE INDEX user_sessions_live_by_kind ON user_sessions (device_kind, last_used_bucket DESC, id DESC) WHERE is_active;
CREATE INDEX user_sessions_live_by_browser ON user_sessions (browser, last_used_bucket DESC, id DESC) WHERE is_active;
CREATE INDEX user_sessions_live_by_os ON user_sessions (os, last_used_bucket DESC, id DESC) WHERE is_active;
CREATE INDEX user_sessions_live_by_country ON user_sessions (location_country, last_used_bucket DESC, id DESC) WHERE is_active;
CREATE INDEX user_sessions_live_by_ip ON user_sessions (ip_key, last_used_bucket DESC, id DESC) WHERE is_active;
CREATE INDEX user_sessions_live_by_application ON user_sessions (application_id, last_used_bucket DESC, id DESC)
    WHERE is_active AND application_id IS NOT NULL;

-- The administrator's lists of ended sessions: by end (and those to purge), last use and sign-in.
CREATE INDEX user_sessions_past ON user_sessions (ended_at DESC, id DESC) WHERE NOT is_active;
CREATE INDEX user_sessions_past_by_use ON user_sessions (last_used_bucket DESC, id DESC) WHERE NOT is_active;
CREATE INDEX user_sessions_past_by_sign_in ON user_sessions (created_at DESC, id DESC) WHERE NOT is_active;
-- By one filter each.
CREATE INDEX user_sessions_past_by_reason ON user_sessions (ended_reason, ended_at DESC, id DESC) WHERE NOT is_active;
CREATE INDEX user_sessions_past_by_kind ON user_sessions (device_kind, ended_at DESC, id DESC) WHERE NOT is_active;
CREATE INDEX user_sessions_past_by_browser ON user_sessions (browser, ended_at DESC, id DESC) WHERE NOT is_active;
CREATE INDEX user_sessions_past_by_os ON user_sessions (os, ended_at DESC, id DESC) WHERE NOT is_active;
CREATE INDEX user_sessions_past_by_country ON user_sessions (location_country, ended_at DESC, id DESC) WHERE NOT is_active;
CREATE INDEX user_sessions_past_by_ip ON user_sessions (ip_key, ended_at DESC, id DESC) WHERE NOT is_active;
CREATE INDEX user_sessions_past_by_application ON user_sessions (application_id, ended_at DESC, id DESC)
    WHERE NOT is_active AND application_id IS NOT NULL;

-- Both: few sessions have either mark.
CREATE INDEX user_sessions_with_changed_country ON user_sessions (last_used_bucket DESC, id DESC) WHERE has_changed_country;
CREATE INDEX user_sessions_with_impossible_travel ON user_sessions (last_used_bucket DESC, id DESC)
    WHERE has_impossible_travel;

-- An event outlives the session that it is about.
ALTER TABLE session_events DROP CONSTRAINT session_events_session_id_fkey;
-- The application whose key did it, and the bulk job that it belongs to.
ALTER TABLE session_events ADD COLUMN by_application_id uuid;
ALTER TABLE session_events ADD COLUMN job_id uuid;
-- The reason that an administrator gave; its person sees it.
ALTER TABLE session_events ADD COLUMN stated_reason text CHECK (length(stated_reason) <= 500);
