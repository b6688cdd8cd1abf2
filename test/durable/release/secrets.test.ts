import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { commandEnv, longhaulProcess } from '../../support/command.ts';
import { createEstate } from '../../support/estate.ts';
import { type Forge, startForge } from '../../support/forge.ts';
import { openNamespace } from '../../support/impatient.ts';
import { createTestLedger } from '../../support/ledger.ts';
import { collectRuns } from '../../support/recorded-runs.ts';
import { commit, generation, tagsOf, write } from '../../support/release/work.ts';
import { git } from '../../support/scratch-git.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

/** The secrets of the run. With characters that encodings change. */
const SECRETS = {
  /** The forge's API, and what git fetches with. */
  FORGE_TOKEN: 'ghp_forge+Token/0123456789~abcdef',
  /** What git pushes with. */
  WRITE_TOKEN: 'ghp_write+Token/9876543210~fedcba',
  /** A job's. */
  NPM_TOKEN: 'npm_job+Secret/55555555 44444~zyxw',
};

const CI = `name: full-ci
jobs:
  publish:
    secrets: [NPM_TOKEN]
    outputs: [LEAK]
    steps:
      - name: security-scan
        command: |
          test -n "$NPM_TOKEN"
          echo "marker-of-the-job $NPM_TOKEN"
          printf 'x%s' "$NPM_TOKEN" | base64
          echo "LEAK=$NPM_TOKEN" >> "$LONGHAUL_OUTPUT"
`;

/** A secret as it is, percent-encoded, in hexadecimal, and in base64 at each of the three places where it may begin. */
function formsOf(secret: string): string[] {
  const base64 = [0, 1, 2].map((before) =>
    Buffer.from('x'.repeat(before) + secret)
      .toString('base64')
      .slice(before === 0 ? 0 : before + 1, -4),
  );
  const percent = encodeURIComponent(secret);
  return [secret, percent, percent.replaceAll('%20', '+'), Buffer.from(secret).toString('hex'), ...base64];
}

/** Every text in a history, with the content of its payloads. */
function textIn(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  return typeof value === 'object' && value !== null ? Object.values(value).map(textIn).join('\n') : '';
}

/** The contents of all files of a folder. */
function contentsOf(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

/** Samples the command lines of all processes of this machine until it is called. */
function watchProcesses(): () => string {
  const seen = new Set<string>();
  const look = (): void => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
      } catch {
        // it has ended
      }
    }
  };
  const timer = setInterval(look, 100);
  return () => {
    clearInterval(timer);
    return [...seen].join('\n').replaceAll('\0', ' ');
  };
}

test('no secret of a run is in histories, logs, ledger, blobs, reports, tags or process lists', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-secrets-'));
  let forge: Forge | null = null;
  const estate = await createEstate({
    indexName: 'Unused',
    providers: async (root) => {
      forge = await startForge(root, { token: SECRETS.FORGE_TOKEN, writeToken: SECRETS.WRITE_TOKEN });
      return [{ name: 'work', type: 'github', url: forge.url, tokenEnv: 'FORGE_TOKEN', writeTokenEnv: 'WRITE_TOKEN' }];
    },
    settings: { pipelines: { secrets: { NPM_TOKEN: { valueEnv: 'NPM_TOKEN', repositories: ['work/acme/api'] } } } },
  });
  const ledger = await createTestLedger();
  const { temporalAddress: address } = inject('stack');
  const connection = await Connection.connect({ address });
  const namespace = `secrets-${process.pid}`;
  await openNamespace(connection, namespace);
  const client = new Client({ connection, namespace });
  onTestFinished(async () => {
    await Promise.all([connection.close(), forge?.close(), ledger.dispose(), estate.dispose()]);
    await rm(folder, { recursive: true, force: true });
  });

  await estate.create('acme/api', { 'README.md': 'an api\n' });
  const remote = estate.gitDir('acme/api');
  git(remote, 'config', 'http.receivepack', 'true');
  const clone = join(folder, 'clone');
  git(folder, 'clone', '--quiet', remote, clone);
  git(clone, 'remote', 'set-url', 'origin', `${(forge as Forge | null)?.url}/acme/api.git`);
  git(clone, 'remote', 'set-url', '--push', 'origin', remote);
  write(clone, {
    '.longhaul/generations/v1.0.0.yaml': generation('v1.0.0', ['FEAT-1']),
    '.longhaul/policy.yaml': 'policies: [{name: scan-always, required_steps: [security-scan]}]\n',
    '.longhaul/pipelines/full-ci.yaml': CI,
  });
  commit(clone, 'feat: a change [FEAT-1]');
  git(clone, 'push', '--quiet', 'origin', 'HEAD:main');

  const { FORGE_TOKEN, WRITE_TOKEN, NPM_TOKEN } = SECRETS;
  const common = {
    TEMPORAL_NAMESPACE: namespace,
    LONGHAUL_CACHE_DIR: join(folder, 'cache'),
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
  const own = { ...common, DATABASE_URL: ledger.logins.owner, FORGE_TOKEN, WRITE_TOKEN };
  const workers = await Promise.all([
    startWorkerProcess(estate, { env: own, args: ['--roles', 'flows,repos,ledger'] }),
    startWorkerProcess(estate, { env: { ...common, NPM_TOKEN }, args: ['--roles', 'pipelines'] }),
  ]);
  onTestFinished(async () => void (await Promise.all(workers.map((worker) => worker.kill()))));
  const processes = watchProcesses();
  const run = (...args: string[]) => longhaulProcess(commandEnv(estate, own), args, undefined, clone);
  const started = await run('evolution', 'start', 'v1.0.0', '--change', 'FEAT-1');
  const ran = await run('run', 'full-ci', '--watch', '--report', 'report.html');
  const listed = processes();
  expect(ran.stderr + ran.stdout).toContain('v1.0.0-rc.1 passed');
  expect(tagsOf(remote)).toContain('v1.0.0-rc.1');

  const flows: [string, string][] = [];
  for await (const { workflowId, runId } of client.workflow.list()) flows.push([workflowId, runId]);
  const tables = await ledger.sql<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'longhaul'",
  );
  const rows = await Promise.all(tables.map(({ name }) => ledger.sql(`SELECT t::text FROM ${name} AS t`)));
  const places: Readonly<Record<string, readonly [text: string, marker: string]>> = {
    histories: [(await collectRuns(client, flows)).map(({ history }) => textIn(history)).join('\n'), 'security-scan'],
    'the logs of the workers': [workers.map((worker) => worker.log()).join('\n'), 'worker_ready'],
    'the output of commands': [started.stdout + started.stderr + ran.stdout + ran.stderr, 'v1.0.0-rc.1 passed'],
    'the ledger': [JSON.stringify(rows), 'v1.0.0-rc.1'],
    blobs: [contentsOf(estate.dataDir), 'marker-of-the-job [redacted]'],
    'the report': [readFileSync(join(clone, 'report.html'), 'utf8'), 'publish'],
    'the remote': [git(remote, 'for-each-ref', '--format=%(refname) %(contents)'), 'v1.0.0-rc.1'],
    'process lists': [listed, 'git'],
  };
  const found = Object.entries(places).flatMap(([place, [text, marker]]) => [
    ...(text.includes(marker) ? [] : [`${place} does not have ${marker}`]),
    ...Object.entries(SECRETS).flatMap(([name, secret]) =>
      formsOf(secret)
        .filter((form) => text.includes(form))
        .map((form) => `${place} has ${name} as ${form}`),
    ),
  ]);
  expect(found).toEqual([]);
});
