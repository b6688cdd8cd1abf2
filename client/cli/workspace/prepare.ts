import { LonghaulError } from '../../../domain/shared/failures.ts';
import {
  lifeKey,
  prepareFlow,
  type PrepareInput,
  type PrepareResult,
} from '../../../domain/workspace/flows/prepare-flow.ts';
import { secondsOfTtl } from '../../../domain/workspace/time-to-live.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { connectTemporal } from '../../core/servers.ts';
import { userName } from '../../core/user-name.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { hostAndRoot, type WorkspaceOptions } from './host-and-root.ts';

/** Options of `longhaul workspace prepare`. */
export interface PrepareOptions extends FlowOptions, WorkspaceOptions {
  /** How long it lives: `90m`, `2h`, `3d`. @default as the manifest says */
  readonly ttl?: string;
}

/** `longhaul workspace prepare`: starts the life of a workspace, and with `wait` follows it to its end. */
export async function prepareCommand(context: CliContext, options: PrepareOptions): Promise<number> {
  const { env, stdout } = context;
  const { ttl, wait = false, json = false } = options;
  const input: PrepareInput = {
    ...(await hostAndRoot(context, options)),
    ...(ttl === undefined ? {} : { ttlSeconds: secondsOfTime(ttl, '--ttl') }),
    by: userName(env),
  };
  const print = ({ mode, teardown }: PrepareResult): number => {
    stdout.write(mode === null ? 'Another run has ended the workspace.\n' : `The workspace has ended (${mode}).\n`);
    for (const each of teardown?.drift ?? []) stdout.write(`not as before: ${printable(each)}\n`);
    return teardown === null || teardown.drift.length === 0 ? 0 : 1;
  };
  return runFlow(context, { flow: prepareFlow, input, print }, { wait, json });
}

/** `longhaul workspace extend`: moves the end of a workspace, and prints it. */
export async function extendCommand(context: CliContext, time: string, options: WorkspaceOptions): Promise<number> {
  const seconds = secondsOfTime(time, 'The time');
  const { host, root } = await hostAndRoot(context, options);
  const session = await connectTemporal(context);
  try {
    const handle = session.client.workflow.getHandle(lifeKey(host, root));
    const end = await handle.executeUpdate<string | null, [{ seconds: number }]>('extend', { args: [{ seconds }] });
    context.stdout.write(end === null ? 'It lives as long as it is needed.\n' : `It ends at ${end}.\n`);
    return 0;
  } finally {
    await session.close();
  }
}

function secondsOfTime(time: string, what: string): number {
  const seconds = secondsOfTtl(time);
  if (seconds !== null) return seconds;
  throw new LonghaulError('InvalidInput', `${what}: give minutes, hours or days, such as 90m, 2h or 3d.`);
}
