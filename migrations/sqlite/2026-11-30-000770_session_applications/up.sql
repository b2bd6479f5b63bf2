-- Which applications a session reached, and when last: hosts behind forward-auth, applications that called
-- with a key, and applications that access tokens were issued for.
CREATE TABLE session_applications (
    session_id BLOB NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    user_id BLOB NOT NULL CHECK (length(user_id) = 16),
    kind TEXT NOT NULL CHECK (kind IN ('host', 'client', 'audience')),
    -- The host with its port, or the id of the application. Not a reference: what a session reached stays so
    -- when the application is deleted.
    name TEXT NOT NULL CHECK (length(name) <= 259),
    last_used_at TIMESTAMP NOT NULL,
    PRIMARY KEY (session_id, kind, name)
);
