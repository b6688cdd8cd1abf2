-- What the reports of jobs say, and how the rules of a pipeline were judged.

-- The earlier run at the same commit in which the job ran; null when it is this one.
ALTER TABLE pipeline_jobs ADD COLUMN resumed_from text;

CREATE TABLE test_results (
  pipeline_run_id text NOT NULL REFERENCES pipeline_runs,
  job text NOT NULL,
  -- place in the report: names may repeat
  position integer NOT NULL CHECK (position >= 0),
  name text NOT NULL,
  status text NOT NULL CHECK (status IN ('pass', 'fail', 'skipped')),
  -- in seconds
  duration double precision CHECK (duration >= 0),
  message text,
  PRIMARY KEY (pipeline_run_id, job, position)
);
CREATE INDEX ON test_results (name, status);

CREATE TABLE coverage (
  pipeline_run_id text NOT NULL REFERENCES pipeline_runs,
  job text NOT NULL,
  path text NOT NULL,
  -- of Go: statements
  lines integer NOT NULL CHECK (lines >= 0),
  covered integer NOT NULL CHECK (covered BETWEEN 0 AND lines),
  PRIMARY KEY (pipeline_run_id, job, path)
);

CREATE TABLE findings (
  pipeline_run_id text NOT NULL REFERENCES pipeline_runs,
  job text NOT NULL,
  position integer NOT NULL CHECK (position >= 0),
  -- equal for the same finding in another run
  fingerprint text NOT NULL,
  rule text NOT NULL,
  level text NOT NULL CHECK (level IN ('error', 'warning', 'note')),
  path text,
  line integer,
  message text NOT NULL,
  PRIMARY KEY (pipeline_run_id, job, position)
);

CREATE TABLE quality_results (
  pipeline_run_id text NOT NULL REFERENCES pipeline_runs,
  rule text NOT NULL CHECK (rule IN ('coverage', 'findings', 'tests')),
  status text NOT NULL CHECK (status IN ('pass', 'fail', 'waived')),
  found text NOT NULL,
  -- rule, end, reason, and who approved it
  waiver jsonb,
  PRIMARY KEY (pipeline_run_id, rule),
  CHECK ((status = 'waived') = (waiver IS NOT NULL))
);

ALTER TABLE test_results ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON test_results
  USING (coalesce(current_setting('longhaul.repository', true), '') = ''
    OR pipeline_run_id IN (SELECT pipeline_run_id FROM pipeline_runs));
ALTER TABLE coverage ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON coverage
  USING (coalesce(current_setting('longhaul.repository', true), '') = ''
    OR pipeline_run_id IN (SELECT pipeline_run_id FROM pipeline_runs));
ALTER TABLE findings ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON findings
  USING (coalesce(current_setting('longhaul.repository', true), '') = ''
    OR pipeline_run_id IN (SELECT pipeline_run_id FROM pipeline_runs));
ALTER TABLE quality_results ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON quality_results
  USING (coalesce(current_setting('longhaul.repository', true), '') = ''
    OR pipeline_run_id IN (SELECT pipeline_run_id FROM pipeline_runs));
