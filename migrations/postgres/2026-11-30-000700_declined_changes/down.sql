CREATE OR REPLACE FUNCTION redact_events_of_person() RETURNS trigger LANGUAGE plpgsql AS $$
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
