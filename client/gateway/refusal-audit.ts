import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import { type AuditEvent, recordEvent } from '../../activities/ledger/audit.ts';
import { logProcess } from '../../activities/shared/logger.ts';
import type { Actor } from '../../domain/shared/actor.ts';
import type { GatesTools } from './gates.ts';
import { Refusal, type RefusalType } from './refusal.ts';
import type { Sessions } from './sessions.ts';

/** Milliseconds for which refusals of the same kind are counted. */
const WINDOW_MS = 60_000;
/** Addresses of senders that an event names. */
const MOST_REMOTES = 10;
/** Not authenticated, not allowed, too many requests: the gateway itself refuses. What flows and gates refuse they record. */
const STATUSES = [401, 403, 429];

/** A request that the gateway refused. */
interface RefusedRequest {
  readonly type: RefusalType;
  /** Method and route: never a path that the sender chose. */
  readonly route: string;
  readonly remote: string;
  /** Null for a sender whom nothing authenticated. */
  readonly actor: Actor | null;
}

/**
 * Records refused requests in the audit trail, so that no sender can flood it: the first of a kind at once, all others of
 * the same minute as one event with their number when the minute is over. The kind is the type of the refusal and the
 * person or service, so unknown senders make at most two events a minute for each type.
 */
export interface RefusalAudit {
  /** Takes an error that a request ends with; does nothing for one that is no refusal of the gateway. */
  take(error: unknown, request: FastifyRequest): void;
  /** Counts a refused request. */
  count(refused: RefusedRequest): void;
  /** Records what was counted so far, and waits until it is in the ledger. */
  close(): Promise<void>;
}

/** The refusals of a kind since its minute began. */
interface Counted {
  readonly first: RefusedRequest;
  readonly since: Date;
  readonly timer: NodeJS.Timeout;
  readonly routes: Map<string, number>;
  readonly remotes: Set<string>;
  requests: number;
}

/** The audit of the refusals of a gateway; one that does nothing without a ledger. */
export function auditRefusals(desk: GatesTools['desk'], sessions: Sessions, log: FastifyBaseLogger): RefusalAudit {
  const audit = createRefusalAudit(async (event) => {
    if (desk === null) return;
    try {
      await desk.ledger.transaction().execute((trx) => recordEvent(trx, event));
    } catch (error) {
      logProcess(log, 'refusal_not_recorded', { err: error }, 'a refused request is not in the audit trail');
    }
  });
  return {
    ...audit,
    take(error, request) {
      if (!(error instanceof Refusal) || !STATUSES.includes(error.statusCode)) return;
      const { method, ip: remote, routeOptions } = request;
      const route = `${method} ${routeOptions.url ?? '*'}`;
      audit.count({ type: error.type, route, remote, actor: senderOf(request, sessions) });
    },
  };
}

function senderOf(request: FastifyRequest, sessions: Sessions): Actor | null {
  const { apiKey } = request;
  // the hook of the route may have refused it before it set any of them
  if (apiKey != null) return { name: apiKey.name, authenticatedBy: 'api-key' };
  return (request.cookies as object | null) == null ? null : sessions.personOfRequest(request);
}

/** A {@link RefusalAudit} that gives its events to `record`, which never fails. */
export function createRefusalAudit(
  record: (event: AuditEvent) => Promise<void>,
): Pick<RefusalAudit, 'count' | 'close'> {
  const open = new Map<string, Counted>();
  // one after another: the trail has them in the order in which they happened
  let recorded = Promise.resolve();

  function write(event: AuditEvent): void {
    recorded = recorded.then(() => record(event));
  }

  function end(kind: string): void {
    const counted = open.get(kind);
    if (counted === undefined) return;
    clearTimeout(counted.timer);
    open.delete(kind);
    const { first, since, requests, routes, remotes } = counted;
    if (requests === 0) return;
    const details = { since: since.toISOString(), requests, routes: Object.fromEntries(routes), remotes: [...remotes] };
    write(eventOf(first, details));
  }

  return {
    count(refused) {
      const { type, route, remote, actor } = refused;
      const kind = JSON.stringify([type, actor?.name, actor?.authenticatedBy]);
      const counted = open.get(kind);
      if (counted !== undefined) {
        counted.requests += 1;
        counted.routes.set(route, (counted.routes.get(route) ?? 0) + 1);
        if (counted.remotes.size < MOST_REMOTES) counted.remotes.add(remote);
        return;
      }
      const timer = setTimeout(() => end(kind), WINDOW_MS).unref();
      open.set(kind, { first: refused, since: new Date(), timer, routes: new Map(), remotes: new Set(), requests: 0 });
      write(eventOf(refused, { requests: 1, routes: { [route]: 1 }, remotes: [remote] }));
    },
    async close() {
      for (const kind of open.keys()) end(kind);
      await recorded;
    },
  };
}

function eventOf({ type, route, actor }: RefusedRequest, details: object): AuditEvent {
  return {
    event_type: 'request.refused',
    resource_type: 'request',
    resource_id: route,
    action: 'request',
    status: 'refused',
    actor: actor?.name ?? 'unknown',
    authenticated_by: actor?.authenticatedBy ?? 'unauthenticated',
    details: { reason: type, ...details },
  };
}
