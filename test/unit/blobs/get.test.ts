import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { openBlobs } from '../../../activities/blobs/open-blobs.ts';
import { getBlob } from '../../../client/cli/blobs/get.ts';
import { configSchema } from '../../../domain/config/config.schema.ts';
import { memoryIo } from '../../support/memory-io.ts';

async function store() {
  const root = await mkdtemp(join(tmpdir(), 'longhaul-blob-'));
  const io = memoryIo();
  const context = { config: configSchema.parse({}), configPath: null, dataDir: root, cacheDir: root, ...io };
  const blobs = await openBlobs(context, {});
  const put = async (bytes: Buffer): Promise<string> => (await blobs.put(Readable.from([bytes]))).digest;
  return { root, io, context, put };
}

const MADE = Buffer.from('building\u001b[31m red\n\u0000\u00ff', 'latin1');

test('a blob is printed byte for byte, and to a terminal without what would control it', async () => {
  const { io, context, put } = await store();
  const digest = await put(MADE);
  expect(await getBlob(context, digest, {})).toBe(0);
  expect(io.out()).toBe(MADE.toString('utf8'));
  const terminal = memoryIo();
  Object.assign(terminal.stdout, { isTTY: true });
  await getBlob({ ...context, stdout: terminal.stdout }, digest, {});
  expect(terminal.out()).toBe('building\ufffd[31m red\n\ufffd\ufffd\n');
});

test('a file is complete or not there', async () => {
  const { root, context, put } = await store();
  const digest = await put(MADE);
  const file = join(root, 'log.txt');
  await getBlob(context, digest, { output: file });
  expect(await readFile(file)).toEqual(MADE);
  await writeFile(join(root, 'blobs', 'sha256', digest.slice(0, 2), digest), 'changed');
  const other = join(root, 'other');
  await expect(getBlob(context, digest, { output: other })).rejects.toMatchObject({ type: 'BlobDamaged' });
  expect((await readdir(root)).toSorted()).toEqual(['blobs', 'log.txt']);
});

test('what is no digest, or is not there, is named', async () => {
  const { context } = await store();
  await expect(getBlob(context, '../../etc/passwd', {})).rejects.toMatchObject({ type: 'InvalidInput' });
  await expect(getBlob(context, '0'.repeat(64), {})).rejects.toMatchObject({ type: 'BlobNotFound' });
});
