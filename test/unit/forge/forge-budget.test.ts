import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  CONTENT_LIMITS,
  type ForgeBudget,
  type ForgeLimits,
  GITHUB_LIMITS,
  isIdle,
  isLeaseRequest,
  LEASE_MS,
  lease,
  type LeaseAnswer,
  type LeaseRequest,
  NEW_BUDGET,
  report,
  statusOf,
} from '../../../domain/forge/forge-budget.ts';

const NOW = 1_800_000_000_000;
const LIMITS: ForgeLimits = { concurrency: 20, restPerMinute: 60, graphqlPerMinute: 100 };
const HOUR = { limit: 5_000, remaining: 4_990, resetInMs: 3_000_000 };

function request(more: Partial<LeaseRequest> = {}): LeaseRequest {
  return {
    holder: 'a',
    line: 'rest',
    turn: 0,
    used: 0,
    busy: 0,
    said: {},
    limits: LIMITS,
    atLeast: 1,
    points: 32,
    places: 16,
    ...more,
  };
}

/** A budget that knows the hourly limit, which every answer of the forge contains. */
function knowing(hourly: LeaseRequest['said']['hourly'] = HOUR): ForgeBudget {
  return report(
    NEW_BUDGET,
    { holder: 'x', line: 'rest', turn: 0, used: 0, busy: 0, said: { hourly: hourly ?? null } },
    NOW,
  );
}

function waitOf({ answer }: { answer: LeaseAnswer }): number {
  if (!('waitMs' in answer)) throw new Error(`it was given ${answer.points} points`);
  return answer.waitMs;
}

function grantOf({ answer }: { answer: LeaseAnswer }): { points: number; places: number } {
  if ('waitMs' in answer) throw new Error(`it has to wait ${answer.waitMs} ms`);
  return answer;
}

describe('the budget of a forge', () => {
  test('one request goes first, and its answer has the limit', () => {
    const first = lease(NEW_BUDGET, request({ atLeast: 30 }), NOW);
    expect(grantOf(first)).toMatchObject({ points: 5, places: 1 });
    expect(waitOf(lease(first.budget, request({ holder: 'b' }), NOW))).toBe(1_000);
    const said = { hourly: { limit: 5_000, remaining: 3, resetInMs: 100_000 } };
    const second = lease(first.budget, request({ turn: 1, used: 1, said, atLeast: 30 }), NOW);
    expect(waitOf(second)).toBe(101_000);
    expect(statusOf(second.budget, NOW).waiting).toMatchObject([{ line: 'rest' }]);
    // the next hour is requested, too
    expect(grantOf(lease(second.budget, request({ turn: 1, atLeast: 30 }), NOW + 101_000))).toMatchObject({
      places: 1,
    });
  });

  test('a lease is at most half of the remaining points, unless all are needed at once', () => {
    expect(grantOf(lease(knowing(), request(), NOW))).toMatchObject({ points: 30, places: 10 });
    expect(grantOf(lease(knowing(), request({ atLeast: 50 }), NOW))).toMatchObject({ points: 50 });
    expect(grantOf(lease(knowing(null), request({ atLeast: 500 }), NOW))).toMatchObject({ points: 60 });
  });

  test('spent points count for a minute, returned points do not', () => {
    const first = lease(knowing(), request({ atLeast: 60 }), NOW);
    const back = report(first.budget, { ...request(), turn: 1, used: 10, said: {} }, NOW + 1_000);
    expect(grantOf(lease(back, request({ holder: 'b', atLeast: 50 }), NOW + 1_000)).points).toBe(50);
    expect(waitOf(lease(back, request({ holder: 'b', atLeast: 51 }), NOW + 1_000))).toBeGreaterThan(60_000);
    expect(statusOf(back, NOW + 1_000)).toMatchObject({ rest: { minute: 10 }, places: 0 });
    expect(statusOf(back, NOW + 70_000)).toMatchObject({ rest: { minute: 0 } });
  });

  test('an unreported lease ends, and counts as spent', () => {
    const killed = lease(knowing(), request({ atLeast: 60 }), NOW).budget;
    expect(waitOf(lease(killed, request({ holder: 'b' }), NOW + LEASE_MS))).toBe(1_000);
    const ended = NOW + LEASE_MS + 15_000;
    expect(waitOf(lease(killed, request({ holder: 'b' }), ended))).toBeGreaterThan(60_000);
    expect(grantOf(lease(killed, request({ holder: 'b' }), ended + 63_000)).points).toBe(30);
  });

  test('a repeated request is answered again, and counted once', () => {
    const first = lease(knowing(), request(), NOW);
    const again = lease(first.budget, request(), NOW + 500);
    expect(grantOf(again)).toMatchObject(grantOf({ answer: { ...grantOf(first), forMs: LEASE_MS - 500 } }));
    expect(again.budget.leases).toEqual(first.budget.leases);
    const late = report(first.budget, { ...request(), turn: 0, used: 5 }, NOW + 600);
    expect(late.leases).toEqual(first.budget.leases);
  });

  test('a refusal blocks everything, for as long as the forge says', () => {
    const blocked = report(knowing(), { ...request(), said: { refused: { retryAfterMs: 77_000 } } }, NOW);
    expect(waitOf(lease(blocked, request(), NOW))).toBe(77_000);
    expect(waitOf(lease(blocked, request({ line: 'git', holder: 'b' }), NOW + 7_000))).toBe(70_000);
    expect(statusOf(blocked, NOW).blockedUntil).toBe(new Date(NOW + 77_000).toISOString());
  });

  test('a refusal without a time costs a minute, then two, then four; a success resets this', () => {
    let budget = knowing();
    let now = NOW;
    for (const minutes of [1, 2, 4, 8]) {
      budget = report(budget, { ...request(), said: { hourly: HOUR, refused: { retryAfterMs: null } } }, now);
      // requests in progress get the refusal too
      budget = report(budget, { ...request({ holder: 'b' }), said: { refused: { retryAfterMs: null } } }, now + 10);
      expect(waitOf(lease(budget, request(), now))).toBe(minutes * 60_000);
      now += minutes * 60_000;
    }
    budget = report(budget, { ...request(), said: { hourly: HOUR } }, now);
    budget = report(budget, { ...request(), said: { refused: { retryAfterMs: null } } }, now);
    expect(waitOf(lease(budget, request(), now))).toBe(60_000);
    for (let times = 0; times < 30; times++) {
      now += 4_000_000;
      budget = report(budget, { ...request(), said: { refused: { retryAfterMs: null } } }, now);
    }
    expect(waitOf(lease(budget, request(), now))).toBe(3_600_000);
  });

  test('late answers about a past hour are ignored', () => {
    const later = report(knowing(), { ...request(), said: { hourly: { ...HOUR, remaining: 10 } } }, NOW + 50);
    const earlier = report(later, { ...request(), said: { hourly: { ...HOUR, remaining: 400 } } }, NOW + 100);
    expect(statusOf(earlier, NOW).rest.hour).toMatchObject({ remaining: 10 });
    const next = report(earlier, { ...request(), said: { hourly: { ...HOUR, remaining: 4_999 } } }, NOW + 3_600_000);
    expect(statusOf(next, NOW + 3_600_000).rest.hour).toMatchObject({ remaining: 4_999 });
  });

  test('an hourly limit of one line does not affect the others', () => {
    const empty = knowing({ ...HOUR, remaining: 0 });
    expect(waitOf(lease(empty, request(), NOW))).toBe(3_001_000);
    expect(grantOf(lease(empty, request({ line: 'graphql' }), NOW))).toMatchObject({ points: 5, places: 1 });
    expect(grantOf(lease(empty, request({ line: 'git', atLeast: 0, points: 0 }), NOW))).toMatchObject({
      points: 0,
      places: 10,
    });
  });

  test('slots of requests in progress stay reserved, regardless of the answer', () => {
    const full = lease(knowing(), request({ line: 'git', places: 16, busy: 19, atLeast: 0, points: 0 }), NOW);
    expect(grantOf(full).places).toBe(20);
    expect(waitOf(lease(full.budget, request({ holder: 'b', line: 'git', atLeast: 0 }), NOW))).toBe(1_000);
    const after = report(full.budget, { ...request({ line: 'git' }), turn: 1, busy: 20 }, NOW + 50_000);
    expect(statusOf(after, NOW + 100_000).places).toBe(20);
    expect(isIdle(after, NOW + 100_000)).toBe(false);
    expect(isIdle(after, NOW + 4_000_000)).toBe(true);
  });
});

describe('content', () => {
  const content = (more: Partial<LeaseRequest> = {}): LeaseRequest =>
    request({ line: 'content', atLeast: 1, points: 1, places: 3, ...more });

  /** Creates content at a time, as worker `holder`. */
  function created(budget: ForgeBudget, count: number, now: number, holder = 'w'): ForgeBudget {
    const leased = lease(budget, content({ holder, atLeast: count, points: count, limits: GITHUB_LIMITS }), now);
    const { points } = grantOf(leased);
    expect(points).toBeGreaterThanOrEqual(count);
    return report(leased.budget, { ...content({ holder }), turn: 1, used: count, busy: 0, said: {} }, now);
  }

  test('is limited to 80 a minute and 500 an hour, without a request for the limits first', () => {
    let budget = created(NEW_BUDGET, 80, NOW);
    expect(waitOf(lease(budget, content({ limits: GITHUB_LIMITS }), NOW + 1_000))).toBeGreaterThan(60_000);
    for (let minute = 1; minute < 7; minute++) {
      budget = created(budget, minute === 6 ? 20 : 80, NOW + minute * 65_000, `w${minute}`);
    }
    expect(statusOf(budget, NOW + 6 * 65_000)).toMatchObject({ content: { hour: 500 }, places: 0 });
    const later = NOW + 8 * 65_000;
    expect(statusOf(budget, later).content).toEqual({ minute: 0, hour: 500 });
    const wait = waitOf(lease(budget, content({ limits: GITHUB_LIMITS }), later));
    expect(later + wait - NOW).toBeGreaterThanOrEqual(3_600_000);
    expect(later + wait - NOW).toBeLessThan(3_600_000 + 62_000);
    expect(grantOf(lease(budget, content({ limits: GITHUB_LIMITS }), later + wait)).points).toBe(1);
    // an hour is a short list
    expect(JSON.stringify(budget).length).toBeLessThan(1_500);
    expect(isIdle(budget, later)).toBe(false);
    expect(isIdle(budget, later + 3_700_000)).toBe(true);
  });

  test('takes no slot, and nothing of other lines', () => {
    const limits = { ...GITHUB_LIMITS, concurrency: 1 };
    const first = lease(NEW_BUDGET, content({ limits }), NOW);
    expect(grantOf(first).points).toBe(1);
    const git = lease(first.budget, request({ holder: 'g', line: 'git', atLeast: 0, points: 0, limits }), NOW);
    expect(grantOf(git).places).toBe(1);
    expect(grantOf(lease(git.budget, content({ holder: 'c', limits }), NOW)).points).toBe(1);
    expect(statusOf(git.budget, NOW)).toMatchObject({
      rest: { minute: 0 },
      content: { minute: 1, hour: 1 },
      places: 1,
    });
  });

  test('of a killed worker counts as created', () => {
    const killed = lease(NEW_BUDGET, content({ atLeast: 30, points: 30 }), NOW).budget;
    const ended = NOW + LEASE_MS + 15_000;
    expect(statusOf(killed, ended).content).toEqual({ minute: 30, hour: 30 });
  });

  test('a worker of an earlier version has no limits of content, and its state loads', () => {
    const { contentPerMinute: _minute, contentPerHour: _hour, ...earlier } = { ...LIMITS, ...CONTENT_LIMITS };
    expect(isLeaseRequest(request({ limits: earlier }))).toBe(true);
    expect(isLeaseRequest(content({ limits: { ...earlier, contentPerHour: 1.5 } }))).toBe(false);
    const state = JSON.parse(JSON.stringify(knowing())) as ForgeBudget;
    expect(grantOf(lease(state, content({ limits: earlier, atLeast: 80, points: 80 }), NOW)).points).toBe(80);
    expect(waitOf(lease(created(state, 1, NOW), content({ limits: earlier, atLeast: 80 }), NOW))).toBeGreaterThan(0);
  });
});

/** A worker of the model, with its lease and its requests. */
interface Holder {
  readonly name: string;
  turn: number;
  points: number;
  places: number;
  until: number;
  used: number;
  /** When each request in progress ends. */
  under: number[];
  /** True until the first request of a lease. */
  isFirst: boolean;
  /** The forge's last answer about limits, and its time. */
  heard: { readonly at: number; readonly remaining: number; readonly resetInMs: number } | null;
}

const STEP = fc.record({
  holder: fc.integer({ min: 0, max: 3 }),
  act: fc.constantFrom('ask', 'ask', 'use', 'use', 'use', 'report', 'killed'),
  points: fc.integer({ min: 1, max: 40 }),
  passes: fc.integer({ min: 0, max: 30_000 }),
  lasts: fc.integer({ min: 1, max: 5_000 }),
});

property.prop([fc.array(STEP, { minLength: 50, maxLength: 200 }), fc.integer({ min: 5, max: 200 })], { numRuns: 200 })(
  'workers never exceed the limits of the forge',
  (steps, limit) => {
    const hourMs = 600_000;
    let now = NOW;
    let budget = NEW_BUDGET;
    let names = 0;
    let granted = 0;
    const fresh = (): Holder => ({
      name: `h${names++}`,
      turn: 0,
      points: 0,
      places: 0,
      until: 0,
      used: 0,
      under: [],
      isFirst: true,
      heard: null,
    });
    const holders = Array.from({ length: 4 }, fresh);
    const seen: number[] = [];
    const dead: number[] = [];
    const running = (): number =>
      [...holders.flatMap(({ under }) => under), ...dead].filter((ends) => ends > now).length;
    const leftOf = (): number =>
      limit - seen.filter((at) => Math.floor(at / hourMs) === Math.floor(now / hourMs)).length;

    for (const { holder: at, act, points, passes, lasts } of steps) {
      now += passes;
      const holder = holders[at] ?? fresh();
      holder.under = holder.under.filter((ends) => ends > now);
      const done = (): LeaseRequest => {
        const { name, turn, used, under, heard } = holder;
        const resetInMs = heard === null ? 0 : heard.resetInMs - (now - heard.at);
        const said =
          heard !== null && resetInMs > 0 ? { hourly: { limit, remaining: heard.remaining, resetInMs } } : {};
        return request({ holder: name, turn, used, busy: under.length, said });
      };
      const handOver = (): void => void Object.assign(holder, { used: 0, heard: null, points: 0, places: 0, until: 0 });
      if (act === 'ask') {
        const leased = lease(budget, { ...done(), atLeast: points, points: Math.max(points, 32) }, now);
        ({ budget } = leased);
        handOver();
        if ('waitMs' in leased.answer) {
          expect(leased.answer.waitMs).toBeGreaterThan(0);
        } else {
          granted++;
          holder.turn++;
          Object.assign(holder, leased.answer, { until: now + leased.answer.forMs, isFirst: true });
        }
      } else if (act === 'report') {
        budget = report(budget, done(), now);
        handOver();
      } else if (act === 'killed') {
        dead.push(...holder.under);
        holders[at] = fresh();
      } else {
        for (let times = 0; times < points; times++) {
          if (now >= holder.until || holder.points < 1 || holder.under.length >= holder.places) break;
          // one request reads the limit: after a worker that knew it was killed, this may be one request too many
          const isProbe = holder.isFirst && holder.places === 1;
          expect(leftOf() + (isProbe ? 1 : 0), 'points of the hour').toBeGreaterThan(0);
          holder.isFirst = false;
          seen.push(now);
          holder.points--;
          holder.used++;
          holder.under.push(now + lasts);
          holder.heard = { at: now, remaining: leftOf(), resetInMs: hourMs - (now % hourMs) };
          holder.points = Math.min(holder.points, leftOf());
        }
      }
      expect(running(), 'requests under way').toBeLessThanOrEqual(LIMITS.concurrency);
      expect(seen.filter((time) => time > now - 60_000).length, 'points of the minute').toBeLessThanOrEqual(
        LIMITS.restPerMinute,
      );
    }
    // and afterwards work continues
    now += 4_000_000;
    expect('points' in lease(budget, request({ holder: 'last', atLeast: 1 }), now).answer).toBe(true);
    expect(granted).toBeGreaterThanOrEqual(0);
  },
);
