import canonicalize from 'canonicalize';
import type { Actor } from '../../domain/shared/actor.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { recordEvent } from './audit.ts';
import { sha256 } from '../../platform/sha256.ts';
import type { LedgerDatabase, LedgerTransaction } from './open-ledger.ts';

/** A flow that a person or service asks for: its workflow type and its checked input. */
export interface RequestedFlow {
  readonly type: string;
  readonly input: object;
}

/** A request that the gateway records before it starts the flow. */
export interface NewRequest extends RequestedFlow {
  /** 32 hexadecimal digits, which the input of the flow has as `requestId`. */
  readonly id: string;
  readonly actor: Actor & { readonly authenticatedBy: 'api-key' | 'oidc' };
  /** False for a service. */
  readonly isPerson: boolean;
}

/** A run that says that a request started it. */
export interface StartedRun extends RequestedFlow {
  readonly id: string;
  readonly runId: string;
  /** The run that was started first: itself, or that of which it is a child. */
  readonly rootRunId: string;
}

/** Who asked for a run, as the gateway authenticated it. */
export interface Requester extends Actor {
  readonly isPerson: boolean;
}

/** Records a request, with the login of the gateway. A repetition with the same id changes nothing. */
export async function recordRequest(ledger: LedgerDatabase, request: NewRequest): Promise<void> {
  const { id, actor, isPerson } = request;
  const { repository = null } = request.input as { readonly repository?: string };
  await ledger
    .insertInto('flow_requests')
    .values({
      request_id: id,
      repository,
      digest: digestOf(request),
      person: actor.name,
      is_person: isPerson,
      authenticated_by: actor.authenticatedBy,
    })
    .onConflict((conflict) => conflict.column('request_id').doNothing())
    .execute();
}

/**
 * Makes a request that of a run, so that {@link requesterOf} finds it: the first run with the very input that was asked
 * for, and its children. Throws `RequestUnproved` for an unknown request, another input, and a request that started
 * another run. Idempotent.
 */
export async function takeRequest(trx: LedgerTransaction, run: StartedRun): Promise<void> {
  const { id, runId, rootRunId } = run;
  const request = await trx
    .selectFrom('flow_requests')
    .select(['digest', 'root_run_id'])
    .where('request_id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (request === undefined) throw unproved(`the gateway has recorded no request ${id}`);
  if (request.root_run_id === null) {
    if (request.digest !== digestOf(run)) throw unproved(`the request ${id} asks for something else`);
    await trx.updateTable('flow_requests').set({ root_run_id: rootRunId }).where('request_id', '=', id).execute();
  } else if (request.root_run_id !== rootRunId) {
    throw unproved(`the request ${id} has started another run already`);
  }
  await trx
    .insertInto('flow_request_runs')
    .values({ run_id: runId, request_id: id })
    .onConflict((conflict) => conflict.column('run_id').doNothing())
    .execute();
}

/** Who asked for a run; null when the gateway has recorded no request for it. */
export async function requesterOf(ledger: LedgerDatabase, runId: string): Promise<Requester | null> {
  const found = await ledger
    .selectFrom('flow_request_runs')
    .innerJoin('flow_requests', 'flow_requests.request_id', 'flow_request_runs.request_id')
    .select(['person', 'is_person', 'authenticated_by'])
    .where('run_id', '=', runId)
    .executeTakeFirst();
  if (found === undefined) return null;
  return { name: found.person, authenticatedBy: found.authenticated_by, isPerson: found.is_person };
}

/** A start that was refused because another run has the workflow id. */
export interface LockedStart extends RequestedFlow {
  /** The id that is in use. */
  readonly workflowId: string;
  /** The sentence of the failure, and its name. */
  readonly message: string;
  readonly reason: string;
  readonly actor: Actor;
}

/** Records a start that no run exists for, with the login of the gateway. */
export async function recordLockedStart(
  ledger: LedgerDatabase,
  { type, input, workflowId, message, reason, actor }: LockedStart,
): Promise<void> {
  const { repository = null } = input as { readonly repository?: string };
  await ledger.transaction().execute((trx) =>
    recordEvent(trx, {
      event_type: 'start.refused',
      repository,
      resource_type: 'flow',
      resource_id: workflowId,
      action: type,
      status: 'refused',
      actor: actor.name,
      authenticated_by: actor.authenticatedBy,
      workflow_id: workflowId,
      details: { reason, message },
    }),
  );
}

/** Digest of a flow and its input. */
function digestOf({ type, input }: RequestedFlow): string {
  const { requestId: _requestId, ...asked } = input as { readonly requestId?: string };
  return sha256(canonicalize({ type, asked }) ?? '');
}

function unproved(why: string): LonghaulError {
  return new LonghaulError('RequestUnproved', `Who started this run is not proved: ${why}.`);
}
