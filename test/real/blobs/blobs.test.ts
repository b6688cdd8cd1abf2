import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { commandEnv, longhaul } from '../../support/command.ts';
import { createEstate, type Estate } from '../../support/estate.ts';
import { type Forge, startForge } from '../../support/forge.ts';
import { objectIdsOf, openEstate, sourceOf } from '../../support/catalog/flows.ts';
import { S3_BUILD_MS, type S3Server, startS3Server } from '../../support/s3-server.ts';
import { startWorkerHere, type WorkerHere } from '../../support/catalog/worker-here.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

const LANES = sourceOf('workflows/shared/lanes.ts');
const ID = 'stdin/acme/api';
const STREAM = [
  { repo_id: ID, op: 'add', path: 'src/lanes.ts', content: LANES },
  { repo_id: ID, op: 'add', path: 'src/more.ts', content: 'export const separator = "\u2028";\n' },
  { repo_id: ID, new_changeset: { commit: 'abc123', parent: null, branch: 'main' } },
]
  .map((line) => JSON.stringify(line))
  .join('\n');

let server: S3Server;
let estate: Estate;
let elsewhere: string;
let worker: WorkerHere | null = null;

beforeAll(async () => {
  server = await startS3Server();
}, S3_BUILD_MS);
afterAll(() => server.dispose());

beforeEach(async () => {
  estate = await createEstate();
  elsewhere = await mkdtemp(join(tmpdir(), 'longhaul-elsewhere-'));
});
afterEach(async () => {
  await worker?.stop();
  worker = null;
  await estate.dispose();
  await rm(elsewhere, { recursive: true, force: true });
});

/** Sets `blobs` in the estate's configuration. */
async function keepBlobsIn(blobs: object): Promise<void> {
  const config = JSON.parse(await readFile(estate.configPath, 'utf8')) as object;
  await writeFile(estate.configPath, JSON.stringify({ ...config, blobs }));
}

/** The command line of another machine, with its own folders. */
function otherMachine(change: Record<string, string> = {}): Record<string, string> {
  return commandEnv(estate, { LONGHAUL_DATA_DIR: join(elsewhere, 'data'), ...change });
}

const names = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).flatMap((entry) =>
    entry.isFile() ? [entry.name] : [],
  );

test('a worker ingests a stream of another machine through S3, and nothing of it stays', async () => {
  await keepBlobsIn(server.blobs);
  worker = await startWorkerHere(estate, server.env);
  const { exitCode, stdout, stderr } = await longhaul(otherMachine(server.env), ['index', 'stdin', '--json'], STREAM);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ repositories: [{ repository: ID, filesChanged: 2, commit: 'abc123' }] });
  expect(await names(server.folder)).toEqual([]);

  // the same stream through a shared folder makes the same objects
  const tools = await openEstate(estate);
  try {
    const before = await objectIdsOf(tools, ID);
    expect(before).toHaveLength(2);
    await worker.stop();
    await keepBlobsIn({ type: 'folder', path: join(elsewhere, 'shared') });
    worker = await startWorkerHere(estate);
    expect(await longhaul(otherMachine(), ['index', 'remove', '--pattern', ID])).toMatchObject({ exitCode: 0 });
    expect(await objectIdsOf(tools, ID)).toEqual([]);
    expect(await longhaul(otherMachine(), ['index', 'stdin'], STREAM)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await objectIdsOf(tools, ID)).toEqual(before);
    expect(await names(join(elsewhere, 'shared'))).toEqual([]);
  } finally {
    await tools.close();
  }
}, 300_000);

test('two machines without a common store: an explicit failure, and nothing is indexed', async () => {
  worker = await startWorkerHere(estate);
  const { exitCode, stdout } = await longhaul(otherMachine(), ['index', 'stdin', '--json'], STREAM);
  expect(exitCode).toBe(6);
  expect(JSON.parse(stdout)).toMatchObject({
    error: {
      type: 'BlobNotFound',
      message: expect.stringContaining(join(estate.dataDir, 'blobs')) as string,
      remedy: expect.stringContaining('the same blob store') as string,
    },
  });
  const refused = await longhaul(otherMachine(), ['index', 'stdin'], '');
  expect(refused).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('The change stream is empty') as string,
  });
}, 300_000);

test('an unwritable bucket: the command fails with a typed failure before any flow is started', async () => {
  await keepBlobsIn(server.blobs);
  const wrong = await longhaul(otherMachine({ ...server.env, AWS_SECRET_ACCESS_KEY: 'x' }), ['index', 'stdin'], STREAM);
  expect(wrong).toMatchObject({ exitCode: 5, stderr: expect.stringContaining(server.blobs.bucket) as string });
  expect(wrong.stderr + wrong.stdout).not.toContain('longhaul-secret');
}, 300_000);

test('a worker keeps its mirrors within the limit and logs it, and a removed mirror does not change the index', async () => {
  const { cacheDir } = inject('stack');
  const own = join(elsewhere, 'cache');
  for (const name of ['models', 'digests']) await cp(join(cacheDir, name), join(own, name), { recursive: true });
  await estate.dispose();
  let forge: Forge | undefined;
  estate = await createEstate({
    providers: async (root) => {
      forge = await startForge(root);
      return [{ name: 'web', type: 'github', url: forge.url }];
    },
  });
  try {
    const config = JSON.parse(await readFile(estate.configPath, 'utf8')) as object;
    await writeFile(estate.configPath, JSON.stringify({ ...config, cache: { maxBytes: 1_000_000 } }));
    const noise = (seed: number): string => {
      let text = '';
      for (let at = 0; at < 16_000; at++) text += `${Math.sin(seed + at)}\n`;
      return text;
    };
    const repositories = ['acme/a', 'acme/b', 'acme/c', 'acme/d'];
    for (const [at, name] of repositories.entries()) {
      await estate.create(name, { 'src/lanes.ts': LANES, 'noise-1.txt': noise(at), 'noise-2.txt': noise(at + 0.5) });
    }
    const env = commandEnv(estate, { LONGHAUL_CACHE_DIR: own });
    const limited = await startWorkerProcess(estate, { env: { LONGHAUL_CACHE_DIR: own } });
    worker = limited;
    const added = await longhaul(env, ['index', 'add', '--pattern', 'acme/*', '--yes', '--parallel', '1', '--json']);
    expect(JSON.parse(added.stdout)).toMatchObject({ succeeded: 4, failed: 0 });
    const evictions = (): { repo: string; bytes: number }[] =>
      limited
        .log()
        .split('\n')
        .filter((line) => line.includes('"mirror_evicted"'))
        .map((line) => JSON.parse(line) as { repo: string; bytes: number });
    // after the answer, not before it
    await expect.poll(() => evictions().length, { timeout: 30_000 }).toBeGreaterThan(0);
    for (const { repo, bytes } of evictions()) {
      expect(repo).toMatch(/^web\/acme\/[a-d]$/);
      expect(bytes).toBeGreaterThan(100_000);
    }
    const gone = evictions()[0]?.repo.slice('web/'.length) ?? '';
    await estate.commit(gone, { 'src/new.ts': 'export const added = true;\n' });
    const synced = await longhaul(env, ['sync', '--all', '--json']);
    expect(JSON.parse(synced.stdout)).toMatchObject({ succeeded: 1, failed: 0, filesChanged: 1 });
    const verified = await longhaul(env, ['index', 'verify', '--all', '--full', '--json']);
    expect({ exitCode: verified.exitCode, stdout: JSON.parse(verified.stdout) as unknown }).toMatchObject({
      exitCode: 0,
      stdout: { verification: { differing: 0 } },
    });
  } finally {
    await worker?.stop();
    worker = null;
    await forge?.close();
  }
}, 600_000);
