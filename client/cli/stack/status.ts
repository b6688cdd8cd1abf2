import { isRunning } from '../../../platform/process-identity.ts';
import { clearLeftovers, findRunningStack } from '../../../stack/running-stack.ts';
import type { RunningStack } from '../../../stack/running-stack.ts';
import type { CliContext } from '../../core/context.ts';
import { yourWeaviate } from '../../../stack/weaviate-connection.ts';
import { yourTemporal } from '../../../stack/temporal-connection.ts';
import { namingStackFailures } from '../../core/stack-failure.ts';
import type { StatusPart, WingParts } from '../commands.ts';
import { stackTable } from './stack-table.ts';

/** Options of `longhaul status`. */
export interface StatusOptions {
  readonly json: boolean;
  /** The parts of the wings, with the state that they show. */
  readonly parts: readonly WingParts[];
}

/**
 * Prints what runs on this data folder and where, and the state that wings show, such as that of the fleet. Stops programs that a killed run left.
 * Returns 0 when the stack and all its programs run, or the user's own servers answer, otherwise 1. Throws
 * `StackFailed`.
 */
export async function status(options: StatusOptions, context: CliContext): Promise<number> {
  return namingStackFailures(async () => {
    const running = findRunningStack(context.dataDir);
    if (running === null && !(await hasOwnServers(context))) return printStopped(options, context);
    const parts = await partsOf(options, context);
    const dead = running?.state.children.filter((child) => !isRunning(child)).map((child) => child.name) ?? [];
    if (options.json) print(context, JSON.stringify({ ...stackOf(running, dead, context), ...valuesOf(parts) }));
    else {
      if (running !== null) printStack(running, dead, context);
      for (const { field, state } of parts) {
        print(context, state?.text ?? `The ${field} is unknown: Temporal or Weaviate does not answer.`);
      }
    }
    if (running === null) return parts.some(({ state }) => state === null) ? 1 : 0;
    return running.state.status === 'running' && dead.length === 0 ? 0 : 1;
  });
}

/** True when the environment or the configuration sets the servers' addresses, so that no stack is needed. */
async function hasOwnServers({ config, env }: CliContext): Promise<boolean> {
  return (await yourTemporal(config.temporal, env)) !== null && yourWeaviate(config.weaviate, env) !== null;
}

/** The state of a wing; null while a server is unavailable. */
interface StatusOfWing {
  readonly field: string;
  readonly state: Awaited<ReturnType<StatusPart['read']>>;
}

function partsOf({ parts }: StatusOptions, context: CliContext): Promise<StatusOfWing[]> {
  const statuses = parts.flatMap(({ status: part }) => part ?? []);
  return Promise.all(statuses.map(async (part) => ({ field: part.field, state: await part.read(context) })));
}

function valuesOf(parts: readonly StatusOfWing[]): object {
  return Object.fromEntries(parts.map(({ field, state }) => [field, state?.value ?? null]));
}

function stackOf(running: RunningStack | null, dead: readonly string[], { dataDir }: CliContext): object {
  if (running === null) return { status: 'own servers', dataDir };
  const { state, pid } = running;
  const { status: said, startedAt, temporal, weaviate, postgres, modelFolder } = state;
  const programs = state.children.map(({ name, pid: of }) => ({ name, pid: of, alive: !dead.includes(name) }));
  return { status: said, dataDir, pid, startedAt, temporal, weaviate, postgres, modelFolder, programs };
}

function printStack({ state }: RunningStack, dead: readonly string[], context: CliContext): void {
  print(context, stackTable(state, context));
  if (state.status === 'starting') print(context, 'It is still starting.');
  if (dead.length > 0) print(context, `Not running at this moment: ${dead.join(', ')} (being restarted).`);
}

async function printStopped(options: StatusOptions, context: CliContext): Promise<number> {
  const { dataDir } = context;
  const cleared = await clearLeftovers(dataDir);
  if (options.json) {
    print(context, JSON.stringify({ status: 'stopped', dataDir, cleared }));
    return 1;
  }
  if (cleared.length > 0) print(context, `Stopped programs that a killed run had left: ${cleared.join(', ')}.`);
  print(context, `Nothing is running on ${dataDir}: start it with \`longhaul up\`.`);
  return 1;
}

function print(context: CliContext, line: string): void {
  context.stdout.write(`${line}\n`);
}
