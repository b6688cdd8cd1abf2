import { LonghaulError } from '../../domain/shared/failures.ts';
import { StackError } from '../../stack/stack-error.ts';

/** Runs `work` and converts errors of the stack to the failure `StackFailed`. */
export async function namingStackFailures<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StackError) throw new LonghaulError('StackFailed', error.message, { cause: error });
    throw error;
  }
}
