ALTER TABLE bulk_jobs DROP COLUMN ahead;
ALTER TABLE bulk_jobs DROP COLUMN stop_cause;
DROP INDEX password_resets_by_person;
ALTER TABLE password_resets DROP COLUMN by_user_id;
DROP TRIGGER users_delete_events ON users;
DROP FUNCTION delete_events_of_person();
DELETE FROM session_events WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.id = session_events.user_id);
ALTER TABLE session_events ADD CONSTRAINT session_events_user_id_fkey
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
