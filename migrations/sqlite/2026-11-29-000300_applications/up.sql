-- Applications: each has its keys, and its own people. A key can be replaced without losing them.
CREATE TABLE applications (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 255),
    -- Whether its keys also find the people of "Earlier": true for those from before there were
    -- applications, when every key found all of them.
    uses_earlier BOOLEAN NOT NULL DEFAULT false,
    created_at TIMESTAMP NOT NULL
);

-- Each key becomes an application of its own, with the key's id and name. Of several keys with one
-- name the oldest has it, and the others a number besides, or their id where that is taken.
INSERT INTO applications (id, name, uses_earlier, created_at)
SELECT
    id,
    CASE
        WHEN n = 1 THEN name
        WHEN length(name) > 240
            OR EXISTS (SELECT 1 FROM api_keys AS other WHERE other.name = numbered.name || ' (' || n || ')')
        THEN substr(name, 1, 200) || ' (' || lower(
            substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4) || '-'
            || substr(hex(id), 17, 4) || '-' || substr(hex(id), 21)
        ) || ')'
        ELSE name || ' (' || n || ')'
    END,
    EXISTS (SELECT 1 FROM users WHERE external_subject IS NOT NULL),
    created_at
FROM (
    SELECT
        id,
        name,
        created_at,
        row_number() OVER (PARTITION BY name ORDER BY created_at, id) + CASE
            WHEN name = 'Earlier' AND EXISTS (SELECT 1 FROM users WHERE external_subject IS NOT NULL) THEN 1
            ELSE 0
        END AS n
    FROM api_keys
) AS numbered;

-- People whom applications authenticated before; nobody can tell which. The id is fixed.
INSERT INTO applications (id, name, created_at)
SELECT X'00000000000070008000000000000000', 'Earlier', max(created_at)
FROM users WHERE external_subject IS NOT NULL HAVING count(*) > 0;

-- SQLite adds no column that is NOT NULL and refers to another table.
CREATE TABLE api_keys_with_application (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL CHECK (length(name) <= 255),
    -- SHA-256 in hexadecimal: the secret is random, so it needs no slow hash.
    secret_hash TEXT NOT NULL UNIQUE,
    -- Names of scopes, separated by spaces.
    scopes TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP,
    revoked_at TIMESTAMP,
    application_id BLOB NOT NULL REFERENCES applications (id),
    -- From when on it authenticates nobody; null: never.
    expires_at TIMESTAMP
);
INSERT INTO api_keys_with_application
SELECT id, name, secret_hash, scopes, created_at, last_used_at, revoked_at, id, NULL FROM api_keys;
DROP TABLE api_keys;
ALTER TABLE api_keys_with_application RENAME TO api_keys;

-- Keys that could introspect and revoke every token still can.
UPDATE api_keys SET scopes = scopes || ' tokens:any'
WHERE ' ' || scopes || ' ' LIKE '% tokens %';

-- The application whose subject identifies a person.
ALTER TABLE users ADD COLUMN application_id BLOB REFERENCES applications (id);
UPDATE users SET application_id = X'00000000000070008000000000000000'
WHERE external_subject IS NOT NULL;
DROP INDEX users_by_external_subject;
-- A person by an application's subject, and the people of an application.
CREATE UNIQUE INDEX users_by_application_subject ON users (application_id, external_subject);
