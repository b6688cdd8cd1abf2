-- The audit trail: a chain of events, each with the hash of the one before. Nothing may change or delete an event.

CREATE TABLE ledger (
  -- tells the anchors of this ledger from those of another one in the same blob store
  ledger_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  created_at timestamptz NOT NULL DEFAULT now(),
  -- the end of the chain: the last event, its hash, and the lock that appends wait for
  event_id bigint NOT NULL DEFAULT 0,
  hash text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX one_row ON ledger ((true));
INSERT INTO ledger DEFAULT VALUES;

CREATE TABLE audit_events (
  -- 1, 2, 3 without gaps
  event_id bigint PRIMARY KEY CHECK (event_id >= 1),
  timestamp timestamptz NOT NULL,
  event_type text NOT NULL,
  -- null for an act that belongs to no repository
  repository text,
  resource_type text NOT NULL,
  resource_id text NOT NULL,
  action text NOT NULL,
  status text NOT NULL CHECK (status IN ('success', 'refused', 'failure')),
  actor text NOT NULL,
  -- how it was proved who: api-key, oidc, system, unauthenticated
  authenticated_by text NOT NULL,
  why text,
  workflow_id text,
  run_id text,
  contract_digest text,
  details_json jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details_json) = 'object'),
  previous_hash text NOT NULL,
  hash text NOT NULL UNIQUE
);
CREATE INDEX ON audit_events (repository, event_id);

ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON audit_events
  USING (coalesce(current_setting('longhaul.repository', true), '') IN ('', repository));
