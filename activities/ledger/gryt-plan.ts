import type { Insertable } from 'kysely';
import { sha256 } from '../../platform/sha256.ts';
import type { GrytDatabase, GrytRow } from './gryt-database.ts';
import type { LedgerTables } from './tables.ts';

/** Something of a gryt database that the ledger cannot have, with the reason. */
export interface LeftOut {
  /** `generation v1.0.0`, `12 rows of pipelines`. */
  readonly what: string;
  /** The rest of a sentence. */
  readonly why: string;
}

/** Rows for the ledger, from a gryt database. */
export interface GrytPlan {
  readonly generations: readonly Insertable<LedgerTables['generations']>[];
  readonly changes: readonly Insertable<LedgerTables['generation_changes']>[];
  readonly evolutions: readonly Insertable<LedgerTables['evolutions']>[];
  readonly left: readonly LeftOut[];
}

const TYPES = ['add', 'fix', 'refine', 'remove'] as const;
/** The time of what gryt recorded without one. */
const EPOCH = '1970-01-01T00:00:00.000Z';
const CHANGE_ID = /^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$/;

/**
 * The rows of a gryt database as those of a repository. `commitOf` returns the commit of a tag, or null: the ledger has
 * no promoted generation without its commit. An evolution keeps its code name; one without a tag gets the next number.
 * The same database gives the same plan.
 */
export function planGrytImport(
  { generations, generation_changes, evolutions, change_pipelines, others }: GrytDatabase,
  repository: string,
  commitOf: (tag: string) => string | null,
): GrytPlan {
  const left: LeftOut[] = [];
  const leave = (what: string, why: string): void => void left.push({ what, why });
  const made = new Map<string, Insertable<LedgerTables['generations']>>();
  for (const row of generations) {
    const generation = generationOf(row, repository, commitOf);
    if (typeof generation === 'string') leave(`generation ${text(row, 'version')}`, generation);
    else made.set(text(row, 'generation_id'), generation);
  }
  const idOf = (row: GrytRow): string | null => made.get(text(row, 'generation_id'))?.generation_id ?? null;

  const proven = new Set(
    evolutions.filter((row) => row['status'] === 'pass').map((row) => `${idOf(row)} ${text(row, 'change_id')}`),
  );
  const changes: Insertable<LedgerTables['generation_changes']>[] = [];
  for (const row of generation_changes) {
    const [change_id, title, generation_id] = [text(row, 'change_id'), text(row, 'title'), idOf(row)];
    const type = TYPES.find((known) => known === row['type']);
    const what = `change ${change_id}`;
    if (generation_id === null) leave(what, 'its generation was left out');
    else if (!CHANGE_ID.test(change_id)) leave(what, 'its id is not one such as FEAT-201');
    else if (type === undefined) leave(what, `its type ${text(row, 'type')} is unknown`);
    else {
      const linked = change_pipelines.find((link) => link['change_id'] === change_id && idOf(link) === generation_id);
      const position = changes.filter((other) => other.generation_id === generation_id).length;
      changes.push({
        generation_id,
        change_id,
        position,
        type,
        title,
        description: optional(row, 'description'),
        pipeline: optional(row, 'pipeline') ?? (linked && optional(linked, 'pipeline_name')) ?? null,
        status: proven.has(`${generation_id} ${change_id}`) ? 'proven' : 'pending',
        created_at: time(row, 'created_at') ?? undefined,
      });
    }
  }

  const planned: Insertable<LedgerTables['evolutions']>[] = [];
  for (const row of evolutions) {
    const [id, change_id, generation_id] = [text(row, 'evolution_id'), text(row, 'change_id'), idOf(row)];
    const what = `evolution ${id}`;
    const change = changes.find((one) => one.generation_id === generation_id && one.change_id === change_id);
    const version = [...made.values()].find((one) => one.generation_id === generation_id)?.version;
    if (change === undefined || generation_id === null || version === undefined) {
      leave(what, 'its change was left out');
      continue;
    }
    const taken = planned.filter((one) => one.generation_id === generation_id).map(({ rc }) => rc);
    const tagged = Number(/-rc\.(\d+)$/.exec(text(row, 'tag'))?.[1] ?? 0);
    const rc = tagged > 0 && !taken.includes(tagged) ? tagged : Math.max(0, ...taken) + 1;
    const [started, completed] = [time(row, 'started_at'), time(row, 'completed_at')];
    const status = statusOf(text(row, 'status'));
    planned.push({
      evolution_id: `evo-${digestOf(repository, id)}`,
      generation_id,
      change_id,
      rc,
      status,
      tag: `${version}-rc.${rc}`,
      code_name: optional(row, 'code_name'),
      created_by: optional(row, 'created_by') ?? 'unknown',
      created_at: started ?? completed ?? undefined,
      started_at: started,
      completed_at: status === 'pending' ? null : (completed ?? started ?? EPOCH),
    });
  }
  for (const [table, count] of Object.entries(others)) {
    if (count > 0) leave(`${count} rows of ${table}`, 'the ledger has no place for them');
  }
  return { generations: [...made.values()], changes, evolutions: planned, left };
}

/** The generation, or why the ledger cannot have it. */
function generationOf(
  row: GrytRow,
  repository: string,
  commitOf: (tag: string) => string | null,
): Insertable<LedgerTables['generations']> | string {
  const version = `v${text(row, 'version').replace(/^v/, '')}`;
  if (!/^v\d+\.\d+\.\d+$/.test(version)) return 'its version is not one such as v1.2.3';
  const status = text(row, 'status');
  if (!['draft', 'active', 'promoted'].includes(status)) return `its status is ${status}`;
  const commit = status === 'promoted' ? commitOf(version) : null;
  if (status === 'promoted' && commit === null) return `the repository has no tag ${version}`;
  const created = time(row, 'created_at') ?? time(row, 'promoted_at') ?? EPOCH;
  const contract = JSON.stringify({ version, description: optional(row, 'description') });
  const promotion = {
    status: 'promoted' as const,
    commit,
    tag: version,
    promoted_at: time(row, 'promoted_at') ?? created,
    promoted_by: optional(row, 'promoted_by') ?? 'unknown',
  };
  return {
    generation_id: `gen-${digestOf(repository, version)}`,
    repository,
    version,
    description: optional(row, 'description') ?? '',
    pipeline_template: optional(row, 'pipeline_template'),
    contract,
    contract_digest: sha256(contract),
    created_at: created,
    created_by: optional(row, 'created_by') ?? 'unknown',
    ...(commit === null ? {} : promotion),
  };
}

/** An id that is the same at every import, and differs between repositories. */
function digestOf(repository: string, id: string): string {
  return sha256(`${repository} ${id}`).slice(0, 12);
}

/** A run that gryt did not end is not running here. */
function statusOf(status: string): 'pending' | 'pass' | 'fail' | 'abandoned' {
  return status === 'pass' || status === 'fail' || status === 'pending' ? status : 'abandoned';
}

function text(row: GrytRow, column: string): string {
  return String(row[column] ?? '');
}

function optional(row: GrytRow, column: string): string | null {
  return text(row, column) === '' ? null : text(row, column);
}

/** A time of SQLite, which is UTC: `2024-01-20 14:30:00` or ISO 8601; null for none. */
function time(row: GrytRow, column: string): string | null {
  const value = text(row, column).replace(' ', 'T');
  const date = new Date(/(Z|[+-]\d\d:?\d\d)$/.test(value) ? value : `${value}Z`);
  return value === '' || Number.isNaN(date.getTime()) ? null : date.toISOString();
}
