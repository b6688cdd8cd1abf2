ALTER TABLE deployments DROP COLUMN shared;
