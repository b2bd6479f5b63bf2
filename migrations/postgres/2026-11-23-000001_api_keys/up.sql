CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) <= 255),
    -- SHA-256 in hexadecimal: the secret is random, so it needs no slow hash.
    secret_hash text NOT NULL UNIQUE,
    -- Names of scopes, separated by spaces.
    scopes text NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz
);
