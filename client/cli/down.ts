import { LonghaulError } from '../../domain/failures.ts';
import { stopRunningStack } from '../../stack/running-stack.ts';
import { StackError } from '../../stack/stack-error.ts';
import type { CliContext } from './context.ts';

/**
 * Stops the stack of this data folder and waits until it has ended; also what a killed one left. Returns 0, also when nothing
 * was running.
 */
export async function down(context: CliContext): Promise<number> {
  try {
    const { supervisor, programs } = await stopRunningStack(context.dataDir);
    const names = programs.join(', ');
    if (supervisor) context.stdout.write(`Stopped${names === '' ? '' : `: ${names}`}.\n`);
    else if (names !== '') context.stdout.write(`Stopped what a killed run had left: ${names}.\n`);
    else context.stdout.write(`Nothing is running on ${context.dataDir}.\n`);
    return 0;
  } catch (error) {
    if (error instanceof StackError) throw new LonghaulError('StackFailed', error.message, { cause: error });
    throw error;
  }
}
