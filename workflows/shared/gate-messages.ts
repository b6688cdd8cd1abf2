import { HandlerUnfinishedPolicy } from '@temporalio/common';
import { ApplicationFailure, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { wakeSignal } from '../../domain/gates/gate.ts';
import { logEvent } from './events.ts';

/** Decisions that are recorded when they are sent to the flow directly; further ones are only counted. */
const CLAIMS_RECORDED = 20;
const CLIPPED_CHARACTERS = 500;

/** What was sent to a flow that waits at a gate. */
export interface GateMessages {
  /** How often the gateway said that there is a decision. */
  readonly wakes: number;
  /** Decisions that were sent directly. */
  readonly claims: number;
  /** Those of them that are being recorded. */
  readonly recording: number;
}

/**
 * Listens for the wake-up of a gate, which carries nothing. A decision that is sent to the flow directly, as the signal or
 * update `decide`, is passed to `record` and decides nothing, because anyone who reaches Temporal can send it in any name.
 */
export function listenAtGate(gate: string, record: (claim: string) => Promise<void>): GateMessages {
  const messages = refuseDecisions({ id: gate, answer: `longhaul approve ${gate}` }, record);
  setHandler(defineSignal(wakeSignal(gate)), () => void messages.wakes++, {
    description: 'Reads the decisions of the gate from the ledger',
  });
  return messages;
}

/** The same for decisions that are sent to a flow while it waits at no gate. `flow`: its workflow id. */
export function listenOutsideGates(flow: string, record: (claim: string) => Promise<void>): void {
  refuseDecisions({ id: flow, answer: 'longhaul inbox' }, record);
}

function refuseDecisions(
  { id, answer }: { readonly id: string; /** The command that people use. */ readonly answer: string },
  record: (claim: string) => Promise<void>,
): { -readonly [Field in keyof GateMessages]: GateMessages[Field] } {
  const messages = { wakes: 0, claims: 0, recording: 0 };
  const refuse = async (claim: unknown): Promise<void> => {
    if (++messages.claims > CLAIMS_RECORDED) return;
    logEvent('gate_claim_refused', { gate: id });
    messages.recording++;
    try {
      await record((JSON.stringify(claim) ?? '').slice(0, CLIPPED_CHARACTERS));
    } finally {
      messages.recording--;
    }
  };
  const options = {
    description: `Decides nothing, and is recorded: decide with ${answer}`,
    unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON,
  };
  setHandler(defineSignal<[unknown]>('decide'), refuse, options);
  setHandler(
    defineUpdate<void, [unknown]>('decide'),
    async (claim) => {
      await refuse(claim);
      throw ApplicationFailure.nonRetryable(
        `A message to the flow decides nothing: use ${answer}, or the console.`,
        'NotAnApprover',
      );
    },
    options,
  );
  return messages;
}
