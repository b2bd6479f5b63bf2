-- Refused requests are events as well, also where no account is known. SQLite drops no NOT NULL of a
-- column.
DROP TRIGGER users_delete_events;
CREATE TABLE events_rebuilt (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB,
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
    ip_key TEXT CHECK (length(ip_key) IN (9, 33)),
    -- The name of the device that the request came from, where no session says it.
    device TEXT CHECK (length(device) <= 255),
    -- What may happen often is one row an hour: how often, when last, and what makes two of them the same.
    times INTEGER NOT NULL DEFAULT 1 CHECK (times > 0),
    last_at TIMESTAMP,
    repeat_key TEXT CHECK (length(repeat_key) <= 64)
);
INSERT INTO events_rebuilt (id, user_id, session_id, kind, detail, ip_address, by_user_id, by_session_id, at, by_application_id,
    job_id, stated_reason, ip_key)
SELECT id, user_id, session_id, kind, detail, ip_address, by_user_id, by_session_id, at, by_application_id,
    job_id, stated_reason, ip_key
FROM session_events;
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
-- Of the whole table, since Diesel names no part of one in a conflict of SQLite.
CREATE UNIQUE INDEX session_events_by_repeat_key ON session_events (repeat_key);

-- The events of a person outlive the account, with its id alone: no address, device, name or reason. What
-- these kinds state is one of a few fixed words.
CREATE TRIGGER users_redact_events AFTER DELETE ON users
BEGIN
    UPDATE session_events SET ip_address = NULL, ip_key = NULL, device = NULL, stated_reason = NULL,
        repeat_key = NULL,
        detail = CASE WHEN kind IN ('ended', 'account_created', 'invited', 'role_changed', 'job_stopped',
            'sign_in_failed', 'password_refused', 'throttled', 'form_refused', 'admin_refused',
            'token_refused', 'setting_changed') THEN detail END
    WHERE user_id = OLD.id;
    UPDATE session_events SET device = NULL, repeat_key = NULL
    WHERE by_user_id = OLD.id AND device IS NOT NULL;
END;

-- Figures of one kind since an hour.
CREATE INDEX hourly_counts_by_metric ON hourly_counts (metric, hour);
