-- Whether the sessions of a device last until their absolute limit, used or not.
ALTER TABLE devices ADD COLUMN is_idle_exempt BOOLEAN NOT NULL DEFAULT false;
