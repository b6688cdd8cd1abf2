-- The file of another repository that has the environment, with its commit; null for an environment of the repository itself.
ALTER TABLE deployments ADD COLUMN shared jsonb;
