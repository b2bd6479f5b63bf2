CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text NOT NULL CHECK (length(email) <= 254),
    full_name text CHECK (length(full_name) <= 255),
    password_hash text NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    is_admin boolean NOT NULL DEFAULT false,
    -- The longest that a device of theirs may go unused, if they chose.
    idle_limit_seconds integer,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    password_changed_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX users_by_email ON users (lower(email));

CREATE TABLE user_sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    refresh_token_jti text NOT NULL UNIQUE CHECK (length(refresh_token_jti) <= 255),
    device_name text CHECK (length(device_name) <= 255),
    device_id text CHECK (length(device_id) <= 255),
    ip_address text CHECK (length(ip_address) <= 45),
    user_agent text CHECK (length(user_agent) <= 500),
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    location_city text CHECK (length(location_city) <= 100),
    location_country text CHECK (length(location_country) <= 100),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- The refresh token that came before the current one, and when it was spent.
    previous_jti text,
    rotated_at timestamptz,
    absolute_expires_at timestamptz NOT NULL,
    is_remembered boolean NOT NULL DEFAULT false,
    -- How long it may go unused.
    idle_seconds integer NOT NULL,
    -- When its owner last gave the password in it.
    confirmed_at timestamptz NOT NULL,
    opened_via text NOT NULL DEFAULT 'browser',
    ended_at timestamptz,
    ended_reason text,
    ended_by uuid,
    device_kind text NOT NULL DEFAULT 'unknown',
    browser text,
    browser_version text,
    os text,
    os_version text,
    brand text,
    model text
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
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id uuid REFERENCES user_sessions (id) ON DELETE CASCADE,
    kind text NOT NULL,
    detail text,
    ip_address text CHECK (length(ip_address) <= 45),
    -- Who did it, and from which session; no reference, as they may go first.
    by_user_id uuid,
    by_session_id uuid,
    at timestamptz NOT NULL
);

-- One session's events, newest first, and the cascade when it is purged.
CREATE INDEX session_events_of_session ON session_events (session_id, id DESC);
-- A person's events, newest first, and the cascade when they are deleted.
CREATE INDEX session_events_of_user ON session_events (user_id, id DESC);
