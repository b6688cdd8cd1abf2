import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { identify, isRunning } from '../platform/process-identity.ts';
import type { ProcessIdentity } from '../platform/process-identity.ts';
import { markedProcesses } from '../platform/marked-processes.ts';
import { signalGroup, signalProcess } from '../platform/process-signals.ts';
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
  return markedProcesses(`${STACK_MARK}=${dataDir}`)
    .map((pid) => identify(pid))
    .filter((identity): identity is ProcessIdentity => identity !== null)
    .map((identity) => ({ ...identity, name: commandOf(identity.pid) }));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return '';
    throw error;
  }
}
