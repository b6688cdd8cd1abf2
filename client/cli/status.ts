import { LonghaulError } from '../../domain/failures.ts';
import { isRunning } from '../../stack/process-identity.ts';
import { clearLeftovers, findRunningStack } from '../../stack/running-stack.ts';
import { StackError } from '../../stack/stack-error.ts';
import type { CliContext } from './context.ts';
import { stackTable } from './stack-table.ts';

/** Options of `longhaul status`. */
export interface StatusOptions {
  readonly json: boolean;
}

/**
 * Says what runs on this data folder and where. What a killed run left is stopped on the way. Returns 0 when the stack and
 * all its programs run, 1 when not.
 */
export async function status(options: StatusOptions, context: CliContext): Promise<number> {
  try {
    const running = findRunningStack(context.dataDir);
    if (running !== null) {
      const dead = running.state.children.filter((child) => !isRunning(child)).map((child) => child.name);
      tell(options, context, { ...describe(running.state), pid: running.pid, dead }, () => {
        const note = dead.length === 0 ? '' : `\nNot running at this moment: ${dead.join(', ')} (being started again).`;
        return `${stackTable(running.state, context)}${note}`;
      });
      return running.state.status === 'running' && dead.length === 0 ? 0 : 1;
    }
    const cleared = await clearLeftovers(context.dataDir);
    tell(options, context, { status: 'stopped', dataDir: context.dataDir, cleared }, () => {
      const note = cleared.length === 0 ? '' : `Stopped what a killed run had left: ${cleared.join(', ')}.\n`;
      return `${note}Nothing is running on ${context.dataDir}: start it with \`longhaul up\`.`;
    });
    return 1;
  } catch (error) {
    if (error instanceof StackError) throw new LonghaulError('StackFailed', error.message, { cause: error });
    throw error;
  }

  function describe(state: NonNullable<ReturnType<typeof findRunningStack>>['state']): object {
    const { temporal, weaviate, modelFolder, startedAt, children } = state;
    const programs = children.map(({ name, pid }) => ({ name, pid }));
    return { status: state.status, dataDir: context.dataDir, startedAt, temporal, weaviate, modelFolder, programs };
  }
}

function tell(options: StatusOptions, context: CliContext, json: object, text: () => string): void {
  context.stdout.write(options.json ? `${JSON.stringify(json)}\n` : `${text()}\n`);
}
