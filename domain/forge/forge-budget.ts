/** What a forge lets one token do at the same time, and in any minute. */
export interface ForgeLimits {
  /** Requests at the same time, git's among them. */
  readonly concurrency: number;
  /** Points of REST in a minute: {@link REST_POINTS} a request. */
  readonly restPerMinute: number;
  /** Points of GraphQL in a minute: one a query. */
  readonly graphqlPerMinute: number;
}

/** GitHub's limits, as it documents them under "Rate limits for the REST API". */
export const GITHUB_LIMITS: ForgeLimits = { concurrency: 100, restPerMinute: 900, graphqlPerMinute: 2_000 };

/** What a REST request costs of {@link ForgeLimits.restPerMinute}. */
export const REST_POINTS = { read: 1, write: 5 } as const;

/** The kinds of traffic that a forge counts apart. Git costs no points, only its place among the concurrent requests. */
export const FORGE_LINES = ['rest', 'graphql', 'git'] as const;
/** One of {@link FORGE_LINES}. */
export type ForgeLine = (typeof FORGE_LINES)[number];

/** What the forge said in its answers since the last report. */
export interface ForgeSaid {
  /**
   * `x-ratelimit-*` of the last answer, less what is under way and may not be counted in it; null when it has none, so that
   * nobody counts hours.
   */
  readonly hourly?: { readonly limit: number; readonly remaining: number; readonly resetInMs: number } | null;
  /** The forge refused: for `retry-after`, where it said so. Left out for an hourly limit that `hourly` tells of. */
  readonly refused?: { readonly retryAfterMs: number | null };
}

/** What the holder of a lease did with it. */
export interface ForgeReport {
  /** One line of one process. */
  readonly holder: string;
  readonly line: ForgeLine;
  /** Which of the holder's leases this is about, counted from 0: what is heard twice, or too late, changes nothing. */
  readonly turn: number;
  /** Points spent of the lease. */
  readonly used: number;
  /** Requests that are under way still. */
  readonly busy: number;
  readonly said: ForgeSaid;
}

/** A wish for points and places; it is the report about the lease before, too. */
export interface LeaseRequest extends ForgeReport {
  readonly limits: ForgeLimits;
  /** Fewer points are of no use. */
  readonly atLeast: number;
  readonly points: number;
  /** Places wanted, beside those of requests under way. */
  readonly places: number;
}

/** What may be done until a lease ends; or when to ask again. */
export type LeaseAnswer =
  | { readonly points: number; readonly places: number; readonly forMs: number }
  | { readonly waitMs: number };

interface Lease {
  readonly holder: string;
  readonly line: ForgeLine;
  readonly turn: number;
  readonly points: number;
  readonly places: number;
  readonly endsAt: number;
}

interface Hourly {
  readonly limit: number;
  readonly remaining: number;
  readonly resetAt: number;
}

/** The budget of one token at one forge. Plain JSON; times are milliseconds of the clock that `now` is of. */
export interface ForgeBudget {
  readonly leases: readonly Lease[];
  /** Points spent that count against the minute until then. */
  readonly spent: readonly { readonly line: ForgeLine; readonly points: number; readonly until: number }[];
  /** By line; `none` where the forge counts no hours, missing where it has not answered in this one yet. */
  readonly hourly: Readonly<Partial<Record<ForgeLine, Hourly | 'none'>>>;
  /** Nothing may be asked before; 0 when nothing is refused. */
  readonly blockedUntil: number;
  /** Refusals in a row that did not say for how long. */
  readonly refusals: number;
  /** Who was told to wait, and until when. */
  readonly waiting: readonly { readonly holder: string; readonly line: ForgeLine; readonly until: number }[];
}

/** What a person is shown of a budget. Times are ISO 8601. */
export interface ForgeBudgetStatus {
  readonly rest: LineStatus;
  readonly graphql: LineStatus;
  /** Requests that may be under way now. */
  readonly places: number;
  readonly blockedUntil: string | null;
  readonly waiting: readonly { readonly line: ForgeLine; readonly until: string }[];
}

/** What a line has used. */
export interface LineStatus {
  /** Points spent or leased that count against this minute. */
  readonly minute: number;
  /** What the forge said last; null when it counts no hours or has not answered. */
  readonly hour: { readonly limit: number; readonly remaining: number; readonly resetsAt: string } | null;
}

/** A lease is good for so long; who has requests under way takes a new one before. */
export const LEASE_MS = 60_000;
/** Who asks first in an hour is waited for no longer: it may have been killed. */
const PROBE_MS = 5_000;
/** A lease of which nothing is heard is kept for so much longer: its last requests may still be under way. */
const GRACE_MS = 15_000;
/** A minute, and what a request may take to reach the forge after it was counted. */
const MINUTE_MS = 62_000;
/** What a refusal costs that does not say for how long; doubled each time. */
const FIRST_REFUSAL_MS = 60_000;
const LONGEST_REFUSAL_MS = 3_600_000;
/** When somebody else has what is wanted: it may be given back at any time. */
const ASK_AGAIN_MS = 1_000;
/** The clocks of answers about the same hour differ by less. */
const SAME_HOUR_MS = 2_000;
/** The forge counts hours in whole seconds. */
const SECOND_MS = 1_000;

/** The budget of a token that was never used. */
export const NEW_BUDGET: ForgeBudget = {
  leases: [],
  spent: [],
  hourly: {},
  blockedUntil: 0,
  refusals: 0,
  waiting: [],
};

/** Takes in what the holder of a lease did; the lease ends, but for the places of requests that are under way. */
export function report(budget: ForgeBudget, given: ForgeReport, now: number): ForgeBudget {
  const { holder, line, turn, used, busy, said } = given;
  const current = passed(budget, now);
  const held = current.leases.find((other) => other.holder === holder);
  if (held && held.turn !== turn) return heard(current, line, said, now);
  const leases = current.leases.filter((other) => other !== held);
  if (busy > 0) leases.push({ holder, line, turn, points: 0, places: busy, endsAt: now + LEASE_MS + GRACE_MS });
  const points = Math.min(used, held?.points ?? 0);
  // what a lease had that ended before this was heard counts as spent already
  const spent = withSpent(current.spent, line, points, now + MINUTE_MS);
  // requests that were never answered
  const hourly = said.hourly === undefined ? withoutPoints(current.hourly, line, points) : current.hourly;
  const waiting = withoutHolder(current.waiting, holder);
  return heard({ ...current, leases, spent, hourly, waiting }, line, said, now);
}

/** Gives points and places to a holder, whose former lease ends; or says how long to wait. */
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
  const freePlaces = limits.concurrency - sum(others, ({ places }) => places) - busy;
  const freePoints = line === 'git' ? 0 : freePointsOf(current, request);
  const isProbe = line !== 'git' && current.hourly[line] === undefined;
  // one request at a time, until the forge has told how many there may be
  const least = isProbe ? Math.min(REST_POINTS.write, atLeast) : atLeast;

  const until = refusedUntil(current, line, { atLeast: least, limits }, now);
  if (until > now || freePlaces < 1 || freePoints < least || (isProbe && (busy > 0 || isProbing(others, line)))) {
    const ends = until > now ? until : now + ASK_AGAIN_MS;
    const waiting = [...current.waiting, { holder, line, until: ends }];
    return { budget: { ...current, waiting }, answer: { waitMs: ends - now } };
  }
  // never more than half of what is left, so that the next one finds something
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

/** What there is to show at a time. */
export function statusOf(budget: ForgeBudget, now: number): ForgeBudgetStatus {
  const current = passed(budget, now);
  const lineStatus = (line: ForgeLine): LineStatus => {
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
    places: sum(current.leases, ({ places }) => places),
    blockedUntil: current.blockedUntil > now ? iso(current.blockedUntil) : null,
    waiting: current.waiting.map(({ line, until }) => ({ line, until: iso(until) })),
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

/** True when forgetting a budget would change nothing but that the hourly limit is asked for once more. */
export function isIdle(budget: ForgeBudget, now: number): boolean {
  const { leases, spent, blockedUntil, hourly } = passed(budget, now);
  const counts = Object.values(hourly).some((hour) => hour !== 'none');
  return leases.length === 0 && spent.length === 0 && blockedUntil <= now && !counts;
}

/** What time alone changes: leases nobody spoke of end, and count as spent; minutes and hours pass. */
function passed(budget: ForgeBudget, now: number): ForgeBudget {
  const ended = budget.leases.filter(({ endsAt }) => endsAt <= now);
  let { spent, hourly } = budget;
  for (const { line, points, endsAt } of ended) {
    spent = withSpent(spent, line, points, endsAt + MINUTE_MS);
    hourly = withoutPoints(hourly, line, points);
  }
  const isOver = (hour: Hourly | 'none'): boolean => hour !== 'none' && hour.resetAt <= now;
  return {
    ...budget,
    // what the next hour allows is asked for
    hourly: Object.fromEntries(Object.entries(hourly).filter(([, hour]) => !isOver(hour))),
    leases: budget.leases.filter(({ endsAt }) => endsAt > now),
    spent: spent.filter(({ until }) => until > now),
    waiting: budget.waiting.filter(({ until }) => until > now),
  };
}

/** Takes in the forge's words. */
function heard(budget: ForgeBudget, line: ForgeLine, { hourly, refused }: ForgeSaid, now: number): ForgeBudget {
  let next = budget;
  if (hourly !== undefined) {
    const known = budget.hourly[line];
    const said = hourly === null ? 'none' : hourOf(hourly, now);
    next = { ...next, hourly: { ...next.hourly, [line]: laterOf(known, said) } };
  }
  // whoever was under way when the forge refused hears the same refusal
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

/** Of two words about an hour the one that is true now: within the same hour there is only ever less. */
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
  const hour = hourLeft(budget, line);
  return Math.min(minuteLimit(limits, line) - spentOn(budget, line), hour) - held;
}

function hourLeft({ hourly }: ForgeBudget, line: ForgeLine): number {
  const hour = hourly[line];
  return typeof hour === 'object' ? hour.remaining : Infinity;
}

function withoutPoints(hourly: ForgeBudget['hourly'], line: ForgeLine, points: number): ForgeBudget['hourly'] {
  const hour = hourly[line];
  if (typeof hour !== 'object') return hourly;
  return { ...hourly, [line]: { ...hour, remaining: Math.max(0, hour.remaining - points) } };
}

/** Until when there cannot be so many points, even if every lease were given back. */
function refusedUntil(
  budget: ForgeBudget,
  line: ForgeLine,
  { atLeast, limits }: Pick<LeaseRequest, 'atLeast' | 'limits'>,
  now: number,
): number {
  const minute = freeAt(budget, line, minuteLimit(limits, line) - atLeast, now);
  const hour = budget.hourly[line];
  // more than the forge allows in an hour would never be there
  const isShort = typeof hour === 'object' && hourLeft(budget, line) < Math.min(atLeast, hour.limit);
  return Math.max(budget.blockedUntil, minute, isShort ? hour.resetAt : now);
}

/** When no more than `most` points of a line are left that count against the minute. */
function freeAt(budget: ForgeBudget, line: ForgeLine, most: number, now: number): number {
  let count = spentOn(budget, line);
  if (line === 'git') return now;
  for (const { line: of, points, until } of [...budget.spent].sort((a, b) => a.until - b.until)) {
    if (count <= most) return now;
    if (of === line) count -= points;
    if (count <= most) return until;
  }
  return now;
}

function minuteLimit({ restPerMinute, graphqlPerMinute }: ForgeLimits, line: ForgeLine): number {
  return { rest: restPerMinute, graphql: graphqlPerMinute, git: 0 }[line];
}

function isProbing(others: readonly Lease[], line: ForgeLine): boolean {
  return others.some((other) => other.line === line && other.points > 0);
}

/** Rounded up to whole seconds, so that a busy minute is a short list. */
function withSpent(
  spent: ForgeBudget['spent'],
  line: ForgeLine,
  points: number,
  exactly: number,
): ForgeBudget['spent'] {
  if (points === 0) return spent;
  const until = Math.ceil(exactly / SECOND_MS) * SECOND_MS;
  const same = spent.find((other) => other.line === line && other.until === until);
  return [...spent.filter((other) => other !== same), { line, points: points + (same?.points ?? 0), until }];
}

function withoutHolder<Entry extends { readonly holder: string }>(entries: readonly Entry[], holder: string): Entry[] {
  return entries.filter((entry) => entry.holder !== holder);
}

function spentOn({ spent }: ForgeBudget, line: ForgeLine): number {
  return sum(spent, (entry) => (entry.line === line ? entry.points : 0));
}

function leasedOn(leases: readonly Lease[], line: ForgeLine): number {
  return sum(leases, (entry) => (entry.line === line ? entry.points : 0));
}

function sum<Entry>(entries: readonly Entry[], count: (entry: Entry) => number): number {
  return entries.reduce((total, entry) => total + count(entry), 0);
}

/** True for what {@link report} takes, as far as a state could be spoilt by it. */
export function isReport(given: unknown): given is ForgeReport {
  if (typeof given !== 'object' || given === null) return false;
  const { holder, line, turn, used, busy, said } = given as Partial<Record<keyof ForgeReport, unknown>>;
  const isLine = FORGE_LINES.includes(line as ForgeLine);
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

/** True for what {@link lease} takes. */
export function isLeaseRequest(given: unknown): given is LeaseRequest {
  if (!isReport(given)) return false;
  const { limits, atLeast, points, places } = given as Partial<LeaseRequest>;
  const { concurrency, restPerMinute, graphqlPerMinute } = limits ?? {};
  return [atLeast, points, places, concurrency, restPerMinute, graphqlPerMinute].every(Number.isInteger);
}
