ALTER TABLE alerts DROP COLUMN device_label;
