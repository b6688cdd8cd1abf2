import { isRunning } from '../../../platform/process-identity.ts';
import { clearLeftovers, findRunningStack } from '../../../stack/running-stack.ts';
import type { RunningStack } from '../../../stack/running-stack.ts';
import type { CliContext } from '../../core/context.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { yourWeaviate } from '../../../stack/weaviate.ts';
import { yourTemporal } from '../../../stack/temporal-connection.ts';
import { isOpen } from '../../../domain/shared/run-status.ts';
import type { GroupView } from '../../../activities/catalog/groups/view.ts';
import type { FleetReport } from '../../catalog/fleet-view.ts';
import { printable } from '../../core/sanitize.ts';
import { namingStackFailures } from '../../core/stack-failure.ts';
import { plainTable, stackTable } from './stack-table.ts';

/** Options of `longhaul status`. */
export interface StatusOptions {
  readonly json: boolean;
}

/**
 * Prints what runs on this data folder and where, and the state of the fleet. Stops programs that a killed run left.
 * Returns 0 when the stack and all its programs run, or the user's own servers answer, otherwise 1. Throws
 * `StackFailed`.
 */
export async function status(options: StatusOptions, context: CliContext): Promise<number> {
  return namingStackFailures(async () => {
    const running = findRunningStack(context.dataDir);
    if (running === null && !(await hasOwnServers(context))) return printStopped(options, context);
    const fleet = await fleetOf(context);
    const dead = running?.state.children.filter((child) => !isRunning(child)).map((child) => child.name) ?? [];
    if (options.json) print(context, JSON.stringify({ ...stackOf(running, dead, context), fleet }));
    else {
      if (running !== null) printStack(running, dead, context);
      print(context, fleet === null ? 'The fleet is unknown: Temporal or Weaviate does not answer.' : glance(fleet));
    }
    if (running === null) return fleet === null ? 1 : 0;
    return running.state.status === 'running' && dead.length === 0 ? 0 : 1;
  });
}

/** True when the environment or the configuration sets the servers' addresses, so that no stack is needed. */
async function hasOwnServers({ config, env }: CliContext): Promise<boolean> {
  return (await yourTemporal(config.temporal, env)) !== null && yourWeaviate(config.weaviate, env) !== null;
}

/** A summary of the fleet; null while a server is unavailable. */
async function fleetOf(context: CliContext): Promise<FleetReport | null> {
  const { viewFleet } = await import('../../catalog/fleet-view.ts');
  try {
    return await viewFleet(context);
  } catch (error) {
    if (error instanceof LonghaulError && error.type === 'ServerUnavailable') return null;
    throw error;
  }
}

function stackOf(running: RunningStack | null, dead: readonly string[], { dataDir }: CliContext): object {
  if (running === null) return { status: 'own servers', dataDir };
  const { state, pid } = running;
  const { status: said, startedAt, temporal, weaviate, modelFolder } = state;
  const programs = state.children.map(({ name, pid: of }) => ({ name, pid: of, alive: !dead.includes(name) }));
  return { status: said, dataDir, pid, startedAt, temporal, weaviate, modelFolder, programs };
}

function printStack({ state }: RunningStack, dead: readonly string[], context: CliContext): void {
  print(context, stackTable(state, context));
  if (state.status === 'starting') print(context, 'It is still starting.');
  if (dead.length > 0) print(context, `Not running at this moment: ${dead.join(', ')} (being restarted).`);
}

/** The fleet in a few lines. */
function glance({ repositories, groups }: FleetReport): string {
  const unfinished = repositories.filter(({ state }) => state === 'unfinished').length;
  const failing = new Set(groups.flatMap(({ latest }) => latest?.result?.failures ?? []).map((one) => one.repository));
  const branches = repositories.reduce((sum, one) => sum + one.branches.length, 0);
  const extra = branches === 0 ? '' : `, and ${branches} branches in addition to their HEADs`;
  const lines = [
    `${repositories.length} repositories indexed${extra}, ${unfinished} unfinished, ${failing.size} failing`,
  ];
  if (groups.length > 0) {
    const head = ['group', 'state', 'repositories', 'failing', 'complete as of', 'next run', 'missed', 'skipped'];
    lines.push('', plainTable([head, ...groups.map(groupRow)]));
  }
  return lines.join('\n');
}

function groupRow({ group, isPaused, latest, completeAt, nextRun, missed, skipped }: GroupView): string[] {
  const hasOpenRun = latest !== null && isOpen(latest.status);
  const state = hasOpenRun ? latest.status.toLowerCase() : isPaused ? 'paused' : 'active';
  const failed = latest?.result?.failed ?? (latest === null || hasOpenRun ? '' : latest.status);
  const cells = [
    group.name,
    state,
    latest?.result?.matched ?? '',
    failed,
    time(completeAt, 'not recently'),
    time(nextRun, ''),
  ];
  return [...cells, missed, skipped].map((cell) => printable(String(cell)));
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

function time(iso: string | null, none: string): string {
  return iso === null ? none : `${iso.slice(0, 16).replace('T', ' ')}Z`;
}
