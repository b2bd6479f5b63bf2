CREATE TABLE old_mail_queue (
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
INSERT INTO old_mail_queue
SELECT id, user_id, alert_id, recipient, state, attempts, due_at, created_at, updated_at
FROM mail_queue WHERE alert_id IS NOT NULL;
DROP TABLE mail_queue;
ALTER TABLE old_mail_queue RENAME TO mail_queue;
CREATE INDEX mail_queue_due ON mail_queue (due_at) WHERE state = 'waiting';
CREATE INDEX mail_queue_of_user ON mail_queue (user_id);
CREATE INDEX mail_queue_of_alert ON mail_queue (alert_id);
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
