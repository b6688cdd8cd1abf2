/**
 * SQL: what approved a promotion (`Approval` of domain/release/promotion/approval.ts), for a query of `generations`; null
 * for a draft, and for a promotion that asked no people.
 */
export const APPROVAL = `CASE WHEN generations.status = 'promoted' THEN (
  SELECT e.details_json ->> 'approval' FROM audit_events e
  WHERE e.repository = generations.repository AND e.event_type = 'generation.promoted'
    AND e.resource_id = generations.version
  ORDER BY e.event_id DESC LIMIT 1) END`;
