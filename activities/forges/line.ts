import { randomUUID } from 'node:crypto';
import { type ForgeLineName, type ForgeReport, type ForgeSaid, LEASE_MS } from '../../domain/forge/forge-budget.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { ForgeAccount } from './account.ts';
import { type BudgetClient, budgetClientOf } from './budget-client.ts';

/** The result of one request. */
export interface ForgeAnswer<Value> {
  readonly value: Value;
  readonly said: ForgeSaid;
  /** The forge only asked to wait: the request is made again. */
  readonly isRefused?: boolean;
}

/** The requests of one kind that this process makes with one token. */
export interface ForgeLine {
  /**
   * Makes a request when the budget allows it. Short waits happen here; for a longer one every waiting request throws
   * `RateLimited`.
   */
  run<Value>(points: number, request: () => Promise<ForgeAnswer<Value>>, signal?: AbortSignal): Promise<Value>;
}

/** The flow does longer waits, where they are visible. */
const PATIENCE_MS = 10_000;
/** Points per lease, so that a sync needs few leases. */
const PORTION = 32;
/** Content is scarce: what a killed worker had leased is lost for an hour. */
const HAS_PORTIONS: Readonly<Record<ForgeLineName, boolean>> = {
  rest: true,
  graphql: true,
  git: false,
  content: false,
};
/**
 * The maximum number of slots per line and process, and of those reserved for upcoming requests: a killed worker leaves
 * them taken.
 */
const PLACES = 16;
const SPARE_PLACES = 2;
/** After this long without requests the rest is returned. */
const IDLE_MS = 2_000;

/** No lease. */
const NOTHING = { points: 0, places: 0, until: 0, hasAll: false };

/** Times in answers about the same hour differ by less than this. */
const SAME_HOUR_MS = 2_000;

interface Waiter {
  readonly points: number;
  readonly start: () => void;
  readonly fail: (error: unknown) => void;
}

/** The lines of an account, by kind of traffic. */
export type ForgeLines = Readonly<Record<ForgeLineName, ForgeLine>>;

const known = new Map<string, ForgeLines>();

/** The lines of an account in this process, shared by all its users. */
export function forgeLines(account: ForgeAccount): ForgeLines {
  const key = JSON.stringify(account);
  const lines = known.get(key) ?? createForgeLines(account, budgetClientOf(account));
  known.set(key, lines);
  return lines;
}

/** Lines that share `budget`. When the forge refuses a request of one line, the others stop too. */
export function createForgeLines(account: ForgeAccount, budget: BudgetClient): ForgeLines {
  const stops: (() => void)[] = [];
  const line = (name: ForgeLineName): ForgeLine => createForgeLine(account, name, budget, stops);
  return { rest: line('rest'), graphql: line('graphql'), git: line('git'), content: line('content') };
}

function createForgeLine(
  account: ForgeAccount,
  line: ForgeLineName,
  budget: BudgetClient,
  stops: (() => void)[],
): ForgeLine {
  const holder = `${process.pid}-${line}-${randomUUID().slice(0, 8)}`;
  const queue: Waiter[] = [];
  /** `hasAll`: the budget granted as many slots as requested, so there may be more. */
  let lease = NOTHING;
  /** When to renew a lease that is still in use; null when the budget has no lease for this line. */
  let renewAt: number | null = null;
  let used = 0;
  let busy = 0;
  /** Cost of the requests in progress, which the forge may not have counted yet. */
  let underWay = 0;
  let said: ForgeSaid = {};
  let saidAt = 0;
  let isAsking = false;
  let waits = 0;
  let leaseNumber = 0;
  let timer: NodeJS.Timeout | undefined;

  function pump(): void {
    while (queue[0] && Date.now() < lease.until && queue[0].points <= lease.points && busy < lease.places) {
      const { points, start } = queue.shift() as Waiter;
      lease = { ...lease, points: lease.points - points };
      used += points;
      busy++;
      underWay += points;
      start();
    }
    clearTimeout(timer);
    if (isAsking) return;
    const [next] = queue;
    const isFull = busy >= lease.places && busy < PLACES && lease.hasAll;
    if (next && (Date.now() >= lease.until || next.points > lease.points || isFull)) {
      ask().catch(failAll);
    } else if (busy > 0) {
      // slots stay reserved while requests use them
      later((renewAt ?? 0) - Date.now(), () => void ask().catch(failAll));
    } else if (!next && renewAt !== null) {
      later(IDLE_MS, () => void giveBack());
    }
  }

  function later(ms: number, work: () => void): void {
    timer = setTimeout(work, Math.max(ms, 0));
    timer.unref();
  }

  /** Reports what was done since the last report, and leases what the queue needs. */
  async function ask(): Promise<void> {
    isAsking = true;
    const asked = Date.now();
    try {
      const demand = queue.reduce((sum, { points }) => sum + points, 0);
      const places = Math.min(PLACES - busy, queue.length + SPARE_PLACES);
      const requested = busy + places;
      const answer = await handedOver((done) =>
        budget.lease({
          ...done,
          limits: account.limits,
          atLeast: demand,
          points: queue.length === 0 || !HAS_PORTIONS[line] ? demand : Math.max(demand, PORTION),
          places,
        }),
      );
      renewAt = asked + ('forMs' in answer ? answer.forMs : LEASE_MS) / 2;
      if ('waitMs' in answer) {
        await waitFor(answer.waitMs);
      } else {
        waits = 0;
        leaseNumber++;
        const hasAll = answer.places >= requested;
        lease = { points: answer.points, places: answer.places, until: asked + answer.forMs, hasAll };
      }
    } finally {
      isAsking = false;
    }
    pump();
  }

  async function waitFor(waitMs: number): Promise<void> {
    if (waitMs > PATIENCE_MS) {
      waits = 0;
      failAll(rateLimited(account.host, waitMs));
    } else if (queue.length > 0) {
      // asks less and less often while all points are taken
      const pause = Math.max(waitMs, Math.min(250 * 2 ** waits++, PATIENCE_MS));
      await new Promise((resolve) => {
        setTimeout(resolve, pause);
      });
    }
  }

  async function giveBack(): Promise<void> {
    isAsking = true;
    renewAt = null;
    try {
      await handedOver((done) => budget.report(done));
    } catch {
      // a lease without further reports ends by itself
    } finally {
      isAsking = false;
    }
    pump();
  }

  /** Sends a report to the budget; if that fails, it is included in the next one. */
  async function handedOver<Result>(send: (done: ForgeReport) => Promise<Result>): Promise<Result> {
    const done = { holder, line, turn: leaseNumber, used, busy, said: asItIs(said, Date.now() - saidAt, underWay) };
    lease = NOTHING;
    used = 0;
    said = {};
    try {
      return await send(done);
    } catch (error) {
      used += done.used;
      said = { ...done.said, ...said };
      throw error;
    }
  }

  function failAll(error: unknown): void {
    for (const { fail } of queue.splice(0)) fail(error);
  }

  function hear(limits: ForgeSaid): void {
    const before = asItIs(said, Date.now() - saidAt, 0).hourly;
    said = { ...said, ...limits };
    saidAt = Date.now();
    // answers may arrive out of order
    if (before && limits.hourly && Math.abs(before.resetInMs - limits.hourly.resetInMs) < SAME_HOUR_MS) {
      said = { ...said, hourly: { ...limits.hourly, remaining: Math.min(before.remaining, limits.hourly.remaining) } };
    }
    const left = said.hourly ? said.hourly.remaining - underWay : Infinity;
    lease = { ...lease, points: Math.max(0, Math.min(lease.points, left)) };
    if (limits.refused) for (const stop of stops) stop();
  }

  // ask again before continuing
  stops.push(() => (lease = NOTHING));

  function turn(points: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const leave = (): void => {
        queue.splice(queue.indexOf(waiter), 1);
        reject(signal?.reason as Error);
      };
      const settled = (): void => signal?.removeEventListener('abort', leave);
      const waiter: Waiter = {
        points,
        start: () => {
          settled();
          resolve();
        },
        fail: (error) => {
          settled();
          reject(error);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      queue.push(waiter);
      // requests made in the same tick share one lease
      queueMicrotask(pump);
    });
  }

  return {
    async run(points, request, signal) {
      for (;;) {
        await turn(points, signal);
        try {
          const answer = await request().finally(() => (underWay -= points));
          hear(answer.said);
          if (!answer.isRefused) return answer.value;
        } finally {
          busy--;
          pump();
        }
      }
    },
  };
}

function rateLimited(host: string, waitMs: number): LonghaulError {
  const until = new Date(Date.now() + waitMs).toISOString();
  return new LonghaulError(
    'RateLimited',
    `waiting for ${host} until ${until}: its limits for this token are used up.`,
    {
      retryAfterMs: waitMs,
      waitingFor: host,
    },
  );
}

/** Updates a forge's report from `ms` ago to now, with requests of this many points in progress. */
function asItIs({ hourly, refused }: ForgeSaid, ms: number, underWay: number): ForgeSaid {
  const resetInMs = (hourly?.resetInMs ?? 0) - ms;
  const isOver = hourly && resetInMs <= 0;
  return {
    ...(hourly === undefined || isOver
      ? {}
      : { hourly: hourly && { ...hourly, remaining: Math.max(0, hourly.remaining - underWay), resetInMs } }),
    ...(refused ? { refused: { retryAfterMs: refused.retryAfterMs && Math.max(refused.retryAfterMs - ms, 1) } } : {}),
  };
}
