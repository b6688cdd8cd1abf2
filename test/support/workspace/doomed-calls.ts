import { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** A process kills itself at the n-th call of Node that changes the disk, before or after it. */
export interface DoomedCall {
  readonly call: number;
  readonly when: 'before' | 'after';
}

const CHANGING = ['link', 'rename', 'mkdir', 'rm', 'rmdir', 'unlink', 'open'] as const;

/** Lets this process kill itself at a call. The result tells how many there were. */
export function doomCalls(doom: DoomedCall | null): () => number {
  let calls = 0;
  for (const name of CHANGING) {
    const original = promises[name] as (...args: readonly unknown[]) => Promise<unknown>;
    const counting = async (...args: readonly unknown[]): Promise<unknown> => {
      // to read is no change
      if (name === 'open' && !/[wax]/.test(String(args[1]))) return original(...args);
      calls++;
      const isDoomed = calls === doom?.call;
      if (isDoomed && doom?.when === 'before') process.kill(process.pid, 'SIGKILL');
      const result = await original(...args);
      if (isDoomed) process.kill(process.pid, 'SIGKILL');
      return result;
    };
    Object.assign(promises, { [name]: counting });
  }
  syncBuiltinESMExports();
  return () => calls;
}
