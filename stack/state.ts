import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from '../platform/process-identity.ts';
import { hasCode } from '../platform/error-code.ts';
import { StackError } from './stack-error.ts';

/** Where a server came from: the user's own, installed on PATH, or fetched by Longhaul. */
export type ServerSource = 'yours' | 'installed' | 'fetched';

/** A Temporal server that answers. */
export interface TemporalServer {
  /** `host:port`. */
  readonly address: string;
  /** The web interface; null when the one of a user's server is unknown. */
  readonly uiUrl: string | null;
  readonly namespace: string;
  readonly source: ServerSource;
  /** Version of the server. */
  readonly version: string;
}

/** A Weaviate server that answers. */
export interface WeaviateServer {
  readonly url: string;
  /** `host:port` of its gRPC endpoint. */
  readonly grpc: string;
  readonly source: ServerSource;
  readonly version: string;
}

/** A PostgreSQL server that answers. */
export interface PostgresServer {
  /** `host:port`. */
  readonly address: string;
  readonly database: string;
  readonly source: ServerSource;
  readonly version: string;
}

/** A child of the supervisor. */
export interface RecordedChild extends ProcessIdentity {
  readonly name: string;
}

/**
 * The content of `stack.json`: other processes find the servers with it, and a later one cleans up. It contains no
 * secrets.
 */
export interface StackState {
  readonly version: 1;
  readonly status: 'starting' | 'running' | 'stopped';
  /** The process that runs the stack; null when it was stopped cleanly. */
  readonly supervisor: ProcessIdentity | null;
  /** When its start began, ISO 8601. */
  readonly startedAt: string | null;
  /** Ports by name, for the next start. */
  readonly ports: Readonly<Record<string, number>>;
  readonly children: readonly RecordedChild[];
  readonly temporal: TemporalServer | null;
  readonly weaviate: WeaviateServer | null;
  readonly postgres: PostgresServer | null;
  /** Folder of the embedding model; null when it was not needed. */
  readonly modelFolder: string | null;
}

/** The state of an unused data folder. */
export const NO_STATE: StackState = {
  version: 1,
  status: 'stopped',
  supervisor: null,
  startedAt: null,
  ports: {},
  children: [],
  temporal: null,
  weaviate: null,
  postgres: null,
  modelFolder: null,
};

/** Reads `stack.json` of a data folder. Throws {@link StackError} when it is not a valid state. */
export function readState(dataDir: string): StackState {
  const file = stateFile(dataDir);
  try {
    const state = JSON.parse(readFileSync(file, 'utf8')) as Partial<StackState> | null;
    // an older Longhaul wrote fewer fields
    if (state?.version === 1 && Array.isArray(state.children)) return { ...NO_STATE, ...state };
    throw new StackError(`${file} was written by another version of Longhaul: stop its servers, then remove the file.`);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return NO_STATE;
    if (error instanceof SyntaxError) throw new StackError(`${file} is not JSON: remove it.`, { cause: error });
    throw error;
  }
}

/** Atomically replaces `stack.json`, readable by its owner only. */
export function writeState(dataDir: string, state: StackState): void {
  const file = stateFile(dataDir);
  const fresh = `${file}.${randomUUID()}`;
  writeFileSync(fresh, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, file);
}

function stateFile(dataDir: string): string {
  return join(dataDir, 'stack.json');
}

/** The lock that the supervisor of a data folder holds. */
export function stackLockFile(dataDir: string): string {
  return join(dataDir, 'stack.lock');
}
