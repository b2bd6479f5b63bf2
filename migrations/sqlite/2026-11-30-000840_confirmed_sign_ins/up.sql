-- The session that an alert was confirmed from, or that a link in a message confirmed it: a later report ends no
-- device that one of before it has confirmed. Alerts from before have neither.
ALTER TABLE alerts ADD COLUMN confirmed_by BLOB;
ALTER TABLE alerts ADD COLUMN confirmed_by_link BOOLEAN NOT NULL DEFAULT false;
-- Whether its address is stored whole only until it is answered or can't be any more.
ALTER TABLE alerts ADD COLUMN redaction_due BOOLEAN NOT NULL DEFAULT false;
CREATE INDEX alerts_redaction_due ON alerts (id) WHERE redaction_due;
