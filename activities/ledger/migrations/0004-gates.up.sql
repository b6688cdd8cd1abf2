-- Questions to people, and their decisions.

CREATE TABLE gates (
  gate_id text PRIMARY KEY CHECK (gate_id <> ''),
  -- null for a flow that belongs to no repository
  repository text,
  -- the flow in Temporal that waits
  workflow_id text NOT NULL,
  kind text NOT NULL,
  subject text NOT NULL,
  -- of what is approved: decisions for another digest do not count
  digest text NOT NULL,
  requested_by text NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  deadline timestamptz,
  at_deadline text CHECK (at_deadline IN ('approved', 'rejected')),
  approvals_needed integer NOT NULL DEFAULT 1 CHECK (approvals_needed >= 1),
  -- names of people and groups that may decide
  approvers jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(approvers) = 'array'),
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'approved', 'rejected', 'cancelled')),
  closed_at timestamptz,
  CHECK ((closed_at IS NULL) = (status = 'open')),
  CHECK ((deadline IS NULL) = (at_deadline IS NULL))
);
CREATE INDEX ON gates (requested_at) WHERE status = 'open';

CREATE TABLE gate_decisions (
  -- of the request: the same decision twice is one row
  decision_id text PRIMARY KEY CHECK (decision_id <> ''),
  gate_id text NOT NULL REFERENCES gates,
  person text NOT NULL,
  -- the person who delegated the decision
  on_behalf_of text,
  verdict text NOT NULL CHECK (verdict IN ('approve', 'reject', 'revoke')),
  why text NOT NULL,
  digest text NOT NULL,
  authenticated_by text NOT NULL,
  decided_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON gate_decisions (gate_id, decided_at);

ALTER TABLE gates ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON gates
  USING (coalesce(current_setting('longhaul.repository', true), '') IN ('', repository));
ALTER TABLE gate_decisions ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_repository ON gate_decisions
  USING (coalesce(current_setting('longhaul.repository', true), '') = '' OR gate_id IN (SELECT gate_id FROM gates));
