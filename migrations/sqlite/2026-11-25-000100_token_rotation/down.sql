DROP TABLE key_creations;
DROP INDEX user_sessions_rotated;
ALTER TABLE user_sessions DROP COLUMN is_token_used;
ALTER TABLE user_sessions DROP COLUMN recent_rotations;
ALTER TABLE user_sessions DROP COLUMN rotation_count;
