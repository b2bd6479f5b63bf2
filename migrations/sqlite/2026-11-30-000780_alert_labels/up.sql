-- The label of the device, by what it states of itself: its owner's name for it is not for everybody who
-- gets a message about the alert. Alerts from before have none.
ALTER TABLE alerts ADD COLUMN device_label TEXT CHECK (length(device_label) <= 255);
