DROP INDEX session_events_of_account;

DROP INDEX users_unverified;
DROP INDEX users_disabled;
DROP INDEX users_by_application;
DROP INDEX users_by_subject_prefix;
DROP INDEX users_by_name_prefix;
DROP INDEX users_by_stated_email_prefix;
DROP INDEX users_by_email_prefix;

-- To a service from before there were invitations, one is a link to a forgotten password.
ALTER TABLE password_resets DROP COLUMN is_invitation;
