import {
  repairWorkspaceFlow,
  type RepairWorkspaceInput,
  type RepairWorkspaceResult,
} from '../../../domain/workspace/flows/repair-flow.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { userName } from '../../core/user-name.ts';
import { runAnswering, type AnsweringOptions } from './run-answering.ts';
import { hostAndRoot } from './host-and-root.ts';

/** `longhaul workspace repair`: makes a workspace as its manifest says again. Exit code 1 when something is left. */
export async function repairWorkspaceCommand(context: CliContext, options: AnsweringOptions): Promise<number> {
  const { env, stdout } = context;
  const input: RepairWorkspaceInput = { ...(await hostAndRoot(context, options)), by: userName(env) };
  const print = (result: RepairWorkspaceResult): number => {
    for (const line of linesOf(result)) stdout.write(`${printable(line)}\n`);
    return exitCode(result);
  };
  return runAnswering(context, { flow: repairWorkspaceFlow, input, print, exitCode }, options);
}

function exitCode({ left, drift }: RepairWorkspaceResult): number {
  return left.length + drift.length === 0 ? 0 : 1;
}

function linesOf({ repaired, quarantined, left, drift }: RepairWorkspaceResult): readonly string[] {
  const isAsWanted = left.length + drift.length === 0;
  return [
    ...repaired.map((each) => `repaired: ${each}`),
    ...quarantined.map(({ name, id }) => `${name} is in quarantine: longhaul workspace restore ${id}`),
    ...left.map((each) => `left as it is: ${each}`),
    ...drift.map((each) => `not as the manifest says: ${each}`),
    ...(isAsWanted ? ['The workspace is as its manifest says.'] : []),
  ];
}
