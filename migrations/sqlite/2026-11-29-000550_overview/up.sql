-- What happened to sessions and alerts and is not added to the totals yet: one row for each change,
-- inserted by the triggers below in the transaction of the change, so that no statement can forget it.
CREATE TABLE count_deltas (
    id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)) CHECK (length(id) = 16),
    -- The hour in which it happened, counted from the Unix epoch.
    hour INTEGER NOT NULL,
    -- sign_in, end, alert; move and deletion, which change only what is live.
    event TEXT NOT NULL,
    -- Why it ended; the kind of the alert.
    label TEXT NOT NULL,
    -- By how much the number of live sessions changed, and of which sessions.
    change SMALLINT NOT NULL,
    device_kind TEXT NOT NULL,
    browser TEXT NOT NULL,
    os TEXT NOT NULL,
    country TEXT NOT NULL
);

-- The totals without the rows above. A job adds those up, on one node at a time.
CREATE TABLE hourly_counts (
    hour INTEGER NOT NULL,
    metric TEXT NOT NULL,
    label TEXT NOT NULL,
    total BIGINT NOT NULL,
    PRIMARY KEY (hour, metric, label)
);

CREATE TABLE live_counts (
    -- all, kind, browser, os, country
    dimension TEXT NOT NULL,
    label TEXT NOT NULL,
    total BIGINT NOT NULL,
    PRIMARY KEY (dimension, label)
);

-- The labels of a dimension with the most sessions.
CREATE INDEX live_counts_by_total ON live_counts (dimension, total DESC);

-- How many people have live sessions, when that was counted, and when a node began to count last.
CREATE TABLE live_people_counts (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    total BIGINT,
    counted_at TIMESTAMP,
    claimed_at TIMESTAMP
);
INSERT INTO live_people_counts (id) VALUES (1);

-- The nodes that run, each by its last heartbeat.
CREATE TABLE nodes (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL CHECK (length(name) <= 255),
    version TEXT NOT NULL,
    listen TEXT NOT NULL,
    started_at TIMESTAMP NOT NULL,
    seen_at TIMESTAMP NOT NULL,
    clock_offset_ms BIGINT NOT NULL,
    -- What its jobs did last and do next, as JSON.
    jobs TEXT NOT NULL
);

-- Messages that were given up.
CREATE INDEX mail_queue_failed ON mail_queue (updated_at) WHERE state = 'failed';

CREATE TRIGGER user_sessions_count_insert AFTER INSERT ON user_sessions
BEGIN
    INSERT INTO count_deltas (hour, event, label, change, device_kind, browser, os, country)
    VALUES (
        coalesce(CAST(strftime('%s', NEW.created_at) AS INTEGER), 0) / 3600, 'sign_in', '',
        CASE WHEN NEW.is_active THEN 1 ELSE 0 END,
        NEW.device_kind, coalesce(NEW.browser, ''), coalesce(NEW.os, ''), coalesce(NEW.location_country, '')
    );
    -- One that had ended before it was inserted, such as from a copy.
    INSERT INTO count_deltas (hour, event, label, change, device_kind, browser, os, country)
    SELECT coalesce(CAST(strftime('%s', coalesce(NEW.ended_at, NEW.updated_at)) AS INTEGER), 0) / 3600,
        'end', coalesce(NEW.ended_reason, ''), 0, '', '', '', ''
    WHERE NOT NEW.is_active;
END;

CREATE TRIGGER user_sessions_count_end AFTER UPDATE OF is_active ON user_sessions
WHEN OLD.is_active AND NOT NEW.is_active
BEGIN
    INSERT INTO count_deltas (hour, event, label, change, device_kind, browser, os, country)
    VALUES (
        coalesce(CAST(strftime('%s', coalesce(NEW.ended_at, NEW.updated_at)) AS INTEGER), 0) / 3600,
        'end', coalesce(NEW.ended_reason, ''), -1,
        OLD.device_kind, coalesce(OLD.browser, ''), coalesce(OLD.os, ''), coalesce(OLD.location_country, '')
    );
END;

-- A use that changes no country costs one comparison.
CREATE TRIGGER user_sessions_count_move
AFTER UPDATE OF is_active, device_kind, browser, os, location_country ON user_sessions
WHEN NEW.is_active AND (
    NOT OLD.is_active
    OR (OLD.device_kind, OLD.browser, OLD.os, OLD.location_country)
        IS NOT (NEW.device_kind, NEW.browser, NEW.os, NEW.location_country)
)
BEGIN
    INSERT INTO count_deltas (hour, event, label, change, device_kind, browser, os, country)
    SELECT coalesce(CAST(strftime('%s', NEW.updated_at) AS INTEGER), 0) / 3600, 'move', '', -1,
        OLD.device_kind, coalesce(OLD.browser, ''), coalesce(OLD.os, ''), coalesce(OLD.location_country, '')
    WHERE OLD.is_active;
    INSERT INTO count_deltas (hour, event, label, change, device_kind, browser, os, country)
    VALUES (
        coalesce(CAST(strftime('%s', NEW.updated_at) AS INTEGER), 0) / 3600, 'move', '', 1,
        NEW.device_kind, coalesce(NEW.browser, ''), coalesce(NEW.os, ''), coalesce(NEW.location_country, '')
    );
END;

-- Also by the cascade when a person is deleted.
CREATE TRIGGER user_sessions_count_delete AFTER DELETE ON user_sessions
WHEN OLD.is_active
BEGIN
    INSERT INTO count_deltas (hour, event, label, change, device_kind, browser, os, country)
    VALUES (
        coalesce(CAST(strftime('%s', OLD.updated_at) AS INTEGER), 0) / 3600, 'deletion', '', -1,
        OLD.device_kind, coalesce(OLD.browser, ''), coalesce(OLD.os, ''), coalesce(OLD.location_country, '')
    );
END;

CREATE TRIGGER alerts_count_insert AFTER INSERT ON alerts
BEGIN
    INSERT INTO count_deltas (hour, event, label, change, device_kind, browser, os, country)
    VALUES (coalesce(CAST(strftime('%s', NEW.at) AS INTEGER), 0) / 3600, 'alert', NEW.kind, 0, '', '', '', '');
END;

-- What there is already.
INSERT INTO live_counts (dimension, label, total)
SELECT 'all', '', count(*) FROM user_sessions WHERE is_active HAVING count(*) > 0
UNION ALL SELECT 'kind', device_kind, count(*) FROM user_sessions WHERE is_active GROUP BY 2
UNION ALL SELECT 'browser', coalesce(browser, ''), count(*) FROM user_sessions WHERE is_active GROUP BY 2
UNION ALL SELECT 'os', coalesce(os, ''), count(*) FROM user_sessions WHERE is_active GROUP BY 2
UNION ALL SELECT 'country', coalesce(location_country, ''), count(*) FROM user_sessions WHERE is_active GROUP BY 2;

INSERT INTO hourly_counts (hour, metric, label, total)
SELECT coalesce(CAST(strftime('%s', created_at) AS INTEGER), 0) / 3600, 'sign_in', '', count(*) FROM user_sessions GROUP BY 1
UNION ALL
SELECT coalesce(CAST(strftime('%s', coalesce(ended_at, updated_at)) AS INTEGER), 0) / 3600, 'end', coalesce(ended_reason, ''), count(*)
FROM user_sessions WHERE NOT is_active GROUP BY 1, 3
UNION ALL
SELECT coalesce(CAST(strftime('%s', at) AS INTEGER), 0) / 3600, 'alert', kind, count(*) FROM alerts GROUP BY 1, 3;
