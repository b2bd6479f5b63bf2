-- Whether the link sets the first password of an account that an administrator made.
ALTER TABLE password_resets ADD COLUMN is_invitation boolean NOT NULL DEFAULT false;

-- What administrators find people by: how it begins, ignoring case.
CREATE INDEX users_by_email_prefix ON users (lower(email) text_pattern_ops);
CREATE INDEX users_by_stated_email_prefix ON users (lower(stated_email) text_pattern_ops);
CREATE INDEX users_by_name_prefix ON users (lower(full_name) text_pattern_ops);
CREATE INDEX users_by_subject_prefix ON users (lower(external_subject) text_pattern_ops);

-- The administrator's lists of people, newest first, by one filter each.
CREATE INDEX users_by_application ON users (application_id, id) WHERE application_id IS NOT NULL;
CREATE INDEX users_disabled ON users (id) WHERE NOT is_active;
CREATE INDEX users_unverified ON users (id) WHERE email_verified_at IS NULL AND external_subject IS NULL;

-- What happened to an account, rather than to one session of it.
CREATE INDEX session_events_of_account ON session_events (user_id, id DESC) WHERE session_id IS NULL;
