/** What somebody should look at. */
export const ALERT_KINDS = [
  'group-failed',
  'repository-failing',
  'group-stale',
  'runs-missed',
  'workers-gone',
] as const;
/** One of {@link ALERT_KINDS}. */
export type AlertKind = (typeof ALERT_KINDS)[number];

/** One thing that is not as it should be, for as long as that lasts. */
export interface Alert {
  readonly kind: AlertKind;
  /** The group, repository or task queue that it is about: with the kind, what tells one alert from another. */
  readonly about: string;
  /** One sentence for people. */
  readonly text: string;
}

/** When something is worth an alert. */
export interface AlertRules {
  /** A group of which nothing was left to do longer ago than this. */
  readonly staleAfterSeconds: number;
  /** A repository that failed so many times in a row. */
  readonly failingRuns: number;
}

/** A group as far as alerts are concerned. */
export interface WatchedGroup {
  readonly name: string;
  readonly isPaused: boolean;
  /** Runs that did not take place because Temporal was away. */
  readonly missed: number;
  /** When the latest run began after which nothing was left to do, ISO 8601; null when that was none of the latest. */
  readonly completeAt: string | null;
  /** When the first of its latest runs began, ISO 8601; null when it never was run. */
  readonly firstRunAt: string | null;
  /** Its runs that ended, oldest first. */
  readonly runs: readonly WatchedRun[];
}

/** A run that ended. */
export interface WatchedRun {
  /** Temporal's name of how it ended. */
  readonly status: string;
  /** Ids of the repositories that failed. */
  readonly failed: readonly string[];
}

/** What alerts are made of. */
export interface WatchedFleet {
  /** ISO 8601. */
  readonly at: string;
  readonly groups: readonly WatchedGroup[];
  /** Task queues that no worker polls. */
  readonly unpolled: readonly string[];
  /** Missed runs by group when it was last looked; a group that is not there had none. */
  readonly missedBefore: Readonly<Record<string, number>>;
}

/** More repositories of a group than this fail for one reason, of which everybody hears once. */
const MOST_NAMED = 20;

/** Everything that is not as it should be now. */
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
    text: `No worker polls the task queue ${queue}: nothing that it is for goes on.`,
  }));
  return [...alerts, ...gone];
}

/** What somebody is to be told. */
export interface AlertChanges {
  readonly raised: readonly Alert[];
  readonly settled: readonly Alert[];
}

/** What came and what went between two looks. */
export function alertNews(before: readonly Alert[], now: readonly Alert[]): AlertChanges {
  return { raised: without(now, before), settled: without(before, now) };
}

/** The news for somebody who could not be told what is `untold`: that too, each alert once. What is there again has not settled. */
export function withUntold(news: AlertChanges, untold: AlertChanges, now: readonly Alert[]): AlertChanges {
  return {
    raised: [...without(untold.raised, news.raised), ...news.raised],
    settled: without([...without(untold.settled, news.settled), ...news.settled], now),
  };
}

/** True when there is nothing to tell. */
export function isNoNews({ raised, settled }: AlertChanges): boolean {
  return raised.length + settled.length === 0;
}

/** The alerts that are not among others. */
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
  const text = `${latest.failed.length} repositories of the sync group ${name} failed in its latest run, ${first} among them.`;
  return [{ kind: 'group-failed', about: name, text }];
}

function failingRepositories({ name, runs }: WatchedGroup, times: number): Alert[] {
  const latest = runs.slice(-times);
  if (latest.length < times) return [];
  const always = (latest[0]?.failed ?? []).filter((id) => latest.every(({ failed }) => failed.includes(id)));
  if (always.length > MOST_NAMED) {
    const text = `${always.length} repositories failed in the latest ${times} runs of the sync group ${name}, ${always[0]} among them.`;
    return [{ kind: 'repository-failing', about: name, text }];
  }
  return always.map((id) => ({
    kind: 'repository-failing',
    about: id,
    text: `${id} failed in the latest ${times} runs of the sync group ${name}: its index is as old as its last success.`,
  }));
}

function staleness({ name, isPaused, completeAt, firstRunAt }: WatchedGroup, now: number, after: number): Alert[] {
  const since = completeAt ?? firstRunAt;
  if (isPaused || since === null || now - Date.parse(since) <= after * 1_000) return [];
  const text =
    completeAt === null
      ? `None of the latest runs of the sync group ${name} left nothing to do.`
      : `The sync group ${name} is only known to be up to date as of ${completeAt}.`;
  return [{ kind: 'group-stale', about: name, text }];
}

function missedRuns({ name, missed }: WatchedGroup, before: number): Alert[] {
  if (missed <= before) return [];
  const text = `${missed - before} runs of the sync group ${name} did not take place because Temporal was away.`;
  return [{ kind: 'runs-missed', about: name, text }];
}
