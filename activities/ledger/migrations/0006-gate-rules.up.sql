-- Rules of gates, the order of decisions, and delegations.

ALTER TABLE gates
  ADD COLUMN run_id text,
  -- who may not decide in addition to the requester: names or addresses of authors
  ADD COLUMN excluded jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(excluded) = 'array'),
  -- from then on further people and groups may decide
  ADD COLUMN escalates_at timestamptz,
  ADD COLUMN escalation_approvers jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(escalation_approvers) = 'array'),
  -- facts for the decision, one text each
  ADD COLUMN evidence jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(evidence) = 'array'),
  -- what closed it
  ADD COLUMN reason text CHECK (reason IN ('quorum', 'rejection', 'deadline', 'cancelled', 'superseded')),
  ADD CHECK (reason IS NULL OR status <> 'open');
CREATE INDEX ON gates (workflow_id, kind);

-- times of two decisions can be equal
ALTER TABLE gate_decisions ADD COLUMN sequence bigint GENERATED ALWAYS AS IDENTITY;

CREATE TABLE gate_delegations (
  delegation_id text PRIMARY KEY CHECK (delegation_id <> ''),
  -- of two rows of the same two people the later one counts
  sequence bigint GENERATED ALWAYS AS IDENTITY,
  person text NOT NULL,
  delegate text NOT NULL CHECK (delegate <> person),
  until timestamptz NOT NULL,
  authenticated_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON gate_delegations (delegate);
