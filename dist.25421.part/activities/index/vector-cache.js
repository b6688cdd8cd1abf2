import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
/** Milliseconds to wait for another writer, who never takes longer than one batch. */
const BUSY_TIMEOUT = 60_000;
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS vectors (key BLOB NOT NULL UNIQUE, vector BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS counts (
    analysis TEXT NOT NULL, blob TEXT NOT NULL, name TEXT NOT NULL, chunks INTEGER NOT NULL,
    PRIMARY KEY (analysis, blob, name)
  ) WITHOUT ROWID;
`;
/** What stands for a text: 16 bytes of its SHA-256. */
export function textKey(text) {
    return createHash('sha256').update(text).digest().subarray(0, 16);
}
/** Opens the cache in `file`, which need not exist. Its calls block for as long as the disk takes: not for an event loop. */
export function openVectorCache(file) {
    mkdirSync(path.dirname(file), { recursive: true });
    let connection = openOrBeginAnew(file);
    function attempt(operation) {
        try {
            return operation(connection);
        }
        catch (error) {
            if (!isDamage(error))
                throw error;
            connection.close();
            putAside(file, connection.inode);
            connection = openOrBeginAnew(file);
            return operation(connection);
        }
    }
    return {
        getVectors: (model, keys) => attempt(({ all, statements }) => all('DEFERRED', keys, (key) => toVector(statements.getVector.get(vectorKey(model, key))?.['vector']))),
        putVectors(model, entries) {
            attempt(({ all, statements }) => all('IMMEDIATE', entries, ([key, vector]) => statements.putVector.run(vectorKey(model, key), new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength))));
        },
        getCounts: (analysis, keys) => attempt(({ all, statements }) => all('DEFERRED', keys, ({ blob, name }) => toCount(statements.getCount.get(analysis, blob, name)?.['chunks']))),
        putCounts(analysis, entries) {
            attempt(({ all, statements }) => all('IMMEDIATE', entries, ({ blob, name, chunks }) => statements.putCount.run(analysis, blob, name, chunks)));
        },
        close: () => connection.close(),
    };
}
function openOrBeginAnew(file) {
    const inode = inodeOf(file);
    try {
        return connect(file);
    }
    catch (error) {
        if (!isDamage(error))
            throw error;
        putAside(file, inode);
        return connect(file);
    }
}
function connect(file) {
    const database = new (sqlite().DatabaseSync)(file);
    try {
        database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
        enterWalMode(database);
        database.exec(`PRAGMA synchronous = NORMAL; ${SCHEMA}`);
        const statements = {
            getVector: database.prepare('SELECT vector FROM vectors WHERE key = ?'),
            putVector: database.prepare('INSERT OR REPLACE INTO vectors (key, vector) VALUES (?, ?)'),
            getCount: database.prepare('SELECT chunks FROM counts WHERE analysis = ? AND blob = ? AND name = ?'),
            putCount: database.prepare('INSERT OR REPLACE INTO counts (analysis, blob, name, chunks) VALUES (?, ?, ?, ?)'),
        };
        const inode = inodeOf(file);
        return {
            statements,
            inode,
            all: (kind, items, step) => transaction(database, kind, () => items.map(step)),
            close: () => database.close(),
        };
    }
    catch (error) {
        database.close();
        throw error;
    }
}
function transaction(database, kind, work) {
    database.exec(`BEGIN ${kind}`);
    try {
        const result = work();
        database.exec('COMMIT');
        return result;
    }
    catch (error) {
        if (database.isTransaction)
            database.exec('ROLLBACK');
        throw error;
    }
}
/** Two that enter at the same moment are told that the file is busy at once, whatever the timeout. */
function enterWalMode(database) {
    for (let tries = 0;; tries++) {
        try {
            database.exec('PRAGMA journal_mode = WAL');
            return;
        }
        catch (error) {
            if (codeOf(error) !== SQLITE_BUSY || tries === 200)
                throw error;
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25);
        }
    }
}
/** Moves a damaged file out of the way, unless someone else already did and another stands in its place. */
function putAside(file, inode) {
    if (inodeOf(file) !== inode)
        return;
    renameSync(file, `${file}.damaged-${Date.now()}`);
    for (const companion of ['-wal', '-shm'])
        rmSync(file + companion, { force: true });
}
function inodeOf(file) {
    return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino ?? 0n;
}
function isDamage(error) {
    const code = codeOf(error);
    return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}
/** SQLite's primary result code. */
function codeOf(error) {
    return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
}
function vectorKey(model, key) {
    return Buffer.concat([Buffer.from(model), key]);
}
function toVector(bytes) {
    // copied, because the bytes need not begin where a float may
    return bytes instanceof Uint8Array ? new Float32Array(Uint8Array.from(bytes).buffer) : undefined;
}
function toCount(value) {
    return typeof value === 'number' ? value : undefined;
}
let loaded;
/** Node's own SQLite. Node 22 calls it experimental whenever it is loaded, which the user of a tool need not read. */
function sqlite() {
    if (loaded)
        return loaded;
    const { emitWarning } = process;
    process.emitWarning = (warning, ...rest) => {
        if (!String(warning).startsWith('SQLite is an experimental'))
            Reflect.apply(emitWarning, process, [warning, ...rest]);
    };
    try {
        loaded = process.getBuiltinModule('node:sqlite');
        return loaded;
    }
    finally {
        process.emitWarning = emitWarning;
    }
}
//# sourceMappingURL=vector-cache.js.map