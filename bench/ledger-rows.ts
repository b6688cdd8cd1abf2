import { withPostgres } from '../platform/postgres-client.ts';

/** Open gates that {@link fillLedger} writes. */
export const OPEN_GATES = 1_000;
/** Changes of its generation. */
export const CHANGES = 1_000;
/** Evolutions of its generation. */
export const EVOLUTIONS = 5_000;

/** Writes gates with a decision each, and the generation v1.5.0 of work/acme/api, into an empty ledger. */
export async function fillLedger(owner: string): Promise<void> {
  await withPostgres(owner, async (client) => {
    for (const statement of FILL) await client.query(statement);
  });
}

const FILL = [
  'SET search_path = longhaul',
  `INSERT INTO gates (gate_id, workflow_id, kind, subject, digest, requested_by, approvals_needed, evidence)
   SELECT 'gate-' || n, 'promote/' || n, 'promotion', 'v1.' || n || '.0 of work/acme/api', 'd', 'ada', 2,
     '["12 changes, all proven", "commit 0123456789abcdef"]'
   FROM generate_series(1, ${OPEN_GATES}) n`,
  `INSERT INTO gate_decisions (decision_id, gate_id, person, verdict, why, digest, authenticated_by)
   SELECT 'gate-' || n || '/1', 'gate-' || n, 'bob', 'approve', 'looks good', 'd', 'api-key'
   FROM generate_series(1, ${OPEN_GATES}) n`,
  `INSERT INTO generations (generation_id, repository, version, contract, contract_digest, created_by)
   VALUES ('gen-bench1', 'work/acme/api', 'v1.5.0', '{}', 'd', 'ada')`,
  `INSERT INTO generation_changes (generation_id, change_id, position, type, title, team)
   SELECT 'gen-bench1', 'FEAT-' || n, n, 'add', 'a change of this release ' || n, 'payments'
   FROM generate_series(1, ${CHANGES}) n`,
  `INSERT INTO evolutions (evolution_id, generation_id, change_id, rc, tag, status, pipeline, commit, created_by,
     completed_at, proof)
   SELECT 'ev-' || n, 'gen-bench1', 'FEAT-' || (1 + n % ${CHANGES}), n, 'v1.5.0-rc.' || n,
     CASE WHEN n % 5 = 0 THEN 'fail' ELSE 'pass' END, 'full-ci', md5(n::text), 'ada', now(), '{}'
   FROM generate_series(1, ${EVOLUTIONS}) n`,
];
