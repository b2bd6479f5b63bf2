DROP TABLE session_events;
DROP TABLE user_sessions;
DROP TABLE users;
