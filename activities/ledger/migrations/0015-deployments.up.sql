-- Deployments of releases to environments: what was planned, what every object was before, and what was measured.
CREATE TABLE deployments (
  deployment_id text PRIMARY KEY CHECK (deployment_id ~ '^[0-9a-f-]{36}$'),
  -- the order in which deployments began
  sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  repository text NOT NULL,
  environment text NOT NULL,
  version text NOT NULL,
  commit text NOT NULL CHECK (commit ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
  -- the commit and its contracts in the blob store: the down steps of its hooks are run from there
  packed jsonb NOT NULL,
  contracts text NOT NULL CHECK (contracts ~ '^[0-9a-f]{64}$'),
  -- the services that it deploys; the objects of the others are only carried over
  services jsonb NOT NULL,
  -- true for a deployment that goes back to an earlier release
  goes_back boolean NOT NULL,
  context text NOT NULL,
  namespace text NOT NULL,
  status text NOT NULL DEFAULT 'planned' CHECK (status IN
    ('planned', 'deploying', 'deployed', 'undone', 'not undone', 'refused', 'cancelled')),
  plan_digest text CHECK (plan_digest ~ '^[0-9a-f]{64}$'),
  diff_blob text CHECK (diff_blob ~ '^[0-9a-f]{64}$'),
  why text,
  workflow_id text NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  ended_at timestamptz
);
CREATE INDEX ON deployments (repository, environment, sequence DESC);

CREATE TABLE deployment_objects (
  deployment_id text NOT NULL REFERENCES deployments,
  -- the order in which they are applied, and the reverse of that in which they are undone
  position integer NOT NULL CHECK (position >= 0),
  service text NOT NULL,
  api_version text NOT NULL,
  kind text NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  change text NOT NULL CHECK (change IN ('create', 'update', 'delete', 'none')),
  -- what it was, is to be, and was to become, for the key of the role deploy alone
  sealed bytea CHECK (change = 'none' OR sealed IS NOT NULL),
  state text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'applied', 'undone', 'left')),
  -- fields that others changed meanwhile, which an undo left to them
  kept jsonb NOT NULL DEFAULT '[]',
  PRIMARY KEY (deployment_id, position)
);

CREATE TABLE deployment_samples (
  deployment_id text NOT NULL REFERENCES deployments,
  sequence integer NOT NULL CHECK (sequence >= 0),
  taken_at timestamptz NOT NULL,
  sample jsonb NOT NULL,
  verdict text NOT NULL CHECK (verdict IN ('good', 'bad', 'no data')),
  why text NOT NULL,
  PRIMARY KEY (deployment_id, sequence)
);
