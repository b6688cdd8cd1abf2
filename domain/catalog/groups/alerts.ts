/** The kinds of alerts. */
export const ALERT_KINDS = [
  'group-failed',
  'repository-failing',
  'group-stale',
  'runs-missed',
  'workers-gone',
] as const;
/** One of {@link ALERT_KINDS}. */
export type AlertKind = (typeof ALERT_KINDS)[number];

/** A problem, for as long as it lasts. */
export interface Alert {
  readonly kind: AlertKind;
  /** The group, repository or task queue with the problem. Together with the kind it identifies the alert. */
  readonly about: string;
  /** One sentence for people. */
  readonly text: string;
}

/** The thresholds of alerts. */
export interface AlertRules {
  /** Alert when a group has not been fully up to date for longer than this. */
  readonly staleAfterSeconds: number;
  /** Alert when a repository failed in this many consecutive runs. */
  readonly failingRuns: number;
}

/** What the alert rules need to know about a group. */
export interface WatchedGroup {
  readonly name: string;
  readonly isPaused: boolean;
  /** Runs that did not take place because Temporal was unavailable. */
  readonly missed: number;
  /** When the latest run that left nothing to do started, ISO 8601; null when none of the latest runs did. */
  readonly completeAt: string | null;
  /** When the first of its latest runs started, ISO 8601; null when it never ran. */
  readonly firstRunAt: string | null;
  /** Its finished runs, oldest first. */
  readonly runs: readonly WatchedRun[];
}

/** A finished run. */
export interface WatchedRun {
  /** Temporal's name of its final status. */
  readonly status: string;
  /** Ids of the repositories that failed. */
  readonly failed: readonly string[];
}

/** The input of the alert rules. */
export interface WatchedFleet {
  /** ISO 8601. */
  readonly at: string;
  readonly groups: readonly WatchedGroup[];
  /** Task queues that no worker polls. */
  readonly unpolled: readonly string[];
  /** Missed runs by group at the last check; a group that is not listed had none. */
  readonly missedBefore: Readonly<Record<string, number>>;
}

/** If more repositories of a group fail than this, they are reported as one alert. */
const MOST_NAMED = 20;

/** All alerts that apply now. */
export function alertsOf({ at, groups, unpolled, missedBefore }: WatchedFleet, rules: AlertRules): Alert[] {
  const alerts = groups.flatMap((group) => [
    ...failedRun(group),
    ...failingRepositories(group, rules.failingRuns),
    ...staleness(group, Date.parse(at), rules.staleAfterSeconds),
    ...missedRuns(group, missedBefore[group.name] ?? 0),
  ]);
  const gone = unpolled.map((queue): Alert => ({
    kind: 'workers-gone',
    about: queue,
    text: `No worker polls the task queue ${queue}: its tasks wait.`,
  }));
  return [...alerts, ...gone];
}

/** The changes of alerts to send to a channel. */
export interface AlertChanges {
  readonly raised: readonly Alert[];
  readonly settled: readonly Alert[];
}

/** Alerts raised and resolved between two checks. */
export function alertChanges(before: readonly Alert[], now: readonly Alert[]): AlertChanges {
  return { raised: without(now, before), settled: without(before, now) };
}

/**
 * The changes to send to a channel that did not get the changes `missed`: both together, each alert once. An alert that
 * is raised again is not resolved.
 */
export function withMissed(changes: AlertChanges, missed: AlertChanges, now: readonly Alert[]): AlertChanges {
  return {
    raised: [...without(missed.raised, changes.raised), ...changes.raised],
    settled: without([...without(missed.settled, changes.settled), ...changes.settled], now),
  };
}

/** True when there is nothing to send. */
export function isUnchanged({ raised, settled }: AlertChanges): boolean {
  return raised.length + settled.length === 0;
}

/** The alerts that are not among the others. */
function without(alerts: readonly Alert[], others: readonly Alert[]): Alert[] {
  const known = new Set(others.map(nameOf));
  return alerts.filter((alert) => !known.has(nameOf(alert)));
}

function nameOf({ kind, about }: Alert): string {
  return `${kind} ${about}`;
}

function failedRun({ name, runs }: WatchedGroup): Alert[] {
  const latest = runs.at(-1);
  if (latest === undefined) return [];
  if (latest.status !== 'COMPLETED') {
    const text = `The latest run of the sync group ${name} ended as ${latest.status.toLowerCase()}.`;
    return [{ kind: 'group-failed', about: name, text }];
  }
  if (latest.failed.length === 0) return [];
  const [first] = latest.failed;
  const text = `${latest.failed.length} repositories of the sync group ${name} failed in its latest run, including ${first}.`;
  return [{ kind: 'group-failed', about: name, text }];
}

function failingRepositories({ name, runs }: WatchedGroup, times: number): Alert[] {
  const latest = runs.slice(-times);
  if (latest.length < times) return [];
  const always = (latest[0]?.failed ?? []).filter((id) => latest.every(({ failed }) => failed.includes(id)));
  if (always.length > MOST_NAMED) {
    const text = `${always.length} repositories failed in the latest ${times} runs of the sync group ${name}, including ${always[0]}.`;
    return [{ kind: 'repository-failing', about: name, text }];
  }
  return always.map((id) => ({
    kind: 'repository-failing',
    about: id,
    text: `${id} failed in the latest ${times} runs of the sync group ${name}: its index is from its last success.`,
  }));
}

function staleness({ name, isPaused, completeAt, firstRunAt }: WatchedGroup, now: number, after: number): Alert[] {
  const since = completeAt ?? firstRunAt;
  if (isPaused || since === null || now - Date.parse(since) <= after * 1_000) return [];
  const text =
    completeAt === null
      ? `None of the latest runs of the sync group ${name} brought it fully up to date.`
      : `The sync group ${name} was last known to be up to date at ${completeAt}.`;
  return [{ kind: 'group-stale', about: name, text }];
}

function missedRuns({ name, missed }: WatchedGroup, before: number): Alert[] {
  if (missed <= before) return [];
  const text = `${missed - before} runs of the sync group ${name} did not take place because Temporal was unavailable.`;
  return [{ kind: 'runs-missed', about: name, text }];
}
