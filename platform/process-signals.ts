import { hasCode } from './error-code.ts';

/** Sends a signal to a process group. Returns false, and does nothing, when it has ended. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  return signalTo(-pid, signal);
}

/** Sends a signal to a process. Returns false, and does nothing, when it has ended. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  return signalTo(pid, signal);
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
