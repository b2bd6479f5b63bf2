-- That an account was deleted is recorded, and outlives the account. Its other events go with it, as
-- before, whichever statement deletes it.
ALTER TABLE session_events DROP CONSTRAINT session_events_user_id_fkey;
CREATE FUNCTION delete_events_of_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM session_events WHERE user_id = OLD.id;
    RETURN NULL;
END;
$$;
CREATE TRIGGER users_delete_events AFTER DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION delete_events_of_person();

-- The administrator who made a link. No reference: the link is deleted when they are no administrator
-- any more.
ALTER TABLE password_resets ADD COLUMN by_user_id uuid;
CREATE INDEX password_resets_by_person ON password_resets (by_user_id) WHERE by_user_id IS NOT NULL;

-- Why a job was stopped.
ALTER TABLE bulk_jobs ADD COLUMN stop_cause text;
-- The ids of the sessions that were signed in by a clock that is ahead, as a JSON list: of those after
-- the order, the only ones that it is for.
ALTER TABLE bulk_jobs ADD COLUMN ahead text CHECK (length(ahead) <= 65536);
