-- The people for whom an application states an e-mail.
CREATE INDEX users_by_stated_email ON users (stated_email) WHERE stated_email IS NOT NULL;

-- Every ended session has its place in the lists by end.
UPDATE user_sessions SET ended_at = updated_at WHERE NOT is_active AND ended_at IS NULL;

-- To compare texts without regard to case; the program adds the same function to SQLite.
CREATE FUNCTION folded(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT lower($1)';
