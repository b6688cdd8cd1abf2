import { readdirSync, readFileSync } from 'node:fs';
import { hasCode } from './error-code.ts';

/**
 * The pids of all other processes that were started with this entry (`NAME=value`) in their environment, even if they
 * left the group or session of their parent. Empty on systems without `/proc`; only root finds processes of other
 * users.
 */
export function markedProcesses(entry: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid && environmentOf(pid).includes(entry));
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return [];
    throw error;
  }
}
