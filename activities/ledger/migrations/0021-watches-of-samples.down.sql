ALTER TABLE deployment_samples ALTER COLUMN taken_at DROP DEFAULT;
ALTER TABLE deployment_samples DROP COLUMN watch;
