import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { type NewDecision, type RecordedDecision, recordDecision } from '../../activities/gates/record-decision.ts';
import { openGates } from '../../activities/gates/read-gates.ts';
import type { LedgerDatabase } from '../../activities/ledger/open-ledger.ts';
import { type GateView, wakeSignal } from '../../domain/gates/gate.ts';
import type { Directory } from '../../domain/gates/people.ts';
import type { Actor } from '../../domain/shared/actor.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';

/** What decisions need. */
export interface GateDesk {
  /** With the login that records decisions. */
  readonly ledger: LedgerDatabase;
  readonly client: Client;
  /** Null when no people are configured. */
  readonly directory: Directory | null;
}

/** Timeout for Temporal, in milliseconds. */
const DEADLINE_MS = 10_000;

/**
 * Records a decision, and wakes the flow that waits for it. Throws as {@link recordDecision} does, and `GateClosed` when
 * the flow has ended. A repeated decision wakes the flow again: after an error of Temporal, decide again.
 */
export async function decideGate(
  { ledger, client, directory }: GateDesk,
  actor: Actor,
  given: NewDecision,
  at?: Date,
): Promise<RecordedDecision> {
  const recorded = await recordDecision(ledger, directory, actor, given, at);
  await wake(client, recorded.gate);
  return recorded;
}

/**
 * Wakes the flows of open gates that have decisions: a process may have died after it recorded one. Returns how many were
 * woken.
 */
export async function wakeDecided({ ledger, client, directory }: GateDesk): Promise<number> {
  const decided = (await openGates(ledger, directory)).filter(({ decisions }) => decisions.length > 0);
  const woken = await Promise.allSettled(decided.map((gate) => wake(client, gate)));
  return woken.filter(({ status }) => status === 'fulfilled').length;
}

/** Throws `GateClosed` when the flow has ended. */
async function wake(client: Client, { id, workflowId }: GateView): Promise<void> {
  try {
    await client.withDeadline(Date.now() + DEADLINE_MS, () =>
      client.workflow.getHandle(workflowId).signal(wakeSignal(id)),
    );
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new LonghaulError('GateClosed', `The flow ${workflowId} has ended: nothing waits for the gate ${id}.`, {
      cause: error,
    });
  }
}
