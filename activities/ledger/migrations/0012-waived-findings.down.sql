ALTER TABLE findings DROP COLUMN is_waived;
