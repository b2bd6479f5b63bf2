-- The tries that failed, or whose outcome is open, by whom they count against. No row: none. An address
-- without an account has a row by its keyed digest. The oldest rows are purged when there are too many.
CREATE TABLE account_throttles (
    -- Which kind of tries, and against what they count: account:UUID, address:DIGEST, …
    key TEXT NOT NULL PRIMARY KEY CHECK (length(key) <= 128),
    -- The person, where there is one. Not a reference: it must not lock their row.
    user_id BLOB CHECK (length(user_id) = 16),
    failures INTEGER NOT NULL,
    last_at TIMESTAMP NOT NULL
);

-- To lift the delays of a person.
CREATE INDEX account_throttles_by_user ON account_throttles (user_id) WHERE user_id IS NOT NULL;
-- To purge rows that are forgotten.
CREATE INDEX account_throttles_by_last ON account_throttles (last_at);
