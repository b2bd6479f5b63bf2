DROP INDEX hourly_counts_by_metric;
DROP TRIGGER users_redact_events ON users;
DROP FUNCTION redact_events_of_person();
CREATE FUNCTION delete_events_of_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM session_events WHERE user_id = OLD.id;
    RETURN NULL;
END;
$$;
CREATE TRIGGER users_delete_events AFTER DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION delete_events_of_person();
DELETE FROM session_events WHERE kind IN ('sign_in_failed', 'password_refused', 'throttled', 'form_refused',
    'admin_refused', 'token_refused', 'setting_changed', 'email_change_cancelled', 'service_key_created', 'service_key_revoked', 'key_created', 'key_revoked', 'signed_up',
    'password_link_requested', 'verification_link_requested');
DELETE FROM session_events WHERE user_id IS NULL;
DELETE FROM session_events WHERE kind NOT IN ('account_deleted', 'job_stopped')
    AND NOT EXISTS (SELECT 1 FROM users WHERE users.id = session_events.user_id);
DELETE FROM hourly_counts WHERE metric IN ('refusal', 'throttled_account', 'throttled_network');
DROP INDEX session_events_by_repeat_key;
ALTER TABLE session_events DROP COLUMN repeat_key;
ALTER TABLE session_events DROP COLUMN last_at;
ALTER TABLE session_events DROP COLUMN times;
ALTER TABLE session_events DROP COLUMN device;
ALTER TABLE session_events ALTER COLUMN user_id SET NOT NULL;
