import type { AskedAct, GivenUpAct, RefusedAct } from '../../domain/shared/acts.ts';
import { type AuditEvent, recordEvent } from './audit.ts';
import type { LedgerDatabase, LedgerTransaction } from './open-ledger.ts';
import type { Canceller, RunningFlow } from './acting-flow.ts';

/** See `ActActivities.recordRefusal`. */
export async function recordRefusal(
  {
    ledger,
    cancelledBy,
  }: {
    readonly ledger: LedgerDatabase;
    readonly cancelledBy: (run: Pick<RunningFlow, 'workflowId' | 'runId'>) => Promise<Canceller | null>;
  },
  { type, isRefused, message, facts, ...act }: RefusedAct,
  flow: RunningFlow,
): Promise<void> {
  const isCancelled = type === 'Cancelled';
  const by = isCancelled ? await cancelledBy(flow) : null;
  const { contract = null, ...rest } = facts ?? {};
  await once(ledger, flow, ['%.refused', '%.cancelled'], {
    ...eventOf(act, isCancelled ? 'cancelled' : 'refused'),
    status: isRefused && !isCancelled ? 'refused' : 'failure',
    ...flow.who,
    why: by?.why ?? null,
    contract_digest: contract,
    details: { reason: type, message, ...(by === null ? {} : { cancelledBy: by.name }), ...rest },
  });
}

/** See `ActActivities.recordGiveUp`. */
export async function recordGiveUp(
  { ledger }: { readonly ledger: LedgerDatabase },
  { givenUpBy, why, left, ...act }: GivenUpAct,
  flow: RunningFlow,
): Promise<void> {
  await once(ledger, flow, ['%.given_up'], {
    ...eventOf(act, 'given_up'),
    status: 'success',
    actor: givenUpBy,
    authenticated_by: 'unauthenticated',
    why,
    details: { left, requestedBy: flow.who.actor },
  });
}

function eventOf(
  { event, resource, action, subject, repository }: Omit<AskedAct, 'by'>,
  end: 'refused' | 'cancelled' | 'given_up',
): Pick<AuditEvent, 'event_type' | 'repository' | 'resource_type' | 'resource_id' | 'action'> {
  return { event_type: `${event}.${end}`, repository, resource_type: resource, resource_id: subject, action };
}

/** Appends an event, unless the run has one of these types. */
async function once(
  ledger: LedgerDatabase,
  { workflowId, runId }: RunningFlow,
  types: readonly string[],
  event: AuditEvent,
): Promise<void> {
  await ledger.transaction().execute(async (trx: LedgerTransaction) => {
    // the lock of the chain: an attempt that was given up may still run
    await trx.selectFrom('ledger').select('event_id').forUpdate().executeTakeFirstOrThrow();
    const known = await trx
      .selectFrom('audit_events')
      .select('event_id')
      .where('run_id', '=', runId)
      .where((eb) => eb.or(types.map((type) => eb('event_type', 'like', type))))
      .executeTakeFirst();
    if (known === undefined) await recordEvent(trx, { ...event, workflow_id: workflowId, run_id: runId });
  });
}
