/**
 * SQL: whether the approvals of a promotion prove who gave them, for a query of `generations`: false where no people were
 * configured, so that any answer counted; null for a draft, and for a promotion that asked no people.
 */
export const APPROVAL_PROOF = `CASE WHEN generations.status = 'promoted' THEN (
  SELECT (e.details_json ->> 'isAuthenticated')::boolean FROM audit_events e
  WHERE e.repository = generations.repository AND e.event_type = 'generation.promoted'
    AND e.resource_id = generations.version AND e.details_json -> 'approvedBy' <> '[]'
  ORDER BY e.event_id DESC LIMIT 1) END`;
