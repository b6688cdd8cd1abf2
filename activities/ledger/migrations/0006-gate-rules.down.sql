DROP TABLE gate_delegations;
ALTER TABLE gate_decisions DROP COLUMN sequence;
DROP INDEX gates_workflow_id_kind_idx;
ALTER TABLE gates
  DROP COLUMN run_id,
  DROP COLUMN excluded,
  DROP COLUMN escalates_at,
  DROP COLUMN escalation_approvers,
  DROP COLUMN evidence,
  DROP COLUMN reason;
