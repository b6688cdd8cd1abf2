import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import type * as Sqlite from 'node:sqlite';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { sha256Bytes } from '../../../platform/sha256.ts';

/**
 * What a chunk count depends on in addition to the analysis: the content, and the file name, which may decide the
 * language.
 */
export interface CountKey {
  /** Blob oid. */
  readonly blob: string;
  /** Last part of the path. */
  readonly name: string;
}

/**
 * A cache of immutable results: vectors by model and text, chunk counts by analysis and file. Any number of threads and
 * processes may open the same file. Everything can be recomputed: a damaged file is set aside and a new one started, and
 * while another process locks the file for too long, nothing is found in it and nothing is stored.
 */
export interface VectorCache {
  /** The vectors of texts, by {@link textKey}, in order; undefined for missing ones. */
  getVectors(model: string, keys: readonly Buffer[]): (Float32Array | undefined)[];
  /**
   * Stores vectors in one transaction. Returns how many were new: when two callers embed a text concurrently, it is new
   * to one of them. All are, when the file is locked.
   */
  putVectors(model: string, entries: readonly (readonly [key: Buffer, vector: Float32Array])[]): number;
  /** The chunk counts of files, in order; undefined for missing ones. */
  getCounts(analysis: string, keys: readonly CountKey[]): (number | undefined)[];
  /** Stores chunk counts in one transaction. */
  putCounts(analysis: string, entries: readonly (CountKey & { readonly chunks: number })[]): void;
  /** Closes the database. */
  close(): void;
}

/** Options of {@link openVectorCache}. */
export interface WaitOptions {
  /**
   * Milliseconds to wait for another writer. After a wait in vain, calls wait no more until one has succeeded. @default
   * 100, which is acceptable on an event loop
   */
  readonly busyTimeout?: number;
  /** Called after each wait in vain. */
  readonly onLocked?: (() => void) | undefined;
}

const BUSY_TIMEOUT = 100;
const WAL_PAUSE = 25;
const SQLITE_BUSY = 5;
/** Busy, or too many processes changed the locks of the write-ahead log at the same moment. */
const SQLITE_LOCKED = [SQLITE_BUSY, 15];
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
/** Read-only, I/O error, full, cannot be opened. */
const SQLITE_DISK = [8, 10, 13, 14];

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS vectors (key BLOB NOT NULL UNIQUE, vector BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS counts (
    analysis TEXT NOT NULL, blob TEXT NOT NULL, name TEXT NOT NULL, chunks INTEGER NOT NULL,
    PRIMARY KEY (analysis, blob, name)
  ) WITHOUT ROWID;
`;

/** The key of a text: 16 bytes of its SHA-256. */
export function textKey(text: string): Buffer {
  return sha256Bytes(text).subarray(0, 16);
}

/**
 * Opens the cache in `file`, which need not exist. Its calls block for the disk, and for another writer at most
 * `busyTimeout`. It and they throw `DiskFailed` when the file cannot be used.
 */
export function openVectorCache(file: string, options: WaitOptions = {}): VectorCache {
  const { busyTimeout = BUSY_TIMEOUT, onLocked } = options;
  makeFolder(file);
  let patience = busyTimeout;
  /** Null until it could be opened. */
  let connection: Connection | null = null;
  attempt(() => undefined, undefined);

  /** The result of `operation`; `otherwise` while another process locks the file. */
  function attempt<T>(operation: (open: Connection) => T, otherwise: T): T {
    try {
      return afterRepair(operation);
    } catch (error) {
      if (!SQLITE_LOCKED.includes(codeOf(error))) throw named(error, file);
      patience = 0;
      onLocked?.();
      return otherwise;
    }
  }

  function afterRepair<T>(operation: (open: Connection) => T): T {
    connection ??= openOrBeginAnew(file, patience);
    try {
      return operation(connection);
    } catch (error) {
      if (!isDamage(error)) throw error;
      connection.close();
      putAside(file, connection.inode);
      connection = openOrBeginAnew(file, patience);
      return operation(connection);
    }
  }

  function write<T, R>(items: readonly T[], step: (open: Connection, item: T) => R): R[] | null {
    return attempt((open) => {
      open.wait(patience);
      const results = open.all('IMMEDIATE', items, (item) => step(open, item));
      patience = busyTimeout;
      return results;
    }, null);
  }

  return {
    getVectors(model, keys) {
      const keyOf = keysOf(model);
      return attempt(
        ({ all, statements }) =>
          all('DEFERRED', keys, (key) => toVector(statements.getVector.get(keyOf(key))?.['vector'])),
        keys.map(() => undefined),
      );
    },
    putVectors(model, entries) {
      const keyOf = keysOf(model);
      const put = write(entries, ({ statements }, [key, vector]) =>
        statements.putVector.run(keyOf(key), new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)),
      );
      return put?.reduce((sum, { changes }) => sum + Number(changes), 0) ?? entries.length;
    },
    getCounts: (analysis, keys) =>
      attempt(
        ({ all, statements }) =>
          all('DEFERRED', keys, ({ blob, name }) => toCount(statements.getCount.get(analysis, blob, name)?.['chunks'])),
        keys.map(() => undefined),
      ),
    putCounts(analysis, entries) {
      write(entries, ({ statements }, { blob, name, chunks }) => statements.putCount.run(analysis, blob, name, chunks));
    },
    close: () => connection?.close(),
  };
}

type Statements = Readonly<Record<'getVector' | 'putVector' | 'getCount' | 'putCount', Sqlite.StatementSync>>;

interface Connection {
  readonly statements: Statements;
  /** Distinguishes the open file from one that has replaced it since. */
  readonly inode: bigint;
  /** Runs `step` for every item in one transaction. */
  readonly all: <T, R>(kind: 'DEFERRED' | 'IMMEDIATE', items: readonly T[], step: (item: T) => R) => R[];
  /** Sets how long calls wait for another writer, in milliseconds. */
  readonly wait: (milliseconds: number) => void;
  readonly close: () => void;
}

function makeFolder(file: string): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
  } catch (error) {
    throw unusable(error, file);
  }
}

function openOrBeginAnew(file: string, busyTimeout: number): Connection {
  const inode = inodeOf(file);
  try {
    return connect(file, busyTimeout);
  } catch (error) {
    if (!isDamage(error)) throw error;
    putAside(file, inode);
    return connect(file, busyTimeout);
  }
}

function connect(file: string, busyTimeout: number): Connection {
  const database = new (sqlite().DatabaseSync)(file);
  try {
    database.exec(`PRAGMA busy_timeout = ${busyTimeout}`);
    enterWalMode(database, busyTimeout);
    database.exec(`PRAGMA synchronous = NORMAL; ${SCHEMA}`);
    const statements: Statements = {
      getVector: database.prepare('SELECT vector FROM vectors WHERE key = ?'),
      putVector: database.prepare('INSERT OR IGNORE INTO vectors (key, vector) VALUES (?, ?)'),
      getCount: database.prepare('SELECT chunks FROM counts WHERE analysis = ? AND blob = ? AND name = ?'),
      putCount: database.prepare('INSERT OR REPLACE INTO counts (analysis, blob, name, chunks) VALUES (?, ?, ?, ?)'),
    };
    const inode = inodeOf(file);
    let waits = busyTimeout;
    return {
      statements,
      inode,
      wait(milliseconds) {
        if (milliseconds !== waits) database.exec(`PRAGMA busy_timeout = ${milliseconds}`);
        waits = milliseconds;
      },
      // a single statement is a transaction already
      all: (kind, items, step) =>
        items.length > 1 ? transaction(database, kind, () => items.map(step)) : items.map(step),
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function transaction<T>(database: Sqlite.DatabaseSync, kind: 'DEFERRED' | 'IMMEDIATE', work: () => T): T {
  database.exec(`BEGIN ${kind}`);
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** When two processes enter at the same moment, SQLite reports the file as busy at once, regardless of the timeout. */
function enterWalMode(database: Sqlite.DatabaseSync, busyTimeout: number): void {
  const until = performance.now() + busyTimeout;
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (codeOf(error) !== SQLITE_BUSY || performance.now() > until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAL_PAUSE);
    }
  }
}

/** Moves a damaged file away, unless another process already did and a new file has its name. */
function putAside(file: string, inode: bigint): void {
  if (inodeOf(file) !== inode) return;
  renameSync(file, `${file}.damaged-${Date.now()}`);
  for (const companion of ['-wal', '-shm']) rmSync(file + companion, { force: true });
}

function inodeOf(file: string): bigint {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino ?? 0n;
}

function isDamage(error: unknown): boolean {
  const code = codeOf(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** `DiskFailed` when SQLite reports a disk error; otherwise the error itself. */
function named(error: unknown, file: string): unknown {
  return SQLITE_DISK.includes(codeOf(error)) ? unusable(error, file) : error;
}

function unusable(error: unknown, file: string): LonghaulError {
  const said = error instanceof Error ? error.message : String(error);
  return new LonghaulError('DiskFailed', `The cache ${file} cannot be used: ${said}.`, { cause: error });
}

/** SQLite's primary result code. */
function codeOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
}

/** Makes the keys of a model's vectors in the database. */
function keysOf(model: string): (key: Buffer) => Buffer {
  const prefix = Buffer.from(model);
  return (key) => Buffer.concat([prefix, key], prefix.length + key.length);
}

function toVector(bytes: unknown): Float32Array | undefined {
  // copied, because the bytes may not be aligned for floats
  return bytes instanceof Uint8Array ? new Float32Array(bytes.slice().buffer) : undefined;
}

function toCount(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

let loaded: typeof Sqlite | undefined;

/** Node's own SQLite. Node 22 prints an experimental warning when it is loaded, which is suppressed. */
function sqlite(): typeof Sqlite {
  if (loaded) return loaded;
  const emitWarning = process.emitWarning.bind(process) as (...args: unknown[]) => void;
  const original = Object.getOwnPropertyDescriptor(process, 'emitWarning');
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).startsWith('SQLite is an experimental')) emitWarning(warning, ...rest);
  };
  try {
    loaded = process.getBuiltinModule('node:sqlite');
    return loaded;
  } finally {
    if (original) Object.defineProperty(process, 'emitWarning', original);
  }
}
