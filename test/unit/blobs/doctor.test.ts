import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { blobsFinding } from '../../../client/cli/stack/blobs-finding.ts';
import type { Finding } from '../../../client/cli/commands.ts';
import { type Config, configSchema } from '../../../domain/config/config.schema.ts';
import { S3_BUILD_MS, type S3Server, startS3Server } from '../../support/s3-server.ts';
import { memoryIo } from '../../support/memory-io.ts';

let server: S3Server;
let root: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'longhaul-doctor-'));
  server = await startS3Server();
}, S3_BUILD_MS);

afterAll(async () => {
  await server.dispose();
  rmSync(root, { recursive: true, force: true });
});

function finding(blobs: Config['blobs'], env: NodeJS.ProcessEnv = {}): Promise<Finding> {
  const config = { ...configSchema.parse({}), blobs };
  return blobsFinding({ config, configPath: null, dataDir: root, cacheDir: root, ...memoryIo(env) });
}

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

test('a folder is tested by a write and left unchanged; a missing one is not created', async () => {
  const path = join(root, 'folder');
  expect(await finding({ type: 'folder', path })).toMatchObject({
    ok: true,
    found: `the folder ${path}, created by the first write`,
  });
  expect(existsSync(path)).toBe(false);
  mkdirSync(path);
  expect(await finding({ type: 'folder', path })).toMatchObject({ ok: true, found: `the folder ${path}, writable` });
  expect(filesIn(path)).toEqual([]);
});

test('an unwritable folder is reported with a remedy', async () => {
  const path = join(root, 'file');
  writeFileSync(path, '');
  const wrong = { name: 'blob store', ok: false, remedy: expect.stringContaining('blobs.path') as string };
  expect(await finding({ type: 'folder', path })).toMatchObject({
    ...wrong,
    found: expect.stringContaining(path) as string,
  });
  // root may write everywhere
  if (process.getuid?.() === 0) return;
  const locked = join(root, 'locked');
  mkdirSync(locked);
  chmodSync(locked, 0o500);
  expect(await finding({ type: 'folder', path: locked })).toMatchObject(wrong);
});

test('a bucket is tested by a write; wrong keys, a missing bucket and an unavailable server are distinguished', async () => {
  const { blobs, env } = server;
  expect(await finding(blobs, env)).toMatchObject({
    ok: true,
    found: `the bucket ${blobs.bucket} at ${blobs.endpoint}, writable`,
  });
  expect(filesIn(server.folder)).toEqual([]);
  const wrong = async (...asked: Parameters<typeof finding>): Promise<string> => {
    const { ok, found, remedy } = await finding(...asked);
    expect({ ok, remedy }).toEqual({ ok: false, remedy: expect.stringContaining('AWS_ACCESS_KEY_ID') as string });
    return found;
  };
  expect(await wrong(blobs, { ...env, AWS_SECRET_ACCESS_KEY: 'other' })).toMatch(/credentials .* were refused/);
  expect(await wrong({ ...blobs, bucket: 'no-such-bucket' }, env)).toMatch(/^blobs in longhaul\.yaml is wrong/);
  expect(await wrong({ ...blobs, endpoint: 'http://127.0.0.1:1' }, env)).toMatch(/^Cannot reach the bucket/);
}, 60_000);
