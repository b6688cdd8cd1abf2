import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { identify, isRunning } from '../platform/process-identity.ts';
import type { ProcessIdentity } from '../platform/process-identity.ts';
import { signalGroup } from '../platform/program.ts';
import { hasCode } from '../platform/error-code.ts';
import type { RecordedChild } from './state.ts';

/** Marks every process of a stack with the stack's data folder, in the environment. */
export const STACK_MARK = 'LONGHAUL_STACK';

/**
 * Stops what a killed supervisor left running: its recorded children and, on Linux, every process with its mark, so
 * that a child is also found that was started and not yet recorded. Call it while holding the stack's lock. Returns the
 * names.
 */
export async function stopLeftovers(dataDir: string, recorded: readonly RecordedChild[]): Promise<string[]> {
  const left = new Map<number, RecordedChild>();
  for (const child of [...marked(dataDir), ...recorded]) if (isRunning(child)) left.set(child.pid, child);
  const processes = [...left.values()];
  for (const { pid } of processes) signalProcess(pid, 'SIGTERM');
  for (let waited = 0; waited < 10_000 && processes.some(isRunning); waited += 50) await wait(50);
  for (const { pid } of processes.filter(isRunning)) {
    signalGroup(pid, 'SIGKILL');
    signalProcess(pid, 'SIGKILL');
  }
  while (processes.some(isRunning)) await wait(20);
  return [...new Set(processes.map((child) => child.name))];
}

function marked(dataDir: string): RecordedChild[] {
  if (process.platform !== 'linux') return [];
  const mark = `${STACK_MARK}=${dataDir}`;
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid && environmentOf(pid).includes(mark))
    .map((pid) => identify(pid))
    .filter((identity): identity is ProcessIdentity => identity !== null)
    .map((identity) => ({ ...identity, name: commandOf(identity.pid) }));
}

function environmentOf(pid: number): string[] {
  return readProc(`/proc/${pid}/environ`).split('\0');
}

function commandOf(pid: number): string {
  return readProc(`/proc/${pid}/comm`).trim();
}

function readProc(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return '';
    throw error;
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}
