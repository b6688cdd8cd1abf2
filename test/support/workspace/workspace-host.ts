import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { inject, test as base } from 'vitest';
import { commandEnv, type Ended, longhaul } from '../command.ts';
import { createEstate, type Estate } from '../estate.ts';
import { openNamespace } from '../impatient.ts';
import { createTestLedger, type TestLedger } from '../ledger.ts';

/** A machine with workspaces, its worker, and a worker of the other roles; repositories that can be cloned. */
export interface WorkspaceHost {
  readonly estate: Estate;
  readonly ledger: TestLedger;
  readonly client: Client;
  /** The folder below which workspaces may be. */
  readonly roots: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs the command line, in this process. */
  longhaul(...args: string[]): Promise<Ended>;
  /** Starts another worker of the machine, in a process of its own. */
  startWorker(): ChildProcess;
  /** Ends the workers of the machine. */
  endWorkers(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

const WORKER = fileURLToPath(new URL('../../../workers/main.ts', import.meta.url));

/** The tests of workspaces on a machine called `desk`, with these further keys of the section `host`. */
export function hostTest(settings: object = {}, sections: object = {}) {
  return base.extend('host', { scope: 'file' }, async ({}, { onCleanup }) => openHost(settings, sections, onCleanup));
}

async function openHost(
  settings: object,
  sections: object,
  onCleanup: (close: () => Promise<void>) => void,
): Promise<WorkspaceHost> {
  const address = inject('stack').temporalAddress;
  const namespace = `workspace-${randomUUID()}`;
  const connection = await Connection.connect({ address });
  await openNamespace(connection, namespace);
  const scratch = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-host-')));
  const roots = join(scratch, 'work');
  await mkdir(roots);
  const estate = await createEstate({
    indexName: 'Unused',
    settings: { host: { name: 'desk', roots: [roots], ...settings }, ...sections },
  });
  const ledger = await createTestLedger();
  const env = commandEnv(estate, {
    TEMPORAL_NAMESPACE: namespace,
    DATABASE_URL: ledger.logins.owner,
    DATABASE_WRITER_URL: ledger.logins.writer,
    LONGHAUL_CACHE_DIR: join(scratch, 'cache'),
    GIT_CONFIG_GLOBAL: '/dev/null',
  });
  const workers = new Set<ChildProcess>();
  const start = (roles: string): ChildProcess => {
    const child = spawn(process.execPath, [WORKER, '--roles', roles], { env, stdio: 'ignore' });
    workers.add(child);
    return child;
  };
  const others = start('flows,ledger');
  start('host:desk');
  const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
    workers.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  onCleanup(async () => {
    await Promise.all([...workers].map((child) => end(child, 'SIGKILL')));
    await Promise.all([connection.close(), ledger.dispose(), estate.dispose()]);
    await rm(scratch, { recursive: true, force: true });
  });
  return {
    estate,
    ledger,
    client: new Client({ connection, namespace }),
    roots,
    env,
    longhaul: (...args) => longhaul(env, args),
    startWorker: () => start('host:desk'),
    async endWorkers(signal) {
      await Promise.all([...workers].filter((child) => child !== others).map((child) => end(child, signal)));
    },
  };
}
