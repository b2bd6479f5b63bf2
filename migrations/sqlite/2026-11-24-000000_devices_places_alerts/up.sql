-- How much of the addresses a person comes from is stored: whole, shortened, none.
ALTER TABLE users ADD COLUMN address_keeping TEXT NOT NULL DEFAULT 'whole';
ALTER TABLE users ADD COLUMN alert_emails BOOLEAN NOT NULL DEFAULT true;

-- Where the place is, as ISO 6709 has it: +45.75+004.85/
ALTER TABLE user_sessions ADD COLUMN location_point TEXT CHECK (length(location_point) <= 32);

-- The known devices, which store a device id; each outlives its sessions.
CREATE TABLE devices (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id TEXT NOT NULL CHECK (length(device_id) <= 255),
    -- The name its owner gave it.
    name TEXT CHECK (length(name) <= 255),
    first_seen_at TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id, device_id)
);

INSERT INTO devices (user_id, device_id, first_seen_at, last_seen_at)
SELECT user_id, device_id, min(created_at), max(last_used_at)
FROM user_sessions WHERE device_id IS NOT NULL GROUP BY user_id, device_id;

-- Devices to purge.
CREATE INDEX devices_by_last_seen ON devices (last_seen_at);

-- One device's live sessions.
CREATE INDEX user_sessions_of_device ON user_sessions (user_id, device_id) WHERE is_active;

CREATE TABLE alerts (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The session it is about; it may be purged before.
    session_id BLOB,
    kind TEXT NOT NULL,
    -- What the person signed in with then.
    email TEXT NOT NULL CHECK (length(email) <= 254),
    -- As it was then: what, and where.
    device_name TEXT NOT NULL CHECK (length(device_name) <= 255),
    device_kind TEXT NOT NULL,
    ip_address TEXT CHECK (length(ip_address) <= 45),
    location_city TEXT CHECK (length(location_city) <= 100),
    location_country TEXT CHECK (length(location_country) <= 100),
    at TIMESTAMP NOT NULL,
    -- What the person said to it.
    answer TEXT,
    answered_at TIMESTAMP
);

-- A person's unanswered alerts, newest first.
CREATE INDEX alerts_open ON alerts (user_id, id DESC) WHERE answered_at IS NULL;
-- The cascade when a person is deleted.
CREATE INDEX alerts_of_user ON alerts (user_id);

CREATE TABLE mail_queue (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- What it tells of.
    alert_id BLOB NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    recipient TEXT NOT NULL CHECK (length(recipient) <= 254),
    -- waiting, handed_over (the server has it, its answer is not known), sent, failed
    state TEXT NOT NULL DEFAULT 'waiting',
    attempts integer NOT NULL DEFAULT 0,
    -- When it may be tried next.
    due_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

-- Mail to be sent.
CREATE INDEX mail_queue_due ON mail_queue (due_at) WHERE state = 'waiting';
-- The cascades when a person or an alert is deleted.
CREATE INDEX mail_queue_of_user ON mail_queue (user_id);
CREATE INDEX mail_queue_of_alert ON mail_queue (alert_id);
