import {
  teardownFlow,
  type TeardownInput,
  type TeardownMode,
  type TeardownResult,
} from '../../../domain/workspace/flows/teardown-flow.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { userName } from '../../core/user-name.ts';
import { hostAndRoot } from './host-and-root.ts';
import { type AnsweringOptions, runAnswering } from './run-answering.ts';

/** Options of `longhaul workspace teardown`. */
export interface TeardownOptions extends AnsweringOptions {
  readonly mode: TeardownMode;
}

/** `longhaul workspace teardown`: ends a workspace. Exit code 1 when it is not as it was before. */
export async function teardownCommand(context: CliContext, options: TeardownOptions): Promise<number> {
  const { env, stdout } = context;
  const { mode, ...rest } = options;
  const input: TeardownInput = { ...(await hostAndRoot(context, options)), mode, by: userName(env) };
  const print = (result: TeardownResult): number => {
    for (const line of linesOf(result)) stdout.write(`${printable(line)}\n`);
    return exitCode(result);
  };
  return runAnswering(context, { flow: teardownFlow, input, print, exitCode }, rest);
}

function exitCode({ drift }: TeardownResult): number {
  return drift.length === 0 ? 0 : 1;
}

function linesOf({ mode, operations, quarantined, needed, drift, kept }: TeardownResult): readonly string[] {
  const done = {
    clean: `The workspace has ended: ${operations} operations took it back.`,
    detach: `The workspace has ended: its repositories stay, ${operations} links were removed.`,
    preserve: 'The workspace has ended: everything stays as it is.',
  }[mode];
  return [
    ...quarantined.map(({ name, id }) => `${name} is in quarantine: longhaul workspace restore ${id}`),
    ...needed,
    ...drift.map((each) => `not as before: ${each}`),
    ...kept.map((folder) => `left, because it is not ours: ${folder}`),
    drift.length === 0 ? done : 'The workspace has not ended.',
  ];
}
