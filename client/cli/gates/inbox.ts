import { openGates } from '../../../activities/gates/read-gates.ts';
import { withLedger } from '../../../activities/ledger/open-ledger.ts';
import { directoryOf } from '../../../domain/config/people.schema.ts';
import { approvalsOf, deciders, sentenceOf } from '../../../domain/gates/describe.ts';
import type { GateView } from '../../../domain/gates/gate.ts';
import type { CliContext } from '../../core/context.ts';
import { readersLogin } from '../../core/ledger.ts';
import { printable } from '../../core/sanitize.ts';
import { askGateway, KEY_VARIABLE } from './gateway-client.ts';

/**
 * `longhaul inbox`: the open gates of all flows, from the gateway for a person with a key, else from the ledger. Returns
 * 0. Throws `ServerUnavailable`, `LedgerOutdated`, `AuthenticationFailed`.
 */
export async function printInbox(context: CliContext, { json }: { readonly json?: boolean }): Promise<number> {
  const { config, env, stdout } = context;
  const directory = directoryOf(config);
  const gates =
    directory !== null && env[KEY_VARIABLE]
      ? (await askGateway<{ gates: readonly GateView[] }>(context, '/gates')).gates
      : await withLedger(await readersLogin(context), (ledger) => openGates(ledger, directory));
  if (json) stdout.write(`${JSON.stringify(gates, null, 2)}\n`);
  else if (gates.length === 0) stdout.write('No open gates.\n');
  else stdout.write(`${gates.map((gate) => linesOf(gate).map(printable).join('\n')).join('\n\n')}\n`);
  return 0;
}

function linesOf(gate: GateView): readonly string[] {
  const { id, kind, subject, requestedBy, requestedAt, deadline, atDeadline, workflowId, evidence, decisions } = gate;
  const until = deadline === null ? 'no deadline' : `until ${minute(deadline)}, then ${atDeadline}`;
  return [
    `${id}  ${kind} of ${subject}`,
    `  asked by ${requestedBy} on ${minute(requestedAt)}, ${until}`,
    `  approvals: ${approvalsOf(gate)}; may decide: ${deciders(gate)}`,
    `  flow: ${workflowId}`,
    ...evidence.map((line) => `  - ${line}`),
    ...decisions.map((decision) => `  * ${sentenceOf(decision)}`),
  ];
}

function minute(at: string): string {
  return `${at.slice(0, 16).replace('T', ' ')}Z`;
}
