import {
  teardownFlow,
  type TeardownInput,
  type TeardownMode,
  type TeardownResult,
} from '../../../domain/workspace/flows/teardown-flow.ts';
import { workspaceKey } from '../../../domain/workspace/flows/apply-plan-flow.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { userName } from '../../core/user-name.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { answerLosses } from './answer-losses.ts';
import { hostAndRoot, type WorkspaceOptions } from './host-and-root.ts';

/** Options of `longhaul workspace teardown`. */
export interface TeardownOptions extends FlowOptions, WorkspaceOptions {
  readonly mode: TeardownMode;
  /** Names that are confirmed without asking. @default none */
  readonly confirm?: readonly string[];
}

/** `longhaul workspace teardown`: ends a workspace. Exit code 1 when it is not as it was before. */
export async function teardownCommand(context: CliContext, options: TeardownOptions): Promise<number> {
  const { env, stdout } = context;
  const { mode, confirm = [], json = false, wait } = options;
  const input: TeardownInput = { ...(await hostAndRoot(context, options)), mode, by: userName(env) };
  const ended = new AbortController();
  const answering =
    wait === false
      ? Promise.resolve()
      : answerLosses(context, workspaceKey(input.host, input.root), { confirmed: confirm, asks: !json }, ended.signal);
  const print = (result: TeardownResult): number => {
    for (const line of linesOf(result)) stdout.write(`${printable(line)}\n`);
    return exitCode(result);
  };
  try {
    return await runFlow(context, { flow: teardownFlow, input, print, exitCode, show: showNothing }, options);
  } finally {
    ended.abort();
    await answering;
  }
}

/** The questions to the person have the terminal. */
function showNothing(_client: unknown, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
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
