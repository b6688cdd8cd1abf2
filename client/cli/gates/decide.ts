import { readGate } from '../../../activities/gates/read-gates.ts';
import type { RecordedDecision } from '../../../activities/gates/record-decision.ts';
import { openLedger } from '../../../activities/ledger/open-ledger.ts';
import { directoryOf } from '../../../domain/config/people.schema.ts';
import type { Delegation } from '../../../domain/gates/delegation.ts';
import { approvalsOf } from '../../../domain/gates/describe.ts';
import type { GateAnswer, GateView } from '../../../domain/gates/gate.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { decideGate } from '../../core/decide-gate.ts';
import { gatesLogin, namingLedgerFailures } from '../../core/ledger.ts';
import { printable } from '../../core/sanitize.ts';
import { connectTemporal } from '../../core/servers.ts';
import { userName } from '../../core/user-name.ts';
import { askGateway } from './gateway-client.ts';

/** Options of `longhaul approve`, `reject` and `revoke`. */
export interface DecideOptions {
  /** The reason. */
  readonly why: string;
  /** The person in whose place it is decided. @default the own place, else that of a person who delegated */
  readonly for?: string;
  /** Digest of what was seen. @default what the gate is about */
  readonly digest?: string;
  /** Print one JSON value. @default false */
  readonly json?: boolean;
}

/**
 * `longhaul approve`, `reject` and `revoke`: through the gateway as the person with the key, or, where no people are
 * configured, directly and marked unauthenticated. Returns 0. Throws `GateNotFound`, `GateClosed`, `GateChanged`,
 * `NotAnApprover`, `OwnRequest`, `DelegationExpired`, `InvalidInput`, `AuthenticationFailed`, `ServerUnavailable`.
 */
export async function decide(
  context: CliContext,
  id: string,
  verdict: GateAnswer,
  options: DecideOptions,
): Promise<number> {
  const recorded =
    directoryOf(context.config) === null
      ? await decideDirectly(context, id, verdict, options)
      : await decideAtGateway(context, id, verdict, options);
  print(context, recorded, options);
  return 0;
}

async function decideAtGateway(
  context: CliContext,
  id: string,
  verdict: GateAnswer,
  { why, for: onBehalfOf, digest }: DecideOptions,
): Promise<RecordedDecision> {
  const path = `/gates/${encodeURIComponent(id)}`;
  const seen = digest ?? (await askGateway<GateView>(context, path)).digest;
  return askGateway(context, `${path}/decisions`, {
    verdict,
    why,
    digest: seen,
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
  });
}

async function decideDirectly(
  context: CliContext,
  id: string,
  verdict: GateAnswer,
  { why, digest }: DecideOptions,
): Promise<RecordedDecision> {
  if (why.trim() === '') throw new LonghaulError('InvalidInput', '--why: say why.');
  const url = await gatesLogin(context);
  const ledger = openLedger(url, { connections: 2 });
  const session = await connectTemporal(context);
  try {
    return await namingLedgerFailures(url, async () => {
      const seen = digest ?? (await readGate(ledger, null, id)).digest;
      const actor = { name: userName(context.env), authenticatedBy: 'unauthenticated' } as const;
      const desk = { ledger, client: session.client, directory: null };
      return decideGate(desk, actor, { gate: id, verdict, why, digest: seen });
    });
  } finally {
    await session.close();
    await ledger.destroy();
  }
}

const DONE: Readonly<Record<GateAnswer, string>> = {
  approve: 'Approved',
  reject: 'Rejected',
  revoke: 'Revoked the approval of',
};

function print({ stdout }: CliContext, recorded: RecordedDecision, { json }: DecideOptions): void {
  const { gate, decision, repeated } = recorded;
  if (json) {
    stdout.write(`${JSON.stringify(recorded)}\n`);
    return;
  }
  const instead = decision.onBehalfOf === null ? '' : ` on behalf of ${decision.onBehalfOf}`;
  const by = `by ${decision.person}${instead}${decision.authenticatedBy === 'unauthenticated' ? ' (unauthenticated)' : ''}`;
  const lines = [
    `${repeated ? 'Before: ' : ''}${DONE[decision.verdict]} ${gate.id} ${by}: ${gate.kind} of ${gate.subject}.`,
    `Approvals: ${approvalsOf(gate)}.`,
  ];
  stdout.write(`${lines.map(printable).join('\n')}\n`);
}

/** Options of `longhaul delegate`. */
export interface DelegateOptions {
  /** ISO 8601. */
  readonly until: string;
  /** Print one JSON value. @default false */
  readonly json?: boolean;
}

/** `longhaul delegate`: through the gateway. Returns 0. Throws `InvalidInput`, and as {@link decide} does. */
export async function delegate(context: CliContext, name: string, { until, json }: DelegateOptions): Promise<number> {
  if (directoryOf(context.config) === null) {
    throw new LonghaulError(
      'InvalidInput',
      'No people are configured in longhaul.yaml: there is no one to delegate to.',
    );
  }
  const made = await askGateway<Delegation>(context, '/delegations', { delegate: name, until });
  if (json) context.stdout.write(`${JSON.stringify(made)}\n`);
  else context.stdout.write(`${made.delegate} may decide in the place of ${made.person} until ${made.until}.\n`);
  return 0;
}
