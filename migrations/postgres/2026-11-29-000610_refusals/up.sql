-- Refused requests are events as well, also where no account is known.
ALTER TABLE session_events ALTER COLUMN user_id DROP NOT NULL;
-- The name of the device that the request came from, where no session says it.
ALTER TABLE session_events ADD COLUMN device text CHECK (length(device) <= 255);
-- What may happen often is one row an hour: how often, when last, and what makes two of them the same.
ALTER TABLE session_events ADD COLUMN times integer NOT NULL DEFAULT 1 CHECK (times > 0);
ALTER TABLE session_events ADD COLUMN last_at timestamptz;
ALTER TABLE session_events ADD COLUMN repeat_key text CHECK (length(repeat_key) <= 64);
CREATE UNIQUE INDEX session_events_by_repeat_key ON session_events (repeat_key) WHERE repeat_key IS NOT NULL;

-- The events of a person outlive the account, with its id alone: no address, device, name or reason. What
-- these kinds state is one of a few fixed words.
DROP TRIGGER users_delete_events ON users;
DROP FUNCTION delete_events_of_person();
CREATE FUNCTION redact_events_of_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE session_events SET ip_address = NULL, ip_key = NULL, device = NULL, stated_reason = NULL,
        repeat_key = NULL,
        detail = CASE WHEN kind IN ('ended', 'account_created', 'invited', 'role_changed', 'job_stopped',
            'sign_in_failed', 'password_refused', 'throttled', 'form_refused', 'admin_refused',
            'token_refused', 'setting_changed') THEN detail END
    WHERE user_id = OLD.id;
    UPDATE session_events SET device = NULL, repeat_key = NULL
    WHERE by_user_id = OLD.id AND device IS NOT NULL;
    RETURN NULL;
END;
$$;
CREATE TRIGGER users_redact_events AFTER DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION redact_events_of_person();

-- Figures of one kind since an hour.
CREATE INDEX hourly_counts_by_metric ON hourly_counts (metric, hour);
