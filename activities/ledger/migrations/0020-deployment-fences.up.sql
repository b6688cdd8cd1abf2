-- Which attempt to change an environment is the latest: those before it write nothing to its clusters any more.
CREATE TABLE deployment_fences (
  repository text NOT NULL,
  environment text NOT NULL,
  -- empty: everything in the environment
  service text NOT NULL,
  -- when Temporal scheduled the latest attempt; it only rises
  latest_attempt timestamptz NOT NULL,
  PRIMARY KEY (repository, environment, service)
);
