-- The current refresh token's counter: each rotation adds one, and the token carries it.
ALTER TABLE user_sessions ADD COLUMN rotation_count integer NOT NULL DEFAULT 0;
-- The last few rotations, newest first, at fixed width; empty once the grace period is over.
ALTER TABLE user_sessions ADD COLUMN recent_rotations text NOT NULL DEFAULT ''
    CHECK (length(recent_rotations) <= 416);
-- Whether anybody used the current refresh token: an access token made with it was seen. True for
-- sessions from before this version, of which that is not known: their spent token gets no new
-- successor after the grace period.
ALTER TABLE user_sessions ADD COLUMN is_token_used boolean NOT NULL DEFAULT true;

-- Rotations to forget.
CREATE INDEX user_sessions_rotated ON user_sessions (rotated_at) WHERE recent_rotations <> '';

-- Whether keys were made for this database: another node must not make its own.
CREATE TABLE key_creations (
    id integer NOT NULL PRIMARY KEY CHECK (id = 1),
    created_at timestamptz NOT NULL
);
