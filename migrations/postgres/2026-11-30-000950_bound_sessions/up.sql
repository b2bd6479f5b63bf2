-- The keys that browsers made for their sessions: a copy of a session's cookie is no use without one.
CREATE TABLE session_keys (
    session_id uuid NOT NULL PRIMARY KEY REFERENCES user_sessions (id) ON DELETE CASCADE,
    user_id uuid NOT NULL,
    -- The compressed point on P-256.
    public_key bytea NOT NULL CHECK (length(public_key) = 33),
    registered_at timestamptz NOT NULL,
    -- When a request brought the bound cookie first; from then on it is required.
    seen_at timestamptz,
    -- When the challenge was made that was proved last.
    proved_at timestamptz NOT NULL,
    -- When that was proved first: a proof may come again.
    renewed_at timestamptz NOT NULL,
    -- When it was last noted, and its person last alerted, that the session was used without the key.
    noted_at timestamptz,
    alerted_at timestamptz
);

-- Since when a session is bound: the time of `seen_at`, for lists and filters.
ALTER TABLE user_sessions ADD COLUMN bound_at timestamptz;
