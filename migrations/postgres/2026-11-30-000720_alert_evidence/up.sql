-- The point of what it reports, as user_sessions.location_point.
ALTER TABLE alerts ADD COLUMN location_point text CHECK (length(location_point) <= 32);
-- Where the person was last before a sign-in, in a session that is trusted.
ALTER TABLE alerts ADD COLUMN before_session_id uuid;
ALTER TABLE alerts ADD COLUMN before_device text CHECK (length(before_device) <= 255);
-- Whether its owner named that device.
ALTER TABLE alerts ADD COLUMN before_is_named boolean;
ALTER TABLE alerts ADD COLUMN before_city text CHECK (length(before_city) <= 100);
ALTER TABLE alerts ADD COLUMN before_country text CHECK (length(before_country) <= 100);
ALTER TABLE alerts ADD COLUMN before_point text CHECK (length(before_point) <= 32);
ALTER TABLE alerts ADD COLUMN before_at timestamptz;
-- The distance; where a city is not known, the least that it can be.
ALTER TABLE alerts ADD COLUMN before_km integer;
ALTER TABLE alerts ADD COLUMN before_is_impossible boolean;
-- The alert whose review settled this one as well.
ALTER TABLE alerts ADD COLUMN settled_by uuid;
-- What the person did about the steps after a report.
ALTER TABLE alerts ADD COLUMN others_skipped_at timestamptz;
ALTER TABLE alerts ADD COLUMN password_skipped_at timestamptz;
ALTER TABLE alerts ADD COLUMN email_skipped_at timestamptz;
ALTER TABLE alerts ADD COLUMN email_confirmed_at timestamptz;
