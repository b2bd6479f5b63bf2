DROP INDEX mail_queue_of_recipient;
DROP INDEX mail_queue_due;
DELETE FROM mail_queue WHERE alert_id IS NULL;
ALTER TABLE mail_queue DROP COLUMN priority;
ALTER TABLE mail_queue DROP COLUMN subject_id;
ALTER TABLE mail_queue DROP COLUMN kind;
ALTER TABLE mail_queue ALTER COLUMN alert_id SET NOT NULL;
CREATE INDEX mail_queue_due ON mail_queue (due_at) WHERE state = 'waiting';
DROP TABLE message_counts;
DROP TABLE reset_requests;
DROP INDEX alerts_of_summary;
ALTER TABLE alerts DROP COLUMN summary_id;
DROP TABLE password_resets;
DROP TABLE former_emails;
DROP TABLE email_verifications;
DROP INDEX users_admins;
ALTER TABLE users DROP COLUMN password_links_void_before;
ALTER TABLE users DROP COLUMN email_declined_at;
ALTER TABLE users DROP COLUMN is_email_from_before;
ALTER TABLE users DROP COLUMN email_verified_at;
-- An address is unique again: of several people with one, the oldest keeps it.
UPDATE users SET email = stated_email
WHERE stated_email IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM users AS other WHERE lower(other.email) = lower(users.stated_email))
    AND NOT EXISTS (
        SELECT 1 FROM users AS other
        WHERE lower(other.stated_email) = lower(users.stated_email) AND other.id < users.id
    );
ALTER TABLE users DROP COLUMN stated_email;
