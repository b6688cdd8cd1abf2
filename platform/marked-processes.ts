import { readdirSync, readFileSync } from 'node:fs';
import { hasCode } from './error-code.ts';

/**
 * The pids of all other processes that were started with this entry (`NAME=value`) in their environment, also those that have
 * left the group or the session of the process that started them. Empty on systems without `/proc`; a process of another user
 * is found only by root.
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
