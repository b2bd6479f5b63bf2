-- What happened to sessions and alerts and is not added to the totals yet: one row for each change,
-- inserted by the triggers below in the transaction of the change, so that no statement can forget it.
-- Rows are only inserted and deleted, never updated: nobody waits for anybody.
CREATE TABLE count_deltas (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- The hour in which it happened, counted from the Unix epoch.
    hour integer NOT NULL,
    -- sign_in, end, alert; move and deletion, which change only what is live.
    event text NOT NULL,
    -- Why it ended; the kind of the alert.
    label text NOT NULL,
    -- By how much the number of live sessions changed, and of which sessions.
    change smallint NOT NULL,
    device_kind text NOT NULL,
    browser text NOT NULL,
    os text NOT NULL,
    country text NOT NULL
);

-- The totals without the rows above. A job adds those up, on one node at a time.
CREATE TABLE hourly_counts (
    hour integer NOT NULL,
    metric text NOT NULL,
    label text NOT NULL,
    total bigint NOT NULL,
    PRIMARY KEY (hour, metric, label)
);

CREATE TABLE live_counts (
    -- all, kind, browser, os, country
    dimension text NOT NULL,
    label text NOT NULL,
    total bigint NOT NULL,
    PRIMARY KEY (dimension, label)
);

-- The labels of a dimension with the most sessions.
CREATE INDEX live_counts_by_total ON live_counts (dimension, total DESC);

-- How many people have live sessions, when that was counted, and when a node began to count last.
CREATE TABLE live_people_counts (
    id integer NOT NULL PRIMARY KEY CHECK (id = 1),
    total bigint,
    counted_at timestamptz,
    claimed_at timestamptz
);
INSERT INTO live_people_counts (id) VALUES (1);

-- The nodes that run, each by its last heartbeat.
CREATE TABLE nodes (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) <= 255),
    version text NOT NULL,
    listen text NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    clock_offset_ms bigint NOT NULL,
    -- What its jobs did last and do next, as JSON.
    jobs text NOT NULL
);

-- Messages that were given up.
CREATE INDEX mail_queue_failed ON mail_queue (updated_at) WHERE state = 'failed';

CREATE FUNCTION count_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        IF OLD.is_active THEN
            INSERT INTO count_deltas (hour, event, label, change, device_kind, browser, os, country)
            VALUES (
                CASE WHEN TG_OP = 'UPDATE'
                    THEN floor(extract(epoch FROM coalesce(NEW.ended_at, NEW.updated_at)) / 3600)::integer
                    ELSE floor(extract(epoch FROM OLD.updated_at) / 3600)::integer
                END,
                CASE WHEN TG_OP = 'DELETE' THEN 'deletion' WHEN NEW.is_active THEN 'move' ELSE 'end' END,
                CASE WHEN TG_OP = 'DELETE' OR NEW.is_active THEN '' ELSE coalesce(NEW.ended_reason, '') END,
                -1, OLD.device_kind, coalesce(OLD.browser, ''), coalesce(OLD.os, ''),
                coalesce(OLD.location_country, '')
            );
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        IF NEW.is_active OR TG_OP = 'INSERT' THEN
            INSERT INTO count_deltas (hour, event, label, change, device_kind, browser, os, country)
            VALUES (
                floor(extract(epoch FROM NEW.created_at) / 3600)::integer,
                CASE WHEN TG_OP = 'INSERT' THEN 'sign_in' ELSE 'move' END,
                '',
                CASE WHEN NEW.is_active THEN 1 ELSE 0 END,
                NEW.device_kind, coalesce(NEW.browser, ''), coalesce(NEW.os, ''),
                coalesce(NEW.location_country, '')
            );
        END IF;
        -- One that had ended before it was inserted, such as from a copy.
        IF TG_OP = 'INSERT' AND NOT NEW.is_active THEN
            INSERT INTO count_deltas (hour, event, label, change, device_kind, browser, os, country)
            VALUES (
                floor(extract(epoch FROM coalesce(NEW.ended_at, NEW.updated_at)) / 3600)::integer,
                'end', coalesce(NEW.ended_reason, ''), 0, '', '', '', ''
            );
        END IF;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER user_sessions_count_insert AFTER INSERT ON user_sessions
FOR EACH ROW EXECUTE FUNCTION count_session();

-- A use that changes no country costs one comparison.
CREATE TRIGGER user_sessions_count_update
AFTER UPDATE OF is_active, device_kind, browser, os, location_country ON user_sessions
FOR EACH ROW WHEN (
    OLD.is_active IS DISTINCT FROM NEW.is_active
    OR (NEW.is_active AND (OLD.device_kind, OLD.browser, OLD.os, OLD.location_country)
        IS DISTINCT FROM (NEW.device_kind, NEW.browser, NEW.os, NEW.location_country))
) EXECUTE FUNCTION count_session();

-- Also by the cascade when a person is deleted.
CREATE TRIGGER user_sessions_count_delete AFTER DELETE ON user_sessions
FOR EACH ROW WHEN (OLD.is_active) EXECUTE FUNCTION count_session();

CREATE FUNCTION count_alert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO count_deltas (hour, event, label, change, device_kind, browser, os, country)
    VALUES (floor(extract(epoch FROM NEW.at) / 3600)::integer, 'alert', NEW.kind, 0, '', '', '', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER alerts_count_insert AFTER INSERT ON alerts
FOR EACH ROW EXECUTE FUNCTION count_alert();

-- What there is already. Creating the triggers has locked the tables, so that each session is counted
-- either here or by them.
INSERT INTO live_counts (dimension, label, total)
SELECT 'all', '', count(*) FROM user_sessions WHERE is_active HAVING count(*) > 0
UNION ALL SELECT 'kind', device_kind, count(*) FROM user_sessions WHERE is_active GROUP BY 2
UNION ALL SELECT 'browser', coalesce(browser, ''), count(*) FROM user_sessions WHERE is_active GROUP BY 2
UNION ALL SELECT 'os', coalesce(os, ''), count(*) FROM user_sessions WHERE is_active GROUP BY 2
UNION ALL SELECT 'country', coalesce(location_country, ''), count(*) FROM user_sessions WHERE is_active GROUP BY 2;

INSERT INTO hourly_counts (hour, metric, label, total)
SELECT floor(extract(epoch FROM created_at) / 3600)::integer, 'sign_in', '', count(*) FROM user_sessions GROUP BY 1
UNION ALL
SELECT floor(extract(epoch FROM coalesce(ended_at, updated_at)) / 3600)::integer, 'end', coalesce(ended_reason, ''), count(*)
FROM user_sessions WHERE NOT is_active GROUP BY 1, 3
UNION ALL
SELECT floor(extract(epoch FROM at) / 3600)::integer, 'alert', kind, count(*) FROM alerts GROUP BY 1, 3;
