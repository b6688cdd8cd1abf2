import type { GenerationView, MissingPart } from '../../../domain/release/evolutions/describe.ts';
import { canonicalVersion } from '../../../domain/release/contracts/version.ts';
import { missingIn } from '../../../domain/release/promotion/publication.ts';
import { withPostgres } from '../../../platform/postgres-client.ts';
import { ledgerFailure } from '../../ledger/ledger-failure.ts';
import { LEDGER_SCHEMA } from '../../ledger/tables.ts';
import { APPROVAL } from './approval-of.ts';

/** ISO 8601, as JavaScript writes it, in a session whose time zone is UTC. */
const ISO_TIME = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;

/** The columns are the fields of a view. One statement: one answer of the server, in which all is of the same moment. */
const QUERY = `
  SELECT version, status, description, commit, branch, ${APPROVAL} AS approval,
    to_char(promoted_at, ${ISO_TIME}) AS "promotedAt", promoted_by AS "promotedBy", hotfix_of AS "hotfixOf",
    (SELECT coalesce(json_agg(json_build_object('tag', e.tag, 'change', change_id, 'status', e.status,
        'time', to_char(coalesce(e.completed_at, e.created_at), ${ISO_TIME}),
        'team', e.team, 'author', e.created_by, 'supersededBy', superseded_by) ORDER BY rc), '[]')
      FROM evolutions e WHERE e.generation_id = generations.generation_id) AS evolutions,
    (SELECT coalesce(json_agg(json_build_object('id', change_id, 'title', title, 'status', c.status) ORDER BY position), '[]')
      FROM generation_changes c WHERE c.generation_id = generations.generation_id
        -- others were moved to a later generation; an imported ledger has no contracts
        AND (contract->'changes' IS NULL
          OR contract->'changes' @> jsonb_build_array(jsonb_build_object('id', change_id)))) AS changes,
    -- those of a withdrawn promotion are of no use
    (SELECT coalesce(json_agg(json_build_object('kind', kind, 'name', name, 'problem', problem)
        ORDER BY kind, name), '[]')
      FROM publications p WHERE p.generation_id = generations.generation_id AND p.status = 'pending'
        AND generations.status = 'promoted') AS missing,
    (SELECT json_build_object('type', event_type, 'published', details_json->'published')
      FROM audit_events a WHERE a.repository = generations.repository AND resource_type = 'generation'
        AND resource_id = generations.version AND event_type IN ('generation.promoted', 'generation.published')
        AND generations.status = 'promoted' ORDER BY event_id DESC LIMIT 1) AS last
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
        const { rows } = await client.query<Row>(QUERY, [repository, canonicalVersion(version)]);
        return rows[0] === undefined ? null : viewOf(rows[0]);
      },
      { search_path: LEDGER_SCHEMA },
    );
  } catch (error) {
    throw ledgerFailure(error, url);
  }
}

interface Row extends GenerationView {
  /** The last event about its release; null for a draft, and for a release of another program, whose ledger was imported. */
  readonly last: { readonly type: string; readonly published: readonly string[] | null } | null;
}

function viewOf({ last, missing, ...generation }: Row): GenerationView {
  return { ...generation, missing: [...missingAfter(generation.version, last), ...missing] };
}

/** What the last run that published a release could not publish, as it recorded it. */
function missingAfter(version: string, last: Row['last']): readonly MissingPart[] {
  if (last === null) return [];
  if (last.type === 'generation.promoted') {
    return [{ kind: 'publication', name: version, problem: 'no run has come to its end' }];
  }
  return missingIn(version, last.published ?? []);
}
