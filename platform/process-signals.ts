import { readdirSync, readFileSync } from 'node:fs';
import { hasCode } from './error-code.ts';

/**
 * Sends a signal to a process group. Returns false, and does nothing, when it has ended. On Linux a group that has only
 * zombies is still there: {@link isGroupOfZombies}.
 */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  return signalTo(-pid, signal);
}

/** Sends a signal to a process. Returns false, and does nothing, when it has ended. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  return signalTo(pid, signal);
}

/**
 * True when each process of a group has ended and waits only for its parent to notice, which takes as long as the
 * parent likes: orphans belong to the first process of a container, which may never look. False without `/proc`.
 */
export function isGroupOfZombies(pid: number): boolean {
  if (process.platform !== 'linux') return false;
  const states = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(stateOf)
    .filter(({ group }) => group === pid);
  return states.every(({ state }) => state === 'Z' || state === 'X');
}

function stateOf(pid: string): { readonly state?: string | undefined; readonly group?: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the name of the program is in parentheses and may itself contain spaces and parentheses
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, group: Number(group) };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return {};
    throw error;
  }
}

function signalTo(target: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(target, signal);
    return true;
  } catch (error) {
    // macOS answers EPERM for a group of zombies
    if (hasCode(error, 'ESRCH', 'EPERM')) return false;
    throw error;
  }
}
