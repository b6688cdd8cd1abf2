import { randomUUID } from 'node:crypto';
import {
  type ForgeLine as LineName,
  type ForgeReport,
  type ForgeSaid,
  LEASE_MS,
} from '../../../domain/forge/forge-budget.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { ForgeAccount } from './account.ts';
import { type BudgetKeeper, keeperOf } from './budget-client.ts';

/** What came of one request. */
export interface ForgeAnswer<Value> {
  readonly value: Value;
  readonly said: ForgeSaid;
  /** The forge did nothing but ask to wait: the request is made again. */
  readonly isRefused?: boolean;
}

/** The requests of one kind that this process makes with one token. */
export interface ForgeLine {
  /**
   * Makes a request when the budget allows it. Short waits are waited out here; a longer one is thrown as `RateLimited`, at
   * every request that waits.
   */
  run<Value>(points: number, request: () => Promise<ForgeAnswer<Value>>, signal?: AbortSignal): Promise<Value>;
}

/** A longer wait is the flow's, where everybody sees it. */
const PATIENCE_MS = 10_000;
/** What is taken at once, so that a cycle asks few times. */
const PORTION = 32;
/** The most places of a line in a process, and how many are taken for who comes next: a worker that is killed leaves them taken. */
const PLACES = 16;
const SPARE_PLACES = 2;
/** When nobody wants anything for so long, the rest is given back. */
const IDLE_MS = 2_000;

/** No lease. */
const NOTHING = { points: 0, places: 0, until: 0, hasAll: false };

/** Clocks of answers about the same hour differ by less. */
const SAME_HOUR_MS = 2_000;

interface Waiter {
  readonly points: number;
  readonly start: () => void;
  readonly fail: (error: unknown) => void;
}

/** The lines of an account. */
export type ForgeLines = Readonly<Record<LineName, ForgeLine>>;

const known = new Map<string, ForgeLines>();

/** The lines of an account in this process: all who use the account share them. */
export function forgeLines(account: ForgeAccount): ForgeLines {
  const key = JSON.stringify(account);
  const lines = known.get(key) ?? createForgeLines(account, keeperOf(account));
  known.set(key, lines);
  return lines;
}

/** Lines whose budget is kept by `keeper`. What one of them is refused, the others do not try. */
export function createForgeLines(account: ForgeAccount, keeper: BudgetKeeper): ForgeLines {
  const stops: (() => void)[] = [];
  const line = (name: LineName): ForgeLine => createForgeLine(account, name, keeper, stops);
  return { rest: line('rest'), graphql: line('graphql'), git: line('git') };
}

function createForgeLine(
  account: ForgeAccount,
  line: LineName,
  keeper: BudgetKeeper,
  stops: (() => void)[],
): ForgeLine {
  const holder = `${process.pid}-${line}-${randomUUID().slice(0, 8)}`;
  const queue: Waiter[] = [];
  /** `hasAll`: the keeper gave as many places as were wanted, so there may be more. */
  let lease = NOTHING;
  /** When a lease that is still used is to be renewed; null when the keeper holds nothing for this line. */
  let renewAt: number | null = null;
  let used = 0;
  let busy = 0;
  /** What requests under way cost: the forge may not have counted them yet. */
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
      // its places are kept as long as somebody is in them
      later((renewAt ?? 0) - Date.now(), () => void ask().catch(failAll));
    } else if (!next && renewAt !== null) {
      later(IDLE_MS, () => void giveBack());
    }
  }

  function later(ms: number, work: () => void): void {
    timer = setTimeout(work, Math.max(ms, 0));
    timer.unref();
  }

  /** Reports what was done since the last time, and takes what the queue needs. */
  async function ask(): Promise<void> {
    isAsking = true;
    const asked = Date.now();
    try {
      const demand = queue.reduce((sum, { points }) => sum + points, 0);
      const places = Math.min(PLACES - busy, queue.length + SPARE_PLACES);
      const wanted = busy + places;
      const answer = await handedOver((done) =>
        keeper.lease({
          ...done,
          limits: account.limits,
          atLeast: demand,
          points: queue.length === 0 || line === 'git' ? demand : Math.max(demand, PORTION),
          places,
        }),
      );
      renewAt = asked + ('forMs' in answer ? answer.forMs : LEASE_MS) / 2;
      if ('waitMs' in answer) {
        await waitFor(answer.waitMs);
      } else {
        waits = 0;
        leaseNumber++;
        const hasAll = answer.places >= wanted;
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
      // whoever finds everything taken asks less and less often
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
      await handedOver((done) => keeper.report(done));
    } catch {
      // a lease of which nothing more is heard ends by itself
    } finally {
      isAsking = false;
    }
    pump();
  }

  /** Tells the keeper what was done; if it was not heard, the next time. */
  async function handedOver<Result>(tell: (done: ForgeReport) => Promise<Result>): Promise<Result> {
    const done = { holder, line, turn: leaseNumber, used, busy, said: asItIs(said, Date.now() - saidAt, underWay) };
    lease = NOTHING;
    used = 0;
    said = {};
    try {
      return await tell(done);
    } catch (error) {
      used += done.used;
      said = { ...done.said, ...said };
      throw error;
    }
  }

  function failAll(error: unknown): void {
    for (const { fail } of queue.splice(0)) fail(error);
  }

  function hear(news: ForgeSaid): void {
    const before = asItIs(said, Date.now() - saidAt, 0).hourly;
    said = { ...said, ...news };
    saidAt = Date.now();
    // answers may overtake each other
    if (before && news.hourly && Math.abs(before.resetInMs - news.hourly.resetInMs) < SAME_HOUR_MS) {
      said = { ...said, hourly: { ...news.hourly, remaining: Math.min(before.remaining, news.hourly.remaining) } };
    }
    const left = said.hourly ? said.hourly.remaining - underWay : Infinity;
    lease = { ...lease, points: Math.max(0, Math.min(lease.points, left)) };
    if (news.refused) for (const stop of stops) stop();
  }

  // whoever wants to go on asks first
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
      // whoever comes in the same moment is asked for at the same time
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

/** What the forge said `ms` ago, as it is now that requests of so many points are under way. */
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
