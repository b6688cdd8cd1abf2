ALTER TABLE deployments
  DROP COLUMN reason,
  DROP COLUMN passed_over,
  DROP COLUMN override_freeze,
  DROP COLUMN approved_by;
