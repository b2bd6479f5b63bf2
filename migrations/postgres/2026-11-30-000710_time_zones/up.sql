-- The zone that a person chose to read times in, by its IANA name; null as their browser says.
ALTER TABLE users ADD COLUMN time_zone text CHECK (length(time_zone) <= 64);
-- The zone that the browser had in which they last signed in, for the times in messages.
ALTER TABLE users ADD COLUMN browser_time_zone text CHECK (length(browser_time_zone) <= 64);
