-- Orders of administrators that end many sessions, in batches.
CREATE TABLE bulk_jobs (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    created_at TIMESTAMP NOT NULL,
    -- Who ordered it: a person and their session, or an application; no reference, as they may go
    -- first. The address is deleted when the job is over.
    by_user_id BLOB,
    by_session_id BLOB,
    by_application_id BLOB,
    by_ip TEXT CHECK (length(by_ip) <= 45),
    -- The owners of the sessions see it.
    stated_reason TEXT CHECK (length(stated_reason) <= 500),
    -- Which sessions: a filter as a JSON object of its parts, or their ids as a JSON list.
    filter TEXT,
    listed TEXT CHECK (length(listed) <= 65536),
    -- The person whose sessions are left out.
    except_user_id BLOB,
    -- The latest sign-in of a session that it may end.
    opened_until TIMESTAMP NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'stopped', 'failed')),
    -- The sessions that it was for when it was ordered.
    total BIGINT NOT NULL CHECK (total >= 0),
    is_total_exact BOOLEAN NOT NULL,
    ended BIGINT NOT NULL DEFAULT 0,
    already_over BIGINT NOT NULL DEFAULT 0,
    failed BIGINT NOT NULL DEFAULT 0,
    -- The last session that was dealt with; of listed ones only the id.
    position_at TIMESTAMP,
    position_id BLOB,
    started_at TIMESTAMP,
    updated_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    -- Errors in a row that are no session's own.
    errors INTEGER NOT NULL DEFAULT 0,
    last_error TEXT CHECK (length(last_error) <= 500),
    CHECK ((filter IS NULL) <> (listed IS NULL))
);
-- Jobs that are running.
CREATE INDEX bulk_jobs_by_state ON bulk_jobs (state, id);
-- Jobs to be purged.
CREATE INDEX bulk_jobs_finished ON bulk_jobs (finished_at);
