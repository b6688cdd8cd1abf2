-- The watch that took a sample: a deployment has one for each step of a canary, and one at its end.
ALTER TABLE deployment_samples ADD COLUMN watch text NOT NULL DEFAULT '';
-- by the clock of the ledger: workers may have others
ALTER TABLE deployment_samples ALTER COLUMN taken_at SET DEFAULT clock_timestamp();
