-- The address that an application states for its own person: it is shown, and neither unique nor
-- signed in with. Those from before move here.
ALTER TABLE users ADD COLUMN stated_email TEXT CHECK (length(stated_email) <= 254);
UPDATE users SET stated_email = email
WHERE external_subject IS NOT NULL AND email NOT LIKE '%@external.invalid';
UPDATE users SET email = lower(
    substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4) || '-'
    || substr(hex(id), 17, 4) || '-' || substr(hex(id), 21)
) || '@external.invalid' WHERE external_subject IS NOT NULL;

-- When its owner proved that they read the mail of this address, or an administrator vouched for it.
ALTER TABLE users ADD COLUMN email_verified_at TIMESTAMP;
-- Whether the address was stored before addresses were verified.
ALTER TABLE users ADD COLUMN is_email_from_before BOOLEAN NOT NULL DEFAULT false;
UPDATE users SET is_email_from_before = true WHERE external_subject IS NULL;
-- When the reader of the mailbox said that the address isn't theirs; it gets no alerts since then.
ALTER TABLE users ADD COLUMN email_declined_at TIMESTAMP;
-- Links in messages from before this time set no password any more.
ALTER TABLE users ADD COLUMN password_links_void_before TIMESTAMP;

-- The administrators, of whom one has to stay.
CREATE INDEX users_admins ON users (id) WHERE is_admin;

-- The address that a person's open verification link is about: their own after sign-up, or the one
-- that they want to change to.
CREATE TABLE email_verifications (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    email TEXT NOT NULL CHECK (length(email) <= 254),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);

-- Links to purge.
CREATE INDEX email_verifications_by_expiry ON email_verifications (expires_at);

-- Addresses that people had before, each with the window in which it can take the account back.
CREATE TABLE former_emails (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email TEXT NOT NULL CHECK (length(email) <= 254),
    -- When it had been verified; null for one from before addresses were verified.
    verified_at TIMESTAMP,
    -- When another address took its place, and when its window ends.
    changed_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    -- open, closed (confirmed, taken back, overridden by an administrator), reported
    state TEXT NOT NULL DEFAULT 'open'
);

-- Changes of e-mail from before this version, which nobody confirmed or reported: their former
-- addresses can take the account back for the 7 days that they were promised.
INSERT INTO former_emails (id, user_id, email, verified_at, changed_at, expires_at, state)
SELECT id, user_id, lower(email), NULL, at, strftime('%Y-%m-%d %H:%M:%f', at, '+7 days') || '000', 'open'
FROM alerts WHERE kind = 'email_changed' AND answered_at IS NULL;

-- Of an account that went back to its address, what came between can't take it from there.
UPDATE former_emails SET state = 'reported' WHERE EXISTS (
    SELECT 1 FROM former_emails AS own JOIN users ON users.id = own.user_id
    WHERE own.user_id = former_emails.user_id AND own.email = lower(users.email)
        AND own.changed_at < former_emails.changed_at AND former_emails.email <> own.email
);
UPDATE former_emails SET state = 'closed' WHERE EXISTS (
    SELECT 1 FROM users WHERE users.id = former_emails.user_id AND lower(users.email) = former_emails.email
);

-- Former addresses to purge.
CREATE INDEX former_emails_by_expiry ON former_emails (expires_at);
-- Whether an address is reserved.
CREATE INDEX former_emails_open ON former_emails (lower(email)) WHERE state = 'open';
-- A person's former addresses, oldest first, and the cascade when they are deleted.
CREATE INDEX former_emails_of_user ON former_emails (user_id, changed_at);

-- Links of "forgotten password", by mail or handed over by an administrator. Each works once: it is
-- deleted when it is used.
CREATE TABLE password_resets (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The mailbox that it was sent to; null where an administrator hands it over.
    email TEXT CHECK (length(email) <= 254),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);

-- A person's links, and the cascade when they are deleted.
CREATE INDEX password_resets_of_user ON password_resets (user_id);
-- Links to purge.
CREATE INDEX password_resets_by_expiry ON password_resets (expires_at);

-- Addresses for which "forgotten password" was asked, whether they have an account or not: the
-- request costs the same, and the mail job answers it.
CREATE TABLE reset_requests (
    email TEXT PRIMARY KEY NOT NULL CHECK (length(email) <= 254),
    created_at TIMESTAMP NOT NULL
);

-- Requests in their order.
CREATE INDEX reset_requests_by_time ON reset_requests (created_at);

-- The messages that strangers can cause, to limit them for each recipient and kind. They outlive the
-- account that they were about: otherwise to delete it would lift the limit.
CREATE TABLE message_counts (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    recipient TEXT NOT NULL CHECK (length(recipient) <= 254),
    kind TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

-- How many a recipient was sent lately.
CREATE INDEX message_counts_of_recipient ON message_counts (recipient, kind, id);

-- The message that tells of a sign-in together with others, where it has none of its own.
ALTER TABLE alerts ADD COLUMN summary_id BLOB;
CREATE INDEX alerts_of_summary ON alerts (summary_id) WHERE summary_id IS NOT NULL;

-- A message may be about something else than an alert. SQLite can't drop a column's NOT NULL, so the
-- table is created again.
CREATE TABLE new_mail_queue (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The alert that it is about, if it is one.
    alert_id BLOB REFERENCES alerts (id) ON DELETE CASCADE,
    recipient TEXT NOT NULL CHECK (length(recipient) <= 254),
    -- waiting, handed_over (the server has it, its answer is not known), sent, failed
    state TEXT NOT NULL DEFAULT 'waiting',
    attempts integer NOT NULL DEFAULT 0,
    -- When it may be tried next.
    due_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    kind TEXT NOT NULL DEFAULT 'alert',
    -- The row that a message of another kind is about: a verification, a reset.
    subject_id BLOB,
    -- Which messages go out first: 0, about e-mail, password and token reuse; 1, with a link that
    -- sets a password; 2, all others.
    priority smallint NOT NULL DEFAULT 2
);
INSERT INTO new_mail_queue
    (id, user_id, alert_id, recipient, state, attempts, due_at, created_at, updated_at)
SELECT id, user_id, alert_id, recipient, state, attempts, due_at, created_at, updated_at
FROM mail_queue;
DROP TABLE mail_queue;
ALTER TABLE new_mail_queue RENAME TO mail_queue;

CREATE INDEX mail_queue_due ON mail_queue (priority, due_at) WHERE state = 'waiting';
CREATE INDEX mail_queue_of_user ON mail_queue (user_id);
CREATE INDEX mail_queue_of_alert ON mail_queue (alert_id);
-- The message that waits to tell a recipient of several sign-ins.
CREATE INDEX mail_queue_of_recipient ON mail_queue (lower(recipient), kind, id) WHERE state = 'waiting';
