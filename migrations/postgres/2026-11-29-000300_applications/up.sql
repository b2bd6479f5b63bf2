-- Applications: each has its keys, and its own people. A key can be replaced without losing them.
CREATE TABLE applications (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 255),
    -- Whether its keys also find the people of "Earlier": true for those from before there were
    -- applications, when every key found all of them.
    uses_earlier boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL
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
        THEN substr(name, 1, 200) || ' (' || id || ')'
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
SELECT '00000000-0000-7000-8000-000000000000', 'Earlier', max(created_at)
FROM users WHERE external_subject IS NOT NULL HAVING count(*) > 0;

ALTER TABLE api_keys ADD COLUMN application_id uuid REFERENCES applications (id);
UPDATE api_keys SET application_id = id;
ALTER TABLE api_keys ALTER COLUMN application_id SET NOT NULL;
-- From when on it authenticates nobody; null: never.
ALTER TABLE api_keys ADD COLUMN expires_at timestamptz;

-- Keys that could introspect and revoke every token still can.
UPDATE api_keys SET scopes = scopes || ' tokens:any'
WHERE ' ' || scopes || ' ' LIKE '% tokens %';

-- The application whose subject identifies a person.
ALTER TABLE users ADD COLUMN application_id uuid REFERENCES applications (id);
UPDATE users SET application_id = '00000000-0000-7000-8000-000000000000'
WHERE external_subject IS NOT NULL;
DROP INDEX users_by_external_subject;
-- A person by an application's subject, and the people of an application.
CREATE UNIQUE INDEX users_by_application_subject ON users (application_id, external_subject);
