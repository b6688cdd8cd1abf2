import type { IncomingMessage, ServerResponse } from 'node:http';

/** The limits that a forge enforces. Defaults are GitHub's. */
export interface EnforcedLimits {
  readonly concurrency?: number;
  readonly restPerMinute?: number;
  readonly graphqlPerMinute?: number;
  /** Requests per hour, which can be shorter here. */
  readonly hourly?: { readonly limit: number; readonly ms: number };
}

/** GitHub's answer to too many requests, with its headers. */
export interface LimitAnswer {
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Counts the requests of every token, and refuses those above the limits. */
export interface Enforcement {
  /** Refused requests with the reason, including requests while all were refused. */
  readonly violations: string[];
  /** The highest number of concurrent requests so far. */
  readonly mostAtOnce: () => number;
  /** Begins a request. Returns the refusal to answer instead, or null; the slot is free after the response. */
  begin(request: IncomingMessage, response: ServerResponse, resource: 'rest' | 'graphql'): LimitAnswer | null;
  /** Subtracts the point of a request from the hour, and returns the headers about it. 304 costs none. */
  charge(resource: 'rest' | 'graphql', isFree: boolean): Record<string, string>;
  /**
   * Refuses everything for a time, as GitHub does after a secondary limit. Returns the answer to the causing request.
   */
  block(ms: number, says?: 'retry-after' | 'nothing'): LimitAnswer;
}

const MINUTE_MS = 60_000;
const SECONDARY = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';

/** Enforces limits as GitHub documents them. */
export function enforce({
  concurrency = 100,
  restPerMinute = 900,
  graphqlPerMinute = 2_000,
  hourly = { limit: 5_000, ms: 3_600_000 },
}: EnforcedLimits): Enforcement {
  const violations: string[] = [];
  const points = { rest: [] as { at: number; points: number }[], graphql: [] as { at: number; points: number }[] };
  const hours = { rest: { from: 0, used: 0 }, graphql: { from: 0, used: 0 } };
  let underWay = 0;
  let most = 0;
  let blockedUntil = 0;

  function hour(resource: 'rest' | 'graphql'): { from: number; used: number } {
    const now = Date.now();
    if (now >= hours[resource].from + hourly.ms) hours[resource] = { from: now, used: 0 };
    return hours[resource];
  }

  function headersOf(resource: 'rest' | 'graphql'): Record<string, string> {
    const { from, used } = hour(resource);
    return {
      'x-ratelimit-limit': String(hourly.limit),
      'x-ratelimit-remaining': String(Math.max(0, hourly.limit - used)),
      'x-ratelimit-used': String(used),
      'x-ratelimit-reset': String(Math.ceil((from + hourly.ms) / 1_000)),
      'x-ratelimit-resource': resource === 'rest' ? 'core' : 'graphql',
    };
  }

  function secondary(resource: 'rest' | 'graphql', why: string): LimitAnswer {
    violations.push(why);
    return { status: 403, message: SECONDARY, headers: { ...headersOf(resource), 'retry-after': '60' } };
  }

  return {
    violations,
    mostAtOnce: () => most,
    begin(request, response, resource) {
      const now = Date.now();
      underWay++;
      most = Math.max(most, underWay);
      response.once('close', () => underWay--);
      const minute = points[resource];
      while (minute[0] && minute[0].at <= now - MINUTE_MS) minute.shift();
      const isRead = request.method === 'GET' || request.method === 'HEAD' || resource === 'graphql';
      minute.push({ at: now, points: isRead ? 1 : 5 });
      const spent = minute.reduce((sum, entry) => sum + entry.points, 0);
      const name = `${request.method} ${request.url}`;
      if (now < blockedUntil) return secondary(resource, `${name} while everything is refused`);
      if (underWay > concurrency) return secondary(resource, `${name}: ${underWay} requests at the same time`);
      const allowed = resource === 'rest' ? restPerMinute : graphqlPerMinute;
      if (spent > allowed) return secondary(resource, `${name}: ${spent} points of ${resource} in a minute`);
      if (hour(resource).used >= hourly.limit) {
        violations.push(`${name}: the hour is used up`);
        const message = 'API rate limit exceeded for user ID 1.';
        return { status: 403, message, headers: headersOf(resource) };
      }
      return null;
    },
    charge(resource, isFree) {
      if (!isFree) hour(resource).used++;
      return headersOf(resource);
    },
    block(ms, says = 'retry-after') {
      blockedUntil = Date.now() + ms;
      const headers = says === 'nothing' ? {} : { 'retry-after': String(Math.ceil(ms / 1_000)) };
      return { status: 403, message: SECONDARY, headers: { ...headersOf('rest'), ...headers } };
    },
  };
}
