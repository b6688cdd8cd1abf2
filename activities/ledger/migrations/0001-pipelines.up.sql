-- Runs of pipelines and their jobs. A time is UTC; a duration is in seconds.

CREATE TABLE pipeline_runs (
  pipeline_run_id text PRIMARY KEY CHECK (pipeline_run_id <> ''),
  -- <provider>/<organization>[/<project>]/<repository>
  repository text NOT NULL CHECK (repository <> ''),
  pipeline text NOT NULL,
  pipeline_digest text NOT NULL,
  commit text NOT NULL,
  tree text NOT NULL,
  branch text,
  -- what started it: person, push, schedule
  event text NOT NULL,
  status text NOT NULL DEFAULT 'running' CHECK (status IN ('pending', 'running', 'pass', 'fail', 'cancelled')),
  -- the flow in Temporal
  workflow_id text,
  run_id text,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  completed_at timestamptz,
  CHECK ((completed_at IS NOT NULL) = (status IN ('pass', 'fail', 'cancelled')))
);
CREATE INDEX ON pipeline_runs (repository, created_at DESC);
CREATE INDEX ON pipeline_runs (repository, commit);

CREATE TABLE pipeline_jobs (
  pipeline_run_id text NOT NULL REFERENCES pipeline_runs,
  -- with the values of a matrix: test (node 24, linux)
  job text NOT NULL CHECK (job <> ''),
  attempt integer NOT NULL DEFAULT 1 CHECK (attempt >= 1),
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'pass', 'fail', 'skipped', 'cancelled')),
  exit_code integer,
  signal text,
  duration double precision CHECK (duration >= 0),
  -- SHA-256 of what ran
  command_digest text,
  -- of the blob store
  log_blob text,
  outputs jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(outputs) = 'object'),
  -- one object for each step: name, status, exit code, duration, digest of the command
  steps jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(steps) = 'array'),
  started_at timestamptz,
  completed_at timestamptz,
  PRIMARY KEY (pipeline_run_id, job, attempt),
  CHECK (exit_code IS NULL OR signal IS NULL),
  CHECK (status <> 'pass' OR exit_code = 0)
);

-- A session that sets longhaul.repository sees one repository; a session that does not sees all.
ALTER TABLE pipeline_runs ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON pipeline_runs
  USING (coalesce(current_setting('longhaul.repository', true), '') IN ('', repository));
ALTER TABLE pipeline_jobs ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON pipeline_jobs
  USING (coalesce(current_setting('longhaul.repository', true), '') = ''
    OR pipeline_run_id IN (SELECT pipeline_run_id FROM pipeline_runs));
