CREATE TABLE api_keys (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL CHECK (length(name) <= 255),
    -- SHA-256 in hexadecimal: the secret is random, so it needs no slow hash.
    secret_hash TEXT NOT NULL UNIQUE,
    -- Names of scopes, separated by spaces.
    scopes TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP,
    revoked_at TIMESTAMP
);
