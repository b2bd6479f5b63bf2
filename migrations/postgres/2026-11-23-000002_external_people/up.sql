-- The application's identifier of a person whom it authenticates itself.
ALTER TABLE users ADD COLUMN external_subject text CHECK (length(external_subject) <= 255);

CREATE UNIQUE INDEX users_by_external_subject ON users (external_subject);
