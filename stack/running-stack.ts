import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { stopLeftovers } from './leftovers.ts';
import { lockHolder, tryLock } from '../platform/file-lock.ts';
import { isRunning } from '../platform/process-identity.ts';
import { signalGroup } from '../platform/process-signals.ts';
import { embeddedDatabase } from './postgres-connection.ts';
import { readSecret } from './secret.ts';
import { NO_STATE, readState, stackLockFile, writeState } from './state.ts';
import type { StackState } from './state.ts';

/** A stack that another process runs. */
export interface RunningStack {
  /** The supervisor's pid. */
  readonly pid: number;
  readonly state: StackState;
  /** Key of the embedded Weaviate; null when Weaviate is the user's own. */
  readonly weaviateApiKey: string | null;
  /** Address of the embedded database with the login of its owner; null when the database is the user's own. */
  readonly databaseUrl: string | null;
}

/** The file with the API key of the embedded Weaviate. */
export function weaviateKeyFile(dataDir: string): string {
  return join(dataDir, 'weaviate.key');
}

/** The file with the password of the embedded database's owner. */
export function ledgerKeyFile(dataDir: string): string {
  return join(dataDir, 'ledger.key');
}

/** The stack that runs on this data folder, also while it starts; null when there is none. */
export function findRunningStack(dataDir: string): RunningStack | null {
  if (!existsSync(stackLockFile(dataDir))) return null;
  const folder = realpathSync(dataDir);
  const state = readState(folder);
  const holder = lockHolder(stackLockFile(folder));
  if (holder === null || state.supervisor?.pid !== holder.pid || state.supervisor.start !== holder.start) return null;
  const weaviateApiKey = state.weaviate?.source === 'yours' ? null : readSecret(weaviateKeyFile(folder));
  return { pid: holder.pid, state, weaviateApiKey, databaseUrl: databaseUrlOf(folder, state) };
}

function databaseUrlOf(dataDir: string, { postgres }: StackState): string | null {
  if (postgres === null || postgres.source === 'yours') return null;
  const password = readSecret(ledgerKeyFile(dataDir));
  return password === null ? null : embeddedDatabase(postgres.address, password);
}

/** The programs stopped on a data folder. */
export interface Stopped {
  /** True when a supervisor was running and was stopped. */
  readonly supervisor: boolean;
  /** Names of the programs that were stopped. */
  readonly programs: readonly string[];
}

/**
 * Stops the stack of a data folder: signals its supervisor and waits; kills it if it has not ended after `patience`
 * milliseconds. Without a supervisor, stops what a killed one left running.
 */
export async function stopRunningStack(dataDir: string, patience = 60_000): Promise<Stopped> {
  if (!existsSync(dataDir)) return { supervisor: false, programs: [] };
  const folder = realpathSync(dataDir);
  const running = findRunningStack(folder);
  if (running === null) return { supervisor: false, programs: await clearLeftovers(folder) };
  const supervisor = running.state.supervisor;
  if (supervisor !== null) {
    process.kill(supervisor.pid, 'SIGTERM');
    for (let waited = 0; waited < patience && isRunning(supervisor); waited += 50) await wait(50);
    if (isRunning(supervisor)) process.kill(supervisor.pid, 'SIGKILL');
    while (isRunning(supervisor)) await wait(20);
  }
  await clearLeftovers(folder);
  return { supervisor: true, programs: running.state.children.map((child) => child.name) };
}

/**
 * Stops what a killed supervisor left running on a data folder; does nothing while a stack runs there. Returns the
 * names.
 */
export async function clearLeftovers(dataDir: string): Promise<string[]> {
  if (!existsSync(dataDir)) return [];
  const folder = realpathSync(dataDir);
  const taken = await tryLock(stackLockFile(folder));
  if ('holder' in taken) return [];
  try {
    const state = readState(folder);
    const stopped = await stopLeftovers(folder, state.children);
    if (state.supervisor !== null) writeState(folder, { ...NO_STATE, ports: state.ports });
    return stopped;
  } finally {
    await taken.lock.release();
  }
}

/** Kills a supervisor's children at once, when it must exit and cannot wait. */
export function killRecorded(state: StackState): void {
  for (const child of state.children) if (isRunning(child)) signalGroup(child.pid, 'SIGKILL');
}
