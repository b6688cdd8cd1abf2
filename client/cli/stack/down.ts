import { stopRunningStack } from '../../../stack/running-stack.ts';
import type { CliContext } from '../../core/context.ts';
import { namingStackFailures } from '../../core/stack-failure.ts';

/**
 * Stops the stack of this data folder and waits until it has ended; also stops what a killed one left running. Returns
 * 0, also when nothing was running. Throws `StackFailed`.
 */
export async function down(context: CliContext): Promise<number> {
  const { supervisor, programs } = await namingStackFailures(() => stopRunningStack(context.dataDir));
  const names = programs.toSorted().join(', ');
  if (supervisor) context.stdout.write(`Stopped${names === '' ? '' : `: ${names}`}.\n`);
  else if (names !== '') context.stdout.write(`Stopped programs that a killed run had left: ${names}.\n`);
  else context.stdout.write(`Nothing is running on ${context.dataDir}.\n`);
  return 0;
}
