DROP INDEX users_by_application_subject;
-- A subject is unique again: of several people with one, the oldest keeps it, and no application
-- finds the others.
UPDATE users SET external_subject = id::text
WHERE external_subject IS NOT NULL AND EXISTS (
    SELECT 1 FROM users AS other
    WHERE other.external_subject = users.external_subject AND other.id < users.id
);
CREATE UNIQUE INDEX users_by_external_subject ON users (external_subject);
ALTER TABLE users DROP COLUMN application_id;
ALTER TABLE api_keys DROP COLUMN expires_at;
ALTER TABLE api_keys DROP COLUMN application_id;
UPDATE api_keys SET scopes = trim(replace(' ' || scopes || ' ', ' tokens:any ', ' '))
WHERE ' ' || scopes || ' ' LIKE '% tokens %';
UPDATE api_keys SET scopes = replace(scopes, 'tokens:any', 'tokens');
DROP TABLE applications;
