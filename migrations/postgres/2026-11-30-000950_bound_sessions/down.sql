ALTER TABLE user_sessions DROP COLUMN bound_at;
DROP TABLE session_keys;
