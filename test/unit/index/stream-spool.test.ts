import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type BlobStore, createBlobStore } from '../../../activities/blobs/blob-store.ts';
import { createFolderObjects } from '../../../activities/blobs/folder-objects.ts';
import { createStreamSpool, STREAM_DAYS, type StreamSpool } from '../../../activities/index/stream-spool.ts';
import type { Change } from '../../../domain/git/change.ts';
import { NO_OBJECTS, type Receipt } from '../../../domain/catalog/index/receipt.ts';
import { notebookOf } from '../../support/scratch-git.ts';

const LINE = `${JSON.stringify({ repo_id: 'a/b/c', op: 'add', path: 'a.ts', content: 'export const a = 1;\n' })}\n`;

function openSpool(): { spool: StreamSpool; blobs: BlobStore; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-spool-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const blobs = createBlobStore(createFolderObjects(folder), join(folder, 'making'));
  return { spool: createStreamSpool(blobs, 1_000_000), blobs, folder };
}

/** The result of a stream of these lines. */
async function changesOf(spool: StreamSpool, ...lines: readonly (object | string | Buffer)[]): Promise<Change[]> {
  const bytes = lines.map((line) =>
    Buffer.concat([
      line instanceof Buffer ? line : Buffer.from(typeof line === 'string' ? line : JSON.stringify(line)),
      NEWLINE,
    ]),
  );
  const [kept] = await spool.put(Readable.from(bytes), 'a');
  const changes: Change[] = [];
  for await (const change of (await spool.open(kept?.repository ?? '', kept?.stream ?? '', null)).changes()) {
    changes.push(change);
  }
  return changes;
}

const NEWLINE = Buffer.from('\n');
const FILE = { repo_id: 'a/b/c', op: 'add', path: 'a.ts', content: 'é\u2028\u2029\r' };

/** All files below a folder. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [entry.name] : [],
  );
}

describe('a line', () => {
  test('ends only at a line feed, regardless of chunk boundaries', async () => {
    const { spool } = openSpool();
    const whole = Buffer.from(`\uFEFF${JSON.stringify(FILE)}\r\n\n${JSON.stringify({ ...FILE, path: 'b\u2028.ts' })}`);
    for (const size of [1, 2, 7, whole.length]) {
      const cut = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
        whole.subarray(at * size, (at + 1) * size),
      );
      const [kept] = await spool.put(Readable.from(cut), 'a');
      const changes: Change[] = [];
      for await (const change of (await spool.open('a/b/c', kept?.stream ?? '', null)).changes()) changes.push(change);
      expect(
        changes.map((change) => [change.path, change.op !== 'delete' && Buffer.from(change.content ?? []).toString()]),
      ).toEqual([
        ['a.ts', FILE.content],
        ['b\u2028.ts', FILE.content],
      ]);
    }
  });

  const hash = createHash('sha256').update(FILE.content).digest('hex');
  test.for<readonly [string, object | string | Buffer, RegExp]>([
    ['not UTF-8', Buffer.from(`{"repo_id":"a/b/c","path":"b","content":"caf\xe9"}`, 'latin1'), /^Line 2 .*not UTF-8/],
    [
      'cut in the middle of a character',
      Buffer.from('{"repo_id":"a/b/c","path":"é').subarray(0, -1),
      /^Line 2 .*not UTF-8/,
    ],
    [
      'half of a surrogate pair',
      '{"repo_id":"a/b/c","path":"b","content":"\\ud83d"}',
      /^Line 2 .*content contains half of a surrogate/,
    ],
    [
      'a path with half of a surrogate pair',
      '{"repo_id":"a/b/c","path":"\\udc00","content":""}',
      /^Line 2 .*path contains half/,
    ],
    [
      'another hash',
      { ...FILE, content_hash: hash.replace(/./, (digit) => (digit === '0' ? '1' : '0')) },
      /^Line 2 .*content_hash of "a.ts"/,
    ],
    ['no hash at all', { ...FILE, content_hash: 'sha1' }, /^Line 2 .*content_hash is not a SHA-256/],
    ['an absolute path', { ...FILE, path: '/etc/passwd' }, /^Line 2 .*path is absolute/],
    ['an absolute path of Windows', { ...FILE, path: String.raw`C:\a.ts` }, /^Line 2 .*path is absolute/],
    ['an absolute former path', { ...FILE, op: 'rename', old_path: '/a.ts' }, /^Line 2 .*old_path is absolute/],
    [
      'absolute bytes',
      { ...FILE, path_base64: Buffer.from('/a\xff', 'latin1').toString('base64') },
      /^Line 2 .*path_base64 is absolute/,
    ],
    ['a way out', { ...FILE, path: 'a/../../b' }, /^Line 2 .*path contains \. or \.\./],
  ])('%s: rejected with its line number, and nothing is stored', async ([, line, said]) => {
    const { spool, folder } = openSpool();
    await expect(changesOf(spool, FILE, line)).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringMatching(said) as string,
    });
    expect(filesIn(folder)).toEqual([]);
  });

  test('with the right hash, in either case, is accepted, and so is one without content', async () => {
    const { spool } = openSpool();
    const taken = await changesOf(
      spool,
      { ...FILE, content_hash: hash },
      { ...FILE, path: 'b.ts', content_hash: hash.toUpperCase() },
      { ...FILE, path: 'c.bin', content: null, content_hash: hash },
      { ...FILE, path: 'd/', content: null, content_hash: '', size_bytes: 0 },
    );
    expect(taken.map((change) => [change.path, 'skip' in change ? change.skip : null])).toEqual([
      ['a.ts', null],
      ['b.ts', null],
      ['c.bin', 'binary'],
      ['d/', 'empty'],
    ]);
  });

  test('with a content_ref must have the right hash, too', async () => {
    const { spool, folder } = openSpool();
    const path = join(folder, 'large');
    writeFileSync(path, FILE.content);
    const { content: _, ...named } = { ...FILE, content_ref: path };
    expect(await changesOf(spool, { ...named, content_hash: hash })).toHaveLength(1);
    writeFileSync(path, 'changed meanwhile');
    await expect(changesOf(spool, { ...named, content_hash: hash })).rejects.toMatchObject({ type: 'InvalidInput' });
  });

  test('with a notebook is skipped as too large by the size of its cells', async () => {
    const { spool, folder } = openSpool();
    const named = join(folder, 'plots.ipynb');
    writeFileSync(named, notebookOf(1_000_000));
    const { content: _, ...file } = FILE;
    const taken = await changesOf(
      spool,
      { ...file, path: 'plots.ipynb', content_ref: named },
      { ...file, path: 'inline.ipynb', content: notebookOf(1_000_000) },
      { ...file, path: 'plots.json', content_ref: named },
      { ...file, path: 'endless.ipynb', content: notebookOf(10_000_000) },
    );
    expect(
      taken.map((change) => [change.path, change.op !== 'delete' && [change.skip, (change.content ?? []).length]]),
    ).toEqual([
      ['plots.ipynb', [undefined, notebookOf(1_000_000).length]],
      ['inline.ipynb', [undefined, notebookOf(1_000_000).length]],
      ['plots.json', ['too-large', 0]],
      ['endless.ipynb', ['too-large', 0]],
    ]);
  });

  test('that never ends is rejected before it fills the memory', async () => {
    const { spool } = openSpool();
    let given = 0;
    const endless = Readable.from(
      (function* () {
        for (; ; given++) yield Buffer.alloc(1_000_000, 'a');
      })(),
    );
    await expect(spool.put(endless, 'a')).rejects.toMatchObject({
      message: expect.stringMatching(/^Line 1 .*longer/) as string,
    });
    expect(given).toBeLessThan(80);
  });
});

test.for(['', '\n', '\n \r\n'])('an empty stream (%j) is rejected', async (text) => {
  const { spool } = openSpool();
  await expect(spool.put(Readable.from([Buffer.from(text)]), 'a')).rejects.toMatchObject({
    type: 'InvalidInput',
    message: expect.stringContaining('The change stream is empty') as string,
  });
});

test('a missing or altered stream: typed failures, before any change is applied', async () => {
  const { spool, blobs, folder } = openSpool();
  const [kept] = await spool.put(Readable.from([LINE]), 'a');
  const { repository, stream } = kept ?? { repository: '', stream: '' };
  await expect(spool.open(repository, '0'.repeat(64), null)).rejects.toMatchObject({ type: 'BlobNotFound' });
  await expect(spool.open('a/b/other', stream, null)).rejects.toMatchObject({ type: 'InvalidInput' });
  const file = join(folder, 'sha256', stream.slice(0, 2), stream);
  writeFileSync(file, readFileSync(file, 'utf8').replace('a.ts', 'b.ts'));
  await expect(spool.open(repository, stream, null)).rejects.toMatchObject({ type: 'BlobDamaged' });
  await spool.discard(repository, stream);
  expect(await blobs.has(stream)).toBe(false);
  expect(filesIn(folder)).toEqual([]);
});

test('two repositories with the same changes have separate streams; one can be deleted without the other', async () => {
  const { spool, folder } = openSpool();
  const fork = LINE.replace('a/b/c', 'a/b/fork');
  const kept = await spool.put(Readable.from([LINE, fork, LINE]), 'a');
  const more = await spool.put(Readable.from([LINE]), 'a');
  expect(new Set([...kept, ...more].map(({ stream }) => stream)).size).toBe(3);
  await spool.forget('a/b/c');
  const [, other] = kept;
  expect(await spool.open('a/b/fork', other?.stream ?? '', null)).toMatchObject({ full: null });
  await spool.forget('a/b/fork');
  expect(filesIn(folder)).toEqual([]);
});

test('after an unfinished run, only a stream to its target or a full stream is accepted', async () => {
  const { spool } = openSpool();
  const [one, two, three] = ['1'.repeat(40), '2'.repeat(40), '3'.repeat(40)] as const;
  const to = (commit: string) => ({ commit, tree: '', branch: 'main', timestamp: null });
  const about = { repository: 'a/b/c', ref: 'HEAD', cloneUrl: 'stream:a/b/c', digest: 'd' };
  const held = { files: 0, objects: 0, xor: NO_OBJECTS, indexedAt: '2026-01-01T00:00:00.000Z' };
  const open = async (changeset: object, pending: Receipt['pending']) => {
    const end = `${JSON.stringify({ repo_id: 'a/b/c', new_changeset: changeset })}\n`;
    const [kept] = await spool.put(Readable.from([LINE, end]), 'a');
    return spool.open('a/b/c', kept?.stream ?? '', { ...about, ...to(one), ...held, pending });
  };
  expect(await open({ commit: three, parent: one }, null)).toMatchObject({ to: { commit: three } });
  await expect(open({ commit: three, parent: one }, to(two))).rejects.toMatchObject({
    type: 'InvalidInput',
    message: expect.stringContaining('"parent": null') as string,
  });
  // nor is a stream that was completely ingested before
  await expect(open({ commit: one, parent: three }, to(two))).rejects.toMatchObject({ type: 'InvalidInput' });
  expect(await open({ commit: two, parent: one }, to(two))).toMatchObject({ to: { commit: two }, full: null });
  expect(await open({ commit: three, parent: null }, to(two))).toMatchObject({ full: 'first-sync' });
});

describe('a stream that no flow ingests', () => {
  const OTHER = LINE.replace('a/b/c', 'a/b/other');
  const put = async (spool: StreamSpool, text: string): Promise<string> =>
    (await spool.put(Readable.from([text]), 'a'))[0]?.stream ?? '';

  test('is deleted by a later one after its retention period, unless it was stored again', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const { spool, blobs } = openSpool();
    const pass = (days: number): void => void vi.setSystemTime(Date.now() + days * 24 * 3_600_000);
    const [left, again] = [await put(spool, LINE), await put(spool, LINE.replace('a/b/c', 'a/b/again'))];
    pass(STREAM_DAYS - 1);
    await put(spool, LINE.replace('a/b/c', 'a/b/again'));
    expect(await blobs.has(left)).toBe(true);
    pass(2);
    await put(spool, OTHER);
    expect([await blobs.has(left), await blobs.has(again)]).toEqual([false, true]);
  });

  test('of a version without stored times starts its retention period now', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const { spool, blobs } = openSpool();
    const stream = await put(spool, LINE);
    for await (const name of blobs.listRecords('streams/')) {
      await blobs.deleteRecord(name);
      await blobs.putRecord(name, Buffer.from(JSON.stringify({ repository: 'a/b/c', size: 1 })));
    }
    await put(spool, OTHER);
    expect(await blobs.has(stream)).toBe(true);
    vi.setSystemTime(Date.now() + (STREAM_DAYS + 1) * 24 * 3_600_000);
    await put(spool, OTHER);
    expect(await blobs.has(stream)).toBe(false);
  });

  test('is not deleted by the flow of an earlier stream with the same content', async () => {
    const { spool, blobs } = openSpool();
    const flowStarted = Date.now();
    const stream = await put(spool, LINE);
    await spool.discard('a/b/c', stream, flowStarted);
    expect(await blobs.has(stream)).toBe(true);
    await spool.discard('a/b/c', stream, Date.now() + 1);
    expect(await blobs.has(stream)).toBe(false);
  });
});
