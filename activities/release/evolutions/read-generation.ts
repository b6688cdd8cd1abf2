import type { GenerationView } from '../../../domain/release/evolutions/describe.ts';
import { canonicalVersion } from '../../../domain/release/contracts/version.ts';
import { withPostgres } from '../../../platform/postgres-client.ts';
import { ledgerFailure } from '../../ledger/ledger-failure.ts';
import { LEDGER_SCHEMA } from '../../ledger/tables.ts';
import { APPROVAL_PROOF } from './approval-proof.ts';

/** ISO 8601, as JavaScript writes it, in a session whose time zone is UTC. */
const ISO_TIME = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;

/** The columns are the fields of a view. One statement: one answer of the server, in which all is of the same moment. */
const QUERY = `
  SELECT version, status, description, commit, branch, ${APPROVAL_PROOF} AS "isApprovalProved",
    to_char(promoted_at, ${ISO_TIME}) AS "promotedAt", promoted_by AS "promotedBy", hotfix_of AS "hotfixOf",
    (SELECT coalesce(json_agg(json_build_object('tag', e.tag, 'change', change_id, 'status', e.status,
        'time', to_char(coalesce(e.completed_at, e.created_at), ${ISO_TIME}),
        'team', e.team, 'author', e.created_by, 'supersededBy', superseded_by) ORDER BY rc), '[]')
      FROM evolutions e WHERE e.generation_id = generations.generation_id) AS evolutions,
    (SELECT coalesce(json_agg(json_build_object('id', change_id, 'title', title, 'status', c.status) ORDER BY position), '[]')
      FROM generation_changes c WHERE c.generation_id = generations.generation_id) AS changes,
    -- those of a withdrawn promotion are of no use
    (SELECT coalesce(json_agg(json_build_object('kind', kind, 'name', name, 'attempts', attempts, 'problem', problem)
        ORDER BY kind, name), '[]')
      FROM publications p WHERE p.generation_id = generations.generation_id AND p.status = 'pending'
        AND generations.status = 'promoted') AS missing
  FROM generations WHERE repository = $1 AND version = $2`;

/**
 * A generation of the ledger with its changes and evolutions; null when it does not have it. Without the query builder:
 * a command that only reads would spend a quarter of its time on loading that. Throws what {@link ledgerFailure} names.
 */
export async function readGeneration(url: string, repository: string, version: string): Promise<GenerationView | null> {
  try {
    return await withPostgres(
      url,
      async (client) => {
        const { rows } = await client.query<GenerationView>(QUERY, [repository, canonicalVersion(version)]);
        return rows[0] ?? null;
      },
      { search_path: LEDGER_SCHEMA },
    );
  } catch (error) {
    throw ledgerFailure(error, url);
  }
}
