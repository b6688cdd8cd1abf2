import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { type BlobStore, createBlobStore } from '../../../activities/blobs/blob-store.ts';
import { createFolderObjects } from '../../../activities/blobs/folder-objects.ts';
import { collectAssets } from '../../../activities/release/promotion/collect-assets.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { scratchFolder } from '../../support/scratch-git.ts';

const { signal } = new AbortController();

function store(): BlobStore {
  const folder = scratchFolder();
  return createBlobStore(createFolderObjects(folder), join(folder, 'making'));
}

/** The archive of a job, as any tar program writes it. */
async function archived(blobs: BlobStore, files: Readonly<Record<string, string>>): Promise<string> {
  const archive = pack();
  for (const [name, text] of Object.entries(files)) archive.entry({ name }, text);
  archive.entry({ name: 'dist/link.tgz', type: 'symlink', linkname: '/etc/passwd' });
  archive.finalize();
  const { digest } = await blobs.put(archive as AsyncIterable<Buffer>);
  return digest;
}

test('the files of a release are those that patterns select, each once, by name', async () => {
  const blobs = store();
  const archives = [
    await archived(blobs, {
      'dist/api.tgz': 'api',
      'dist/debug/api.map': 'map',
      'README.md': 'x',
      'dist/sums.txt': 's',
    }),
    await archived(blobs, { 'dist/sums.txt': 's', 'dist/cli.tgz': 'cli' }),
  ];
  const patterns = ['dist', '!dist/debug'];
  expect(await collectAssets(blobs, { patterns, archives }, signal)).toEqual({
    problems: [],
    assets: ['api.tgz', 'cli.tgz', 'sums.txt'].map((name) => {
      const text = { 'api.tgz': 'api', 'cli.tgz': 'cli', 'sums.txt': 's' }[name] ?? '';
      return { name, digest: sha256(text), size: text.length };
    }),
  });
});

test('what cannot be a file of a release is a problem, each of them', async () => {
  const blobs = store();
  const archives = [
    await archived(blobs, { 'linux/api': 'a', 'mac/api': 'b', 'dist/a b.tgz': 'x' }),
    await archived(blobs, Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`many/f${at}`, `${at}`]))),
  ];
  const { problems } = await collectAssets(blobs, { patterns: ['*/api', 'dist', 'many', '*.deb'], archives }, signal);
  expect(problems).toEqual(
    [
      'The asset dist/a b.tgz needs a name of letters, digits, ".", "_" and "-": forges change others.',
      'Two artifacts would be the asset api: linux/api and mac/api.',
      'No artifact of the runs on this tree is the asset *.deb.',
      'The release would have 102 assets: at most 100.',
    ].toSorted((a, b) => problems.indexOf(a) - problems.indexOf(b)),
  );
  expect(problems).toHaveLength(4);
});

test('an archive that was cut off fails, and is no release', async () => {
  const blobs = store();
  const whole = await archived(blobs, { 'dist/api.tgz': 'x'.repeat(5_000) });
  const bytes = Buffer.concat((await (await blobs.open(whole)).toArray()) as Buffer[]);
  const { digest } = await blobs.put(Readable.from([bytes.subarray(0, 3_000)]));
  await expect(collectAssets(blobs, { patterns: ['dist'], archives: [digest] }, signal)).rejects.toThrow(
    'Unexpected end of data',
  );
});
