import { isRunning } from '../../stack/process-identity.ts';
import { clearLeftovers, findRunningStack } from '../../stack/running-stack.ts';
import type { RunningStack } from '../../stack/running-stack.ts';
import type { CliContext } from './context.ts';
import { namingStackFailures } from './stack-failure.ts';
import { stackTable } from './stack-table.ts';

/** Options of `longhaul status`. */
export interface StatusOptions {
  readonly json: boolean;
}

/**
 * Says what runs on this data folder and where. What a killed run left is stopped on the way. Returns 0 when the stack and
 * all its programs run, 1 when not. Throws `StackFailed`.
 */
export async function status(options: StatusOptions, context: CliContext): Promise<number> {
  return namingStackFailures(async () => {
    const running = findRunningStack(context.dataDir);
    return running === null ? tellStopped(options, context) : tellRunning(running, options, context);
  });
}

function tellRunning({ state, pid }: RunningStack, options: StatusOptions, context: CliContext): number {
  const dead = state.children.filter((child) => !isRunning(child)).map((child) => child.name);
  if (options.json) {
    const { startedAt, temporal, weaviate, modelFolder } = state;
    const programs = state.children.map((child) => ({
      name: child.name,
      pid: child.pid,
      alive: !dead.includes(child.name),
    }));
    const { dataDir } = context;
    tell(
      context,
      JSON.stringify({ status: state.status, dataDir, pid, startedAt, temporal, weaviate, modelFolder, programs }),
    );
  } else {
    tell(context, stackTable(state, context));
    if (state.status === 'starting') tell(context, 'It is still starting.');
    if (dead.length > 0) tell(context, `Not running at this moment: ${dead.join(', ')} (being started again).`);
  }
  return state.status === 'running' && dead.length === 0 ? 0 : 1;
}

async function tellStopped(options: StatusOptions, context: CliContext): Promise<number> {
  const { dataDir } = context;
  const cleared = await clearLeftovers(dataDir);
  if (options.json) {
    tell(context, JSON.stringify({ status: 'stopped', dataDir, cleared }));
    return 1;
  }
  if (cleared.length > 0) tell(context, `Stopped what a killed run had left: ${cleared.join(', ')}.`);
  tell(context, `Nothing is running on ${dataDir}: start it with \`longhaul up\`.`);
  return 1;
}

function tell(context: CliContext, line: string): void {
  context.stdout.write(`${line}\n`);
}
