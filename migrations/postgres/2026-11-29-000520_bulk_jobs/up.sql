-- Orders of administrators that end many sessions, in batches.
CREATE TABLE bulk_jobs (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    -- Who ordered it: a person and their session, or an application; no reference, as they may go
    -- first. The address is deleted when the job is over.
    by_user_id uuid,
    by_session_id uuid,
    by_application_id uuid,
    by_ip text CHECK (length(by_ip) <= 45),
    -- The owners of the sessions see it.
    stated_reason text CHECK (length(stated_reason) <= 500),
    -- Which sessions: a filter as a JSON object of its parts, or their ids as a JSON list.
    filter text,
    listed text CHECK (length(listed) <= 65536),
    -- The person whose sessions are left out.
    except_user_id uuid,
    -- The latest sign-in of a session that it may end.
    opened_until timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'done', 'stopped', 'failed')),
    -- The sessions that it was for when it was ordered.
    total bigint NOT NULL CHECK (total >= 0),
    is_total_exact boolean NOT NULL,
    ended bigint NOT NULL DEFAULT 0,
    already_over bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    -- The last session that was dealt with; of listed ones only the id.
    position_at timestamptz,
    position_id uuid,
    started_at timestamptz,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    -- Errors in a row that are no session's own.
    errors integer NOT NULL DEFAULT 0,
    last_error text CHECK (length(last_error) <= 500),
    CHECK ((filter IS NULL) <> (listed IS NULL))
);
-- Jobs that are running.
CREATE INDEX bulk_jobs_by_state ON bulk_jobs (state, id);
-- Jobs to be purged.
CREATE INDEX bulk_jobs_finished ON bulk_jobs (finished_at);
