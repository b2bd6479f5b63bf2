-- The address in a form that sorts: "4" or "6", and its bytes in hexadecimal.
ALTER TABLE session_events ADD COLUMN ip_key text COLLATE "C" CHECK (length(ip_key) IN (9, 33));
-- IPv4 addresses get their form here, IPv6 ones from the sweep.
UPDATE session_events SET ip_key = CASE WHEN ip_address ~ '^[0-9]{1,3}([.][0-9]{1,3}){3}$' THEN
    '4' || lpad(to_hex(split_part(ip_address, '.', 1)::integer), 2, '0') || lpad(to_hex(split_part(ip_address, '.', 2)::integer), 2, '0')
    || lpad(to_hex(split_part(ip_address, '.', 3)::integer), 2, '0') || lpad(to_hex(split_part(ip_address, '.', 4)::integer), 2, '0')
END
WHERE ip_address IS NOT NULL;
-- Events whose address was stored before addresses had a form that sorts.
CREATE INDEX session_events_without_ip_key ON session_events (id) WHERE ip_key IS NULL AND ip_address IS NOT NULL;

-- The security log, by one filter each. The log itself, and what to purge, is read by its ids.
CREATE INDEX session_events_by_kind ON session_events (kind, id DESC);
CREATE INDEX session_events_by_person ON session_events (by_user_id, id DESC) WHERE by_user_id IS NOT NULL;
CREATE INDEX session_events_by_application ON session_events (by_application_id, id DESC)
    WHERE by_application_id IS NOT NULL;
CREATE INDEX session_events_by_job ON session_events (job_id, id DESC) WHERE job_id IS NOT NULL;
CREATE INDEX session_events_by_ip ON session_events (ip_key, id DESC) WHERE ip_key IS NOT NULL;

-- What the application is: a service with keys, or a website behind forward-auth.
ALTER TABLE applications ADD COLUMN kind text NOT NULL DEFAULT 'service' CHECK (kind IN ('service', 'website'));
-- The hosts that it is reached at, separated by spaces.
ALTER TABLE applications ADD COLUMN hosts text NOT NULL DEFAULT '' CHECK (length(hosts) <= 5500);
