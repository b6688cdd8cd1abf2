-- Releases: a generation is a version of a repository, with its changes and the attempts to prove them.

CREATE TABLE generations (
  generation_id text PRIMARY KEY CHECK (generation_id ~ '^gen-[0-9a-z]{6,}$'),
  repository text NOT NULL CHECK (repository <> ''),
  version text NOT NULL CHECK (version ~ '^v[0-9]+\.[0-9]+\.[0-9]+$'),
  description text NOT NULL DEFAULT '',
  status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'promoted')),
  pipeline_template text,
  -- the file as it was read, and its SHA-256
  contract jsonb NOT NULL CHECK (jsonb_typeof(contract) = 'object'),
  contract_digest text NOT NULL,
  -- of the release
  commit text,
  tag text,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  promoted_at timestamptz,
  promoted_by text,
  UNIQUE (repository, version),
  CHECK ((status = 'promoted') = (promoted_at IS NOT NULL AND promoted_by IS NOT NULL AND commit IS NOT NULL AND tag IS NOT NULL))
);

CREATE TABLE generation_changes (
  generation_id text NOT NULL REFERENCES generations,
  change_id text NOT NULL CHECK (change_id ~ '^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$'),
  -- in the contract
  position integer NOT NULL CHECK (position >= 0),
  type text NOT NULL CHECK (type IN ('add', 'fix', 'refine', 'remove')),
  title text NOT NULL,
  description text,
  team text,
  pipeline text,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'proven')),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (generation_id, change_id),
  UNIQUE (generation_id, position) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE evolutions (
  evolution_id text PRIMARY KEY CHECK (evolution_id <> ''),
  generation_id text NOT NULL,
  change_id text NOT NULL,
  rc integer NOT NULL CHECK (rc >= 1),
  tag text NOT NULL,
  -- of a ledger that was imported
  code_name text,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'pass', 'fail', 'abandoned')),
  pipeline text,
  commit text,
  tree text,
  pipeline_run_id text REFERENCES pipeline_runs,
  -- digests of pipeline, policy and contract, and the result of each required step
  proof jsonb,
  team text,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  completed_at timestamptz,
  FOREIGN KEY (generation_id, change_id) REFERENCES generation_changes,
  UNIQUE (generation_id, rc),
  CHECK ((completed_at IS NOT NULL) = (status IN ('pass', 'fail', 'abandoned')))
);
CREATE INDEX ON evolutions (generation_id, change_id);
CREATE INDEX ON evolutions (pipeline_run_id);

ALTER TABLE generations ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON generations
  USING (coalesce(current_setting('longhaul.repository', true), '') IN ('', repository));
ALTER TABLE generation_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON generation_changes
  USING (coalesce(current_setting('longhaul.repository', true), '') = ''
    OR generation_id IN (SELECT generation_id FROM generations));
ALTER TABLE evolutions ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON evolutions
  USING (coalesce(current_setting('longhaul.repository', true), '') = ''
    OR generation_id IN (SELECT generation_id FROM generations));
