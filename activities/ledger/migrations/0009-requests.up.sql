-- Who started a flow: requests that the gateway recorded for people and services that it authenticated, and their runs.

CREATE TABLE flow_requests (
  -- random, in the input of the flow
  request_id text PRIMARY KEY CHECK (request_id ~ '^[0-9a-f]{32}$'),
  repository text,
  -- SHA-256 of the workflow type and the input: the request is for exactly that
  digest text NOT NULL,
  person text NOT NULL CHECK (person <> ''),
  -- false for a service, whose key proves nothing about the person behind it
  is_person boolean NOT NULL,
  authenticated_by text NOT NULL CHECK (authenticated_by IN ('api-key', 'oidc')),
  requested_at timestamptz NOT NULL DEFAULT now(),
  -- the run that it started: a request is used once
  root_run_id text
);
CREATE UNIQUE INDEX ON flow_requests (root_run_id);

-- The started run and its children.
CREATE TABLE flow_request_runs (
  run_id text PRIMARY KEY CHECK (run_id <> ''),
  request_id text NOT NULL REFERENCES flow_requests
);

ALTER TABLE flow_requests ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON flow_requests
  USING (coalesce(current_setting('longhaul.repository', true), '') IN ('', repository));
ALTER TABLE flow_request_runs ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON flow_request_runs
  USING (coalesce(current_setting('longhaul.repository', true), '') = ''
    OR request_id IN (SELECT request_id FROM flow_requests));
