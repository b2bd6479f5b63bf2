CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    email TEXT NOT NULL CHECK (length(email) <= 254),
    full_name TEXT CHECK (length(full_name) <= 255),
    password_hash TEXT NOT NULL,
    is_active BOOLEAN NOT NULL DEFAULT true,
    is_admin BOOLEAN NOT NULL DEFAULT false,
    -- The longest that a device of theirs may go unused, if they chose.
    idle_limit_seconds integer,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    password_changed_at TIMESTAMP NOT NULL
);

CREATE UNIQUE INDEX users_by_email ON users (lower(email));

CREATE TABLE user_sessions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    refresh_token_jti TEXT NOT NULL UNIQUE CHECK (length(refresh_token_jti) <= 255),
    device_name TEXT CHECK (length(device_name) <= 255),
    device_id TEXT CHECK (length(device_id) <= 255),
    ip_address TEXT CHECK (length(ip_address) <= 45),
    user_agent TEXT CHECK (length(user_agent) <= 500),
    last_used_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    is_active BOOLEAN NOT NULL DEFAULT true,
    location_city TEXT CHECK (length(location_city) <= 100),
    location_country TEXT CHECK (length(location_country) <= 100),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    -- The refresh token that came before the current one, and when it was spent.
    previous_jti TEXT,
    rotated_at TIMESTAMP,
    absolute_expires_at TIMESTAMP NOT NULL,
    is_remembered BOOLEAN NOT NULL DEFAULT false,
    -- How long it may go unused.
    idle_seconds integer NOT NULL,
    -- When its owner last gave the password in it.
    confirmed_at TIMESTAMP NOT NULL,
    opened_via TEXT NOT NULL DEFAULT 'browser',
    ended_at TIMESTAMP,
    ended_reason TEXT,
    ended_by BLOB,
    device_kind TEXT NOT NULL DEFAULT 'unknown',
    browser TEXT,
    browser_version TEXT,
    os TEXT,
    os_version TEXT,
    brand TEXT,
    model TEXT
);

-- A person's active sessions, newest use first.
CREATE INDEX user_sessions_active ON user_sessions (user_id, last_used_at DESC) WHERE is_active;
-- A person's ended sessions, newest end first.
CREATE INDEX user_sessions_ended ON user_sessions (user_id, ended_at DESC, id DESC) WHERE NOT is_active;
-- Sessions to expire.
CREATE INDEX user_sessions_due ON user_sessions (expires_at) WHERE is_active;
-- Ended sessions to purge.
CREATE INDEX user_sessions_past ON user_sessions (ended_at) WHERE NOT is_active;

CREATE TABLE session_events (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id BLOB REFERENCES user_sessions (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    detail TEXT,
    ip_address TEXT CHECK (length(ip_address) <= 45),
    -- Who did it, and from which session; no reference, as they may go first.
    by_user_id BLOB,
    by_session_id BLOB,
    at TIMESTAMP NOT NULL
);

-- One session's events, newest first, and the cascade when it is purged.
CREATE INDEX session_events_of_session ON session_events (session_id, id DESC);
-- A person's events, newest first, and the cascade when they are deleted.
CREATE INDEX session_events_of_user ON session_events (user_id, id DESC);
