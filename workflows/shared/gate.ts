import { CancellationScope, condition, workflowInfo } from '@temporalio/workflow';
import type { GateQuestion, GateVerdict } from '../../domain/gates/gate.ts';
import { type GateMoment, nextMoment, timesOf } from '../../domain/gates/moments.ts';
import { logEvent } from './events.ts';
import { gateActivities as ledger } from './gate-activities.ts';
import { gateDisplay } from './gate-display.ts';
import { listenAtGate, listenOutsideGates } from './gate-messages.ts';

/**
 * Records decisions that are sent to the flow directly before its first gate; each gate does the same for its own. They
 * decide nothing.
 */
export function recordClaimsOutsideGates(): void {
  const { workflowId } = workflowInfo();
  listenOutsideGates(workflowId, (claim) => ledger.recordClaim({ claim, gate: null }));
}

/**
 * Asks people, and waits for their verdict as long as it takes (docs/gates.md). Only decisions in the ledger count: the
 * gateway records them for people whom it authenticated. A repeated call with the same kind and digest is the same gate;
 * another digest supersedes the gate, and its approvals. When the flow is cancelled or fails, the gate closes as
 * cancelled. A flow waits at one gate of a kind at a time.
 */
export async function passGate(question: GateQuestion): Promise<GateVerdict> {
  const { kind, digest, subject, reminderSeconds } = question;
  const own = { kind, digest, firstRunId: workflowInfo().firstExecutionRunId };
  const display = gateDisplay();
  try {
    const summary = `ask people: ${kind} of ${subject}`.slice(0, 200);
    const { id, requestedBy } = await ledger.openGate.executeWithOptions({ summary }, [
      { ...question, ...own, at: new Date(Date.now()).toISOString() },
    ]);
    const messages = listenAtGate(id, (claim) => ledger.recordClaim({ claim, gate: own }));
    const fields = { gate: id, kind, subject, requested_by: requestedBy };
    logEvent('gate_opened', fields);
    for (;;) {
      const { wakes, claims } = messages;
      const read = Date.now();
      const { view, verdict } = await ledger.settleGate.executeWithOptions({ summary: 'read the decisions' }, [
        { ...own, at: new Date(read).toISOString(), claims },
      ]);
      if (verdict !== null) {
        await condition(() => messages.recording === 0);
        logEvent('gate_decided', { ...fields, status: verdict.status, reason: verdict.reason });
        return verdict;
      }
      display.show(view);
      // from the time of the question on: a moment may have passed while the ledger was away
      const moment = nextMoment(timesOf(view, reminderSeconds), read);
      const isWoken = await untilWoken(() => messages.wakes > wakes, moment);
      if (isWoken) continue;
      if (moment?.what === 'reminder') logEvent('gate_reminder', { ...fields, have: view.have, needed: view.needed });
      if (moment?.what === 'escalation') logEvent('gate_escalated', { ...fields, to: view.escalatesTo });
    }
  } catch (error) {
    await CancellationScope.nonCancellable(() => ledger.cancelGate(own));
    throw error;
  } finally {
    display.hide();
  }
}

async function untilWoken(isWoken: () => boolean, moment: GateMoment | null): Promise<boolean> {
  if (moment !== null) {
    const summary = `until the ${moment.what} of the gate`;
    return condition(isWoken, Math.max(1, moment.at - Date.now()), { summary });
  }
  await condition(isWoken);
  return true;
}
