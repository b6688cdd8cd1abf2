import { markdownList } from '../../shared/markdown.ts';

/** Repositories that are kept in sync together, as `sync-groups.yaml` declares them (seed 000, workflow 7). */
export interface SyncGroup {
  readonly name: string;
  readonly description: string;
  /** Cron expression: minute, hour, day of the month, month, day of the week. */
  readonly schedule: string;
  /** IANA time zone that the schedule is in, such as `Europe/Berlin`. */
  readonly timezone: string;
  /** Each run starts up to so many seconds later, by chance, so that not all groups start at once. */
  readonly jitterSeconds: number;
  /** mgit patterns (docs/patterns.md) of what belongs to the group. */
  readonly patterns: readonly string[];
  /** mgit patterns of what does not, although it matches. */
  readonly exclude: readonly string[];
  /** Branches that are indexed beside HEAD: names, or patterns such as `release/*`. */
  readonly branches: readonly string[];
  /** Repositories indexed at the same time. */
  readonly parallel: number;
  /** From 1, which goes first when there are too few workers, to 5. */
  readonly priority: number;
  /** Declared, but not run by its schedule. */
  readonly paused: boolean;
}

/** Where a declaration of groups came from. */
export interface GroupsSource {
  /** Path of the file as the person named it. */
  readonly file: string;
  /** Commit of the repository that the file is in; null when it is in none, or differs from what is committed. */
  readonly commit: string | null;
  /** Who applied it. */
  readonly by: string;
}

/** A group as it runs: as it was applied last. */
export interface AppliedGroup {
  readonly group: SyncGroup;
  /** True when its schedule does nothing now, whoever wanted that. */
  readonly isPaused: boolean;
}

/** One field of a group that differs. */
export interface FieldChange {
  readonly field: keyof SyncGroup;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * What an application does with one group. `paused` and `resumed` are changes of nothing else; `orphaned` is one that runs
 * but is not declared any more, and stays until it is pruned.
 */
export type GroupChangeKind = 'created' | 'changed' | 'paused' | 'resumed' | 'removed' | 'orphaned' | 'unchanged';

/** What an application does with one group, and why. */
export interface GroupChange {
  readonly kind: GroupChangeKind;
  readonly name: string;
  /** What differs; empty for a group that is created, removed, or as it was. */
  readonly fields: readonly FieldChange[];
  /** The declaration to run from now on; null for one that is removed, orphaned, or as it was. */
  readonly group: SyncGroup | null;
}

/** The difference between what is declared and what runs. */
export interface GroupsPlan {
  /** Every group, declared or running, in order of names. */
  readonly changes: readonly GroupChange[];
  /** What is allowed but is probably a mistake: patterns that two groups share. */
  readonly warnings: readonly string[];
}

/** The workflow id of what changes the sync groups: one declaration at a time. */
export const SYNC_GROUPS_LOCK = 'sync-groups';

/** Input of `applySyncGroups`. */
export interface ApplySyncGroupsInput {
  /** The text of `sync-groups.yaml`. */
  readonly document: string;
  readonly source: GroupsSource;
  /** Remove groups that run but are not declared any more. @default false */
  readonly prune?: boolean;
}

/** Result of `applySyncGroups`: what was done, for the record. */
export interface ApplySyncGroupsResult extends GroupsPlan {
  readonly source: GroupsSource;
  /** ISO 8601. */
  readonly appliedAt: string;
}

/** Input of `syncGroup`: a whole declaration, so that every run shows what it was run with. */
export type SyncGroupInput = SyncGroup;

/** The id of a group's schedule, and what the ids of its runs begin with: indexes that share a Temporal have their own. */
export function groupScheduleId(indexName: string, group: string): string {
  return `sync-group/${indexName}/${group}`;
}

/** Compares what is declared with what runs. Applying the same declaration twice changes nothing. */
export function planGroups(
  declared: readonly SyncGroup[],
  running: readonly AppliedGroup[],
  { prune }: { readonly prune: boolean },
): GroupChange[] {
  const before = new Map(running.map(({ group }) => [group.name, group]));
  const names = new Set(declared.map(({ name }) => name));
  const changes = declared.map((group) => changeTo(group, before.get(group.name)));
  const left = running
    .filter(({ group }) => !names.has(group.name))
    .map(({ group: { name } }): GroupChange => ({
      kind: prune ? 'removed' : 'orphaned',
      name,
      fields: [],
      group: null,
    }));
  return [...changes, ...left].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** True for a change that something has to be done for. */
export function isEffective({ kind }: GroupChange): boolean {
  return kind !== 'unchanged' && kind !== 'orphaned';
}

function changeTo(group: SyncGroup, before: SyncGroup | undefined): GroupChange {
  const { name } = group;
  if (before === undefined) return { kind: 'created', name, fields: [], group };
  const fields = (Object.keys(group) as (keyof SyncGroup)[]).flatMap((field) =>
    JSON.stringify(before[field]) === JSON.stringify(group[field])
      ? []
      : [{ field, before: before[field] ?? null, after: group[field] }],
  );
  if (fields.length === 0) return { kind: 'unchanged', name, fields, group: null };
  const isPauseOnly = fields.every(({ field }) => field === 'paused');
  return { kind: isPauseOnly ? (group.paused ? 'paused' : 'resumed') : 'changed', name, fields, group };
}

/** One line that says what becomes of a group: `changed critical: schedule "0 * * * *" -> "30 * * * *"`. */
export function describeGroupChange({ kind, name, fields }: GroupChange): string {
  if (kind === 'orphaned') return `orphaned ${name}: it runs, but is not declared any more`;
  const said = kind === 'changed' ? fields : [];
  const details = said.map(
    ({ field, before, after }) => `${field} ${JSON.stringify(before)} -> ${JSON.stringify(after)}`,
  );
  return [`${kind} ${name}`, ...(details.length > 0 ? [details.join(', ')] : [])].join(': ');
}

/** A plan as markdown, for the details that the Temporal UI shows: a line for each group, then the warnings. */
export function describeGroupsPlan({ changes, warnings }: GroupsPlan): string {
  const parts = [markdownList('Groups', changes.map(describeGroupChange), changes.length)];
  if (warnings.length > 0) parts.push(markdownList('Warnings', warnings, warnings.length));
  return parts.join('\n\n');
}
