import { markdownList } from '../../shared/markdown.ts';

/** Repositories that are synced together, as `sync-groups.yaml` declares them (docs/sync-groups.md). */
export interface SyncGroup {
  readonly name: string;
  readonly description: string;
  /** Cron expression: minute, hour, day of the month, month, day of the week. */
  readonly schedule: string;
  /** IANA time zone of the schedule, such as `Europe/Berlin`. */
  readonly timezone: string;
  /**
   * Each run starts after a random delay of up to this many seconds, so that not all groups start at the same moment.
   */
  readonly jitterSeconds: number;
  /** mgit patterns (docs/patterns.md) of the group's repositories. */
  readonly patterns: readonly string[];
  /** mgit patterns of matching repositories to leave out. */
  readonly exclude: readonly string[];
  /** Branches to index in addition to HEAD: names, or patterns such as `release/*`. */
  readonly branches: readonly string[];
  /** Repositories indexed in parallel. */
  readonly parallel: number;
  /** From 1 (first when there are too few workers) to 5. */
  readonly priority: number;
  /** Declared, but not run by its schedule. */
  readonly paused: boolean;
}

/** The source of a declaration of groups. */
export interface GroupsSource {
  /** Path of the file as the user gave it. */
  readonly file: string;
  /**
   * Commit of the repository that contains the file; null when there is none, or the file differs from the committed
   * version.
   */
  readonly commit: string | null;
  /** Who applied it. */
  readonly by: string;
}

/** A group as last applied. */
export interface AppliedGroup {
  readonly group: SyncGroup;
  /** True when its schedule is paused, by the declaration or manually. */
  readonly isPaused: boolean;
}

/** A field of a group that differs. */
export interface FieldChange {
  readonly field: keyof SyncGroup;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * How an application changes one group. `paused` and `resumed` change only that; `orphaned` is a running group
 * that is no longer declared, and stays until it is pruned.
 */
export type GroupChangeKind = 'created' | 'changed' | 'paused' | 'resumed' | 'removed' | 'orphaned' | 'unchanged';

/** The change of one group by an application, and its reason. */
export interface GroupChange {
  readonly kind: GroupChangeKind;
  readonly name: string;
  /** The differences; empty for a group that is created, removed, or unchanged. */
  readonly fields: readonly FieldChange[];
  /** The declaration to run from now on; null for a group that is removed, orphaned, or unchanged. */
  readonly group: SyncGroup | null;
}

/** The difference between the declared and the running groups. */
export interface GroupsPlan {
  /** Every group, declared or running, ordered by name. */
  readonly changes: readonly GroupChange[];
  /** Declarations that are valid but probably a mistake: patterns that two groups share. */
  readonly warnings: readonly string[];
}

/** Larger declarations are refused before they are read or parsed: they would not fit into a flow's input. */
export const MOST_DECLARED_BYTES = 200_000;

/** Input of `applySyncGroups`. */
export interface ApplySyncGroupsInput {
  /** The text of `sync-groups.yaml`. */
  readonly document: string;
  readonly source: GroupsSource;
  /** Remove groups that run but are no longer declared. @default false */
  readonly prune?: boolean;
}

/** Result of `applySyncGroups`: the changes made, for the record. */
export interface ApplySyncGroupsResult extends GroupsPlan {
  readonly source: GroupsSource;
  /** ISO 8601. */
  readonly appliedAt: string;
}

/** Input of `syncGroup`: the whole declaration, so that every run shows its settings. */
export type SyncGroupInput = SyncGroup;

/** Compares the declared with the running groups. Applying the same declaration twice changes nothing. */
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

/** True for a change that requires an action. */
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

/** One line that describes the change of a group: `changed critical: schedule "0 * * * *" -> "30 * * * *"`. */
export function describeGroupChange({ kind, name, fields }: GroupChange): string {
  if (kind === 'orphaned') return `orphaned ${name}: it runs, but is no longer declared`;
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
