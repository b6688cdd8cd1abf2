/** A forge's limits for one token: concurrent requests, and points per minute. */
export interface ForgeLimits {
  /** Concurrent requests, including git. */
  readonly concurrency: number;
  /** REST points per minute: {@link REST_POINTS} per request. */
  readonly restPerMinute: number;
  /** GraphQL points per minute: one per query. */
  readonly graphqlPerMinute: number;
  /** Requests per minute that create content. @default {@link CONTENT_LIMITS}, as for workers of earlier versions */
  readonly contentPerMinute?: number;
  /** Requests per hour that create content. @default {@link CONTENT_LIMITS} */
  readonly contentPerHour?: number;
}

/** GitHub's limits for requests that create content (comments, pull requests, releases), for one account. */
export const CONTENT_LIMITS = { contentPerMinute: 80, contentPerHour: 500 } as const;

/** GitHub's limits, as it documents them under "Rate limits for the REST API". */
export const GITHUB_LIMITS: ForgeLimits = { concurrency: 100, restPerMinute: 900, graphqlPerMinute: 2_000 };

/** Cost of a REST request in points of {@link ForgeLimits.restPerMinute}. */
export const REST_POINTS = { read: 1, write: 5 } as const;

/**
 * The kinds of traffic that a forge counts separately. Git costs no points, only a slot among the concurrent requests.
 * A request that creates content costs a point of `content` and no slot of it: it is made by one of the other lines.
 */
export const FORGE_LINES = ['rest', 'graphql', 'git', 'content'] as const;
/** One of {@link FORGE_LINES}. */
export type ForgeLineName = (typeof FORGE_LINES)[number];

/** The limits in the forge's answers since the last report. */
export interface ForgeSaid {
  /**
   * `x-ratelimit-*` of the last answer, minus requests in progress that it may not include; null when the answer has
   * none, so that hours are not counted.
   */
  readonly hourly?: { readonly limit: number; readonly remaining: number; readonly resetInMs: number } | null;
  /**
   * The forge refused a request; with its `retry-after`, if given. Absent for an hourly limit that `hourly` reports.
   */
  readonly refused?: { readonly retryAfterMs: number | null };
}

/** A holder's report on its lease. */
export interface ForgeReport {
  /** One line (kind of traffic) of one process. */
  readonly holder: string;
  readonly line: ForgeLineName;
  /** Number of the holder's lease that this is about, from 0. Repeated or late reports change nothing. */
  readonly turn: number;
  /** Points spent from the lease. */
  readonly used: number;
  /** Requests still in progress. */
  readonly busy: number;
  readonly said: ForgeSaid;
}

/** A request for points and slots; it is also the report on the previous lease. */
export interface LeaseRequest extends ForgeReport {
  readonly limits: ForgeLimits;
  /** The minimum: fewer points are of no use. */
  readonly atLeast: number;
  readonly points: number;
  /** Slots requested, in addition to those of requests in progress. */
  readonly places: number;
}

/** The lease, or how long to wait before the next request. */
export type LeaseAnswer =
  | { readonly points: number; readonly places: number; readonly forMs: number }
  | { readonly waitMs: number };

interface Lease {
  readonly holder: string;
  readonly line: ForgeLineName;
  readonly turn: number;
  readonly points: number;
  readonly places: number;
  readonly endsAt: number;
}

/** `content-hour`: what counts against the hour of the line `content`. */
type SpentLine = ForgeLineName | 'content-hour';

interface Hourly {
  readonly limit: number;
  readonly remaining: number;
  readonly resetAt: number;
}

/** The budget of one token at one forge. Plain JSON; times are milliseconds on the same clock as `now`. */
export interface ForgeBudget {
  readonly leases: readonly Lease[];
  /** Points spent, each with the time until which they count against the minute. */
  readonly spent: readonly { readonly line: SpentLine; readonly points: number; readonly until: number }[];
  /** By line; `none` if the forge counts no hours, missing if it has not answered in this hour yet. */
  readonly hourly: Readonly<Partial<Record<ForgeLineName, Hourly | 'none'>>>;
  /** No requests are allowed before this time; 0 when the forge does not refuse. */
  readonly blockedUntil: number;
  /** Consecutive refusals without a `retry-after`. */
  readonly refusals: number;
  /** Holders that were asked to wait, and until when. */
  readonly waiting: readonly { readonly holder: string; readonly line: ForgeLineName; readonly until: number }[];
}

/** A budget as shown to people. Times are ISO 8601. */
export interface ForgeBudgetStatus {
  readonly rest: LineStatus;
  readonly graphql: LineStatus;
  /** Requests that create content, spent or leased, which count against this minute and this hour. */
  readonly content: { readonly minute: number; readonly hour: number };
  /** Requests that may be in progress now. */
  readonly places: number;
  readonly blockedUntil: string | null;
  readonly waiting: readonly { readonly line: ForgeLineName; readonly until: string }[];
}

/** The usage of a line. */
export interface LineStatus {
  /** Points spent or leased that count against this minute. */
  readonly minute: number;
  /** The forge's last report; null when it counts no hours or has not answered. */
  readonly hour: { readonly limit: number; readonly remaining: number; readonly resetsAt: string } | null;
}

/** Duration of a lease. A holder with requests in progress renews it before. */
export const LEASE_MS = 60_000;
/** How long other holders wait for the first request of an hour: its process may have been killed. */
const PROBE_MS = 5_000;
/** How long an unreported lease still counts after its end: its last requests may be in progress. */
const GRACE_MS = 15_000;
/** A minute, plus the time that a request may take to reach the forge after it was counted. */
const MINUTE_MS = 62_000;
/** The same for an hour. */
const HOUR_MS = 3_602_000;
/** Wait after a refusal without `retry-after`; doubled each time. */
const FIRST_REFUSAL_MS = 60_000;
const LONGEST_REFUSAL_MS = 3_600_000;
/** When to ask again if another holder has the points or slots: they may be returned at any time. */
const ASK_AGAIN_MS = 1_000;
/** Times in answers about the same hour differ by less than this. */
const SAME_HOUR_MS = 2_000;
/** The forge counts hours in whole seconds. */
const SECOND_MS = 1_000;
/** An hour of content is counted in whole minutes, so that it is a short list. */
const CONTENT_STEP_MS = 60_000;

/** The budget of an unused token. */
export const NEW_BUDGET: ForgeBudget = {
  leases: [],
  spent: [],
  hourly: {},
  blockedUntil: 0,
  refusals: 0,
  waiting: [],
};

/** Applies the report of a lease's holder. The lease ends, except for the slots of requests in progress. */
export function report(budget: ForgeBudget, given: ForgeReport, now: number): ForgeBudget {
  const { holder, line, turn, used, busy, said } = given;
  const current = passed(budget, now);
  const held = current.leases.find((other) => other.holder === holder);
  if (held && held.turn !== turn) return withAnswer(current, line, said, now);
  const leases = current.leases.filter((other) => other !== held);
  if (busy > 0) leases.push({ holder, line, turn, points: 0, places: busy, endsAt: now + LEASE_MS + GRACE_MS });
  const points = Math.min(used, held?.points ?? 0);
  // a lease that ended before its report arrived already counts as spent
  const spent = withSpent(current.spent, line, points, now);
  // requests that were never answered
  const hourly = said.hourly === undefined ? withoutPoints(current.hourly, line, points) : current.hourly;
  const waiting = withoutHolder(current.waiting, holder);
  return withAnswer({ ...current, leases, spent, hourly, waiting }, line, said, now);
}

/** Grants points and slots to a holder, whose former lease ends, or returns how long to wait. */
export function lease(
  budget: ForgeBudget,
  request: LeaseRequest,
  now: number,
): { readonly budget: ForgeBudget; readonly answer: LeaseAnswer } {
  const { holder, line, turn, limits, busy } = request;
  const current = report(budget, request, now);
  const own = current.leases.find((other) => other.holder === holder);
  if (own?.turn === turn + 1) return { budget: current, answer: answerOf(own, now) };
  const others = current.leases.filter((other) => other.holder !== holder);
  const atLeast = Math.min(request.atLeast, minuteLimit(limits, line));
  const isContent = line === 'content';
  const freePlaces = isContent ? request.places : limits.concurrency - placesOf(others) - busy;
  const freePoints = line === 'git' ? 0 : freePointsOf(current, request);
  const isProbe = line !== 'git' && !isContent && current.hourly[line] === undefined;
  // one request at a time until the forge has reported its limit
  const least = isProbe ? Math.min(REST_POINTS.write, atLeast) : atLeast;

  const until = refusedUntil(current, line, { atLeast: least, limits }, now);
  if (until > now || freePlaces < 1 || freePoints < least || (isProbe && (busy > 0 || isProbing(others, line)))) {
    const ends = until > now ? until : now + ASK_AGAIN_MS;
    const waiting = [...current.waiting, { holder, line, until: ends }];
    return { budget: { ...current, waiting }, answer: { waitMs: ends - now } };
  }
  // never more than half of the rest, so that the next holder gets some
  const points = isProbe
    ? Math.min(REST_POINTS.write, freePoints)
    : Math.max(least, Math.min(request.points, Math.ceil(freePoints / 2)));
  const places = isProbe ? 1 : Math.max(1, Math.min(request.places, Math.ceil(freePlaces / 2)));
  const endsAt = now + (isProbe ? PROBE_MS : LEASE_MS) + GRACE_MS;
  const given: Lease = { holder, line, turn: turn + 1, points, places: busy + places, endsAt };
  return { budget: { ...current, leases: [...others, given] }, answer: answerOf(given, now) };
}

function answerOf({ points, places, endsAt }: Lease, now: number): LeaseAnswer {
  return { points, places, forMs: endsAt - GRACE_MS - now };
}

/** The budget as shown to people at a given time. */
export function statusOf(budget: ForgeBudget, now: number): ForgeBudgetStatus {
  const current = passed(budget, now);
  const lineStatus = (line: ForgeLineName): LineStatus => {
    const hour = current.hourly[line];
    const { limit = 0, remaining = 0, resetAt = 0 } = typeof hour === 'object' ? hour : {};
    return {
      minute: spentOn(current, line) + leasedOn(current.leases, line),
      hour: limit === 0 ? null : { limit, remaining, resetsAt: iso(resetAt) },
    };
  };
  return {
    rest: lineStatus('rest'),
    graphql: lineStatus('graphql'),
    content: {
      minute: spentOn(current, 'content') + leasedOn(current.leases, 'content'),
      hour: spentOn(current, 'content-hour') + leasedOn(current.leases, 'content'),
    },
    places: placesOf(current.leases),
    blockedUntil: current.blockedUntil > now ? iso(current.blockedUntil) : null,
    waiting: current.waiting.map(({ line, until }) => ({ line, until: iso(until) })),
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

/** True when dropping the budget would lose nothing, except that the hourly limit is requested once more. */
export function isIdle(budget: ForgeBudget, now: number): boolean {
  const { leases, spent, blockedUntil, hourly } = passed(budget, now);
  const counts = Object.values(hourly).some((hour) => hour !== 'none');
  return leases.length === 0 && spent.length === 0 && blockedUntil <= now && !counts;
}

/** Applies the passing of time: unreported leases end and count as spent; minutes and hours expire. */
function passed(budget: ForgeBudget, now: number): ForgeBudget {
  const ended = budget.leases.filter(({ endsAt }) => endsAt <= now);
  let { spent, hourly } = budget;
  for (const { line, points, endsAt } of ended) {
    spent = withSpent(spent, line, points, endsAt);
    hourly = withoutPoints(hourly, line, points);
  }
  const isOver = (hour: Hourly | 'none'): boolean => hour !== 'none' && hour.resetAt <= now;
  return {
    ...budget,
    // the limit of the next hour is requested again
    hourly: Object.fromEntries(Object.entries(hourly).filter(([, hour]) => !isOver(hour))),
    leases: budget.leases.filter(({ endsAt }) => endsAt > now),
    spent: spent.filter(({ until }) => until > now),
    waiting: budget.waiting.filter(({ until }) => until > now),
  };
}

/** Applies the forge's answers. */
function withAnswer(
  budget: ForgeBudget,
  line: ForgeLineName,
  { hourly, refused }: ForgeSaid,
  now: number,
): ForgeBudget {
  let next = budget;
  if (hourly !== undefined) {
    const known = budget.hourly[line];
    const said = hourly === null ? 'none' : hourOf(hourly, now);
    next = { ...next, hourly: { ...next.hourly, [line]: laterOf(known, said) } };
  }
  // requests that were in progress when the forge refused get the same refusal
  if (refused && (budget.blockedUntil <= now || refused.retryAfterMs !== null)) {
    const { retryAfterMs } = refused;
    const refusals = retryAfterMs === null ? next.refusals + 1 : next.refusals;
    const wait = retryAfterMs ?? Math.min(FIRST_REFUSAL_MS * 2 ** (refusals - 1), LONGEST_REFUSAL_MS);
    return { ...next, refusals, blockedUntil: Math.max(next.blockedUntil, now + wait) };
  }
  if (!refused && hourly !== undefined && budget.blockedUntil <= now) next = { ...next, refusals: 0 };
  return next;
}

function hourOf({ limit, remaining, resetInMs }: NonNullable<ForgeSaid['hourly']>, now: number): Hourly {
  return { limit, remaining, resetAt: now + resetInMs + SECOND_MS };
}

/** The current one of two reports about an hour: within the same hour the remaining number only decreases. */
function laterOf(known: Hourly | 'none' | undefined, said: Hourly | 'none'): Hourly | 'none' {
  if (typeof known !== 'object' || typeof said !== 'object') return said;
  if (said.resetAt < known.resetAt - SAME_HOUR_MS) return known;
  if (said.resetAt > known.resetAt + SAME_HOUR_MS) return said;
  return {
    limit: said.limit,
    remaining: Math.min(known.remaining, said.remaining),
    resetAt: Math.max(known.resetAt, said.resetAt),
  };
}

function freePointsOf(budget: ForgeBudget, { holder, line, limits }: LeaseRequest): number {
  const held = leasedOn(
    budget.leases.filter((other) => other.holder !== holder),
    line,
  );
  const hour = line === 'content' ? contentHour(limits) - spentOn(budget, 'content-hour') : hourLeft(budget, line);
  return Math.min(minuteLimit(limits, line) - spentOn(budget, line), hour) - held;
}

function hourLeft({ hourly }: ForgeBudget, line: ForgeLineName): number {
  const hour = hourly[line];
  return typeof hour === 'object' ? hour.remaining : Infinity;
}

function withoutPoints(hourly: ForgeBudget['hourly'], line: ForgeLineName, points: number): ForgeBudget['hourly'] {
  const hour = hourly[line];
  if (typeof hour !== 'object') return hourly;
  return { ...hourly, [line]: { ...hour, remaining: Math.max(0, hour.remaining - points) } };
}

/** The time before which this many points cannot be available, even if every lease were returned. */
function refusedUntil(
  budget: ForgeBudget,
  line: ForgeLineName,
  { atLeast, limits }: Pick<LeaseRequest, 'atLeast' | 'limits'>,
  now: number,
): number {
  const minute = Math.max(
    freeAt(budget, line, minuteLimit(limits, line) - atLeast, now),
    line === 'content' ? freeAt(budget, 'content-hour', contentHour(limits) - atLeast, now) : now,
  );
  const hour = budget.hourly[line];
  // more than the hourly limit would never be available
  const isShort = typeof hour === 'object' && hourLeft(budget, line) < Math.min(atLeast, hour.limit);
  return Math.max(budget.blockedUntil, minute, isShort ? hour.resetAt : now);
}

/** The time at which at most `most` points of a line count. */
function freeAt(budget: ForgeBudget, line: SpentLine, most: number, now: number): number {
  let count = spentOn(budget, line);
  if (line === 'git') return now;
  for (const { line: of, points, until } of [...budget.spent].sort((a, b) => a.until - b.until)) {
    if (count <= most) return now;
    if (of === line) count -= points;
    if (count <= most) return until;
  }
  return now;
}

function minuteLimit(limits: ForgeLimits, line: ForgeLineName): number {
  const { restPerMinute, graphqlPerMinute, contentPerMinute = CONTENT_LIMITS.contentPerMinute } = limits;
  return { rest: restPerMinute, graphql: graphqlPerMinute, git: 0, content: contentPerMinute }[line];
}

function contentHour({ contentPerHour = CONTENT_LIMITS.contentPerHour }: ForgeLimits): number {
  return contentPerHour;
}

function isProbing(others: readonly Lease[], line: ForgeLineName): boolean {
  return others.some((other) => other.line === line && other.points > 0);
}

/** Adds what was spent at a time, to each window in which it counts. */
function withSpent(spent: ForgeBudget['spent'], line: ForgeLineName, points: number, at: number): ForgeBudget['spent'] {
  if (points === 0) return spent;
  // rounded up to whole seconds, so that a busy minute is a short list
  const counted = withEntry(spent, { line, points, until: roundedUp(at + MINUTE_MS, SECOND_MS) });
  if (line !== 'content') return counted;
  return withEntry(counted, { line: 'content-hour', points, until: roundedUp(at + HOUR_MS, CONTENT_STEP_MS) });
}

function withEntry(spent: ForgeBudget['spent'], entry: ForgeBudget['spent'][number]): ForgeBudget['spent'] {
  const same = spent.find(({ line, until }) => line === entry.line && until === entry.until);
  return [...spent.filter((other) => other !== same), { ...entry, points: entry.points + (same?.points ?? 0) }];
}

function roundedUp(time: number, step: number): number {
  return Math.ceil(time / step) * step;
}

function withoutHolder<Entry extends { readonly holder: string }>(entries: readonly Entry[], holder: string): Entry[] {
  return entries.filter((entry) => entry.holder !== holder);
}

/** The slots of all leases. Requests that create content have theirs on another line. */
function placesOf(leases: readonly Lease[]): number {
  return sum(leases, ({ line, places }) => (line === 'content' ? 0 : places));
}

function spentOn({ spent }: ForgeBudget, line: SpentLine): number {
  return sum(spent, (entry) => (entry.line === line ? entry.points : 0));
}

function leasedOn(leases: readonly Lease[], line: ForgeLineName): number {
  return sum(leases, (entry) => (entry.line === line ? entry.points : 0));
}

function sum<Entry>(entries: readonly Entry[], count: (entry: Entry) => number): number {
  return entries.reduce((total, entry) => total + count(entry), 0);
}

/** True for valid input of {@link report}: checks everything that could corrupt the state. */
export function isReport(given: unknown): given is ForgeReport {
  if (typeof given !== 'object' || given === null) return false;
  const { holder, line, turn, used, busy, said } = given as Partial<Record<keyof ForgeReport, unknown>>;
  const isLine = FORGE_LINES.includes(line as ForgeLineName);
  return (
    typeof holder === 'string' &&
    isLine &&
    [turn, used, busy].every(isCount) &&
    typeof said === 'object' &&
    said !== null
  );
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0;
}

/** True for valid input of {@link lease}. */
export function isLeaseRequest(given: unknown): given is LeaseRequest {
  if (!isReport(given)) return false;
  const { limits, atLeast, points, places } = given as Partial<LeaseRequest>;
  const { concurrency, restPerMinute, graphqlPerMinute, contentPerMinute, contentPerHour } = limits ?? {};
  // workers of earlier versions have no limits of content
  const optional = [contentPerMinute, contentPerHour].filter((limit) => limit !== undefined);
  return [atLeast, points, places, concurrency, restPerMinute, graphqlPerMinute, ...optional].every(Number.isInteger);
}
