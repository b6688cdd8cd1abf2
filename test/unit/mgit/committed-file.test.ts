import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { CommittedFile } from '../../../activities/mgit/committed-file.ts';
import type { Mgit } from '../../../activities/mgit/index.ts';
import { mirrorPath } from '../../../activities/mgit/mirror.ts';
import { startForge } from '../../support/forge.ts';
import { exactPath, failureOf, openMgit, treeOf } from '../../support/mgit.ts';
import {
  commitTree,
  files,
  git,
  initRepository,
  notebookOf,
  scratchFolder,
  type ScratchFile,
} from '../../support/scratch-git.ts';

const ID = 'local/acme/api';
const latin1 = (utf8: string): string => Buffer.from(utf8).toString('latin1');
const text = (file: CommittedFile | null): string | null =>
  file?.content ? Buffer.from(file.content).toString('utf8') : null;

function local(...options: string[]): { path: string; mgit: Mgit; repository: { id: string; cloneUrl: string } } {
  const folder = scratchFolder();
  const path = initRepository(join(folder, 'api'), ...options);
  return { path, mgit: openMgit(join(folder, 'cache')), repository: { id: ID, cloneUrl: path } };
}

describe('a repository on this machine', () => {
  test.each(['sha1', 'sha256'])('returns the content of a commit, regardless of later commits (%s)', async (format) => {
    const { path, mgit, repository } = local(`--object-format=${format}`);
    const first = commitTree(path, files({ 'src/a.ts': 'one\n', 'b.ts': 'b\n' }));
    const second = commitTree(path, files({ 'src/a.ts': 'two\n' }));
    writeFileSync(join(path, 'b.ts'), 'of the working tree\n');
    const read = async (commit: string, name: string): Promise<string | null> =>
      text(await mgit.readFile(repository, commit, name));
    expect(await read(first, 'src/a.ts')).toBe('one\n');
    expect(await read(second, 'src/a.ts')).toBe('two\n');
    expect(await read(first, 'b.ts')).toBe('b\n');
    expect(await read(second, 'b.ts')).toBeNull();
    expect((await mgit.listFiles(repository, first)).map(({ path: name }) => name)).toEqual(['b.ts', 'src/a.ts']);
    commitTree(path, files({ new: '1' }), { orphan: true });
    expect(await read(first, 'src/a.ts')).toBe('one\n');
  });

  test('every name is found as a listing shows it', async () => {
    const { path, mgit, repository } = local();
    const names = [
      '-rf',
      '--output=x',
      ' space ',
      'new\nline',
      'tab\t"quotes"',
      'back\\slash',
      ':(glob)**',
      '$(touch pwned)',
      latin1('café/日本語.py'),
      'not-utf8-\xff.txt',
      'half-\xc3/\xfe',
      '\\xFF',
      `${'deep/'.repeat(60)}end`,
    ];
    const commit = commitTree(
      path,
      new Map(names.map((name, at): [string, ScratchFile] => [name, { mode: '100644', content: `of ${at}` }])),
    );
    const listed = await mgit.listFiles(repository, commit);
    expect(new Map(listed.map((file) => [exactPath(file), `${file.mode} ${file.oid}`]))).toEqual(treeOf(path, commit));
    for (const file of listed) {
      expect(text(await mgit.readFile(repository, commit, file.path))).toBe(`of ${names.indexOf(exactPath(file))}`);
    }
  });

  test('distinguishes folders, links, submodules and large files', async () => {
    const { path, mgit, repository } = local();
    const commit = commitTree(
      path,
      new Map<string, ScratchFile>([
        ['a/link', { mode: '120000', content: '../../etc/passwd' }],
        ['a/sub', { mode: '160000', content: '1'.repeat(40) }],
        ['a/large', { mode: '100644', content: 'x'.repeat(1_000_001) }],
        ['a/plots.ipynb', { mode: '100644', content: notebookOf(1_500_000) }],
        ['a/endless.ipynb', { mode: '100644', content: notebookOf(10_000_000) }],
        ['a/run', { mode: '100755', content: '' }],
      ]),
    );
    const read = (name: string): Promise<CommittedFile | null> => mgit.readFile(repository, commit, name);
    expect(await read('a')).toMatchObject({ mode: '040000', content: null });
    expect(await read('a/sub')).toMatchObject({ mode: '160000', oid: '1'.repeat(40), content: null });
    expect(await read('a/large')).toMatchObject({ mode: '100644', size: 1_000_001, content: null });
    expect(text(await read('a/plots.ipynb'))).toBe(notebookOf(1_500_000));
    expect(await read('a/endless.ipynb')).toMatchObject({ content: null });
    expect(await read('a/run')).toMatchObject({ mode: '100755', size: 0, content: new Uint8Array() });
    const link = await read('a/link');
    expect([link?.mode, text(link)]).toEqual(['120000', '../../etc/passwd']);
  });

  test.each([
    '',
    '.',
    '..',
    '../api/a',
    '/a',
    'a/',
    './a',
    'b/../a',
    'a/b',
    'A',
    'a\0',
    '\u{d800}',
    '.git/config',
    '*',
  ])('has nothing at %j', async (name) => {
    const { path, mgit, repository } = local();
    const commit = commitTree(path, files({ a: '1\n', 'b/c': '2\n' }));
    expect(await mgit.readFile(repository, commit, name)).toBeNull();
  });

  test('reports a missing commit', async () => {
    const { path, mgit, repository } = local();
    const commit = commitTree(path, files({ a: '1\n' }));
    const blob = git(path, 'rev-parse', `${commit}:a`);
    for (const other of ['1'.repeat(40), '1'.repeat(64), blob, 'HEAD', '--all', commit.slice(0, 10), '']) {
      expect(await failureOf(mgit.readFile(repository, other, 'a'))).toMatch(
        /^InvalidInput: .*does not have the commit/,
      );
      expect(await failureOf(mgit.listFiles(repository, other))).toMatch(/^InvalidInput: .*does not have the commit/);
    }
    expect(await mgit.readFile(repository, '0'.repeat(40), 'a')).toBeNull();
    expect(await mgit.listFiles(repository, '0'.repeat(40))).toEqual([]);
    const gone = { id: ID, cloneUrl: join(path, 'gone') };
    expect(await failureOf(mgit.readFile(gone, commit, 'a'))).toMatch(/^RepositoryNotFound/);
  });
});

describe('a repository elsewhere', () => {
  async function remote() {
    const folder = scratchFolder();
    const forge = await startForge(join(folder, 'forge'));
    onTestFinished(() => forge.close());
    const path = join(forge.root, 'acme', 'api.git');
    mkdirSync(path, { recursive: true });
    initRepository(path, '--bare');
    const cache = join(folder, 'cache');
    const repository = { id: 'web/acme/api', cloneUrl: `${forge.url}/acme/api.git` };
    return { forge, path, cache, mgit: openMgit(cache), repository };
  }

  test('is asked once for one blob, even of a commit that is no longer on a branch', async () => {
    const { forge, path, cache, mgit, repository } = await remote();
    const contents = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`f${at}`, `${at}\n`]));
    const old = commitTree(path, files({ ...contents, a: 'old\n' }));
    commitTree(path, files({ ...contents, a: 'new\n' }), { orphan: true });
    expect(text(await mgit.readFile(repository, old, 'a'))).toBe('old\n');
    const mirror = mirrorPath(cache, repository.id);
    const blobs = git(mirror, 'cat-file', '--batch-all-objects', '--batch-check=%(objecttype)').match(/blob/g);
    expect(blobs).toHaveLength(1);
    const asked = forge.requests.length;
    expect(text(await mgit.readFile(repository, old, 'a'))).toBe('old\n');
    expect((await mgit.listFiles(repository, old)).map(({ path: name }) => name)).toHaveLength(51);
    expect(forge.requests).toHaveLength(asked);
  });

  test('that lacks the commit reports it, and its mirror stays', async () => {
    const { path, cache, mgit, repository } = await remote();
    const commit = commitTree(path, files({ a: '1\n' }));
    await mgit.readFile(repository, commit, 'a');
    const packs = join(mirrorPath(cache, repository.id), 'objects', 'pack');
    const before = readdirSync(packs).sort();
    expect(await failureOf(mgit.readFile(repository, '1'.repeat(40), 'a'))).toMatch(/^InvalidInput/);
    expect(readdirSync(packs).sort()).toEqual(before);
  });

  test('an abort ends the fetch', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const controller = new AbortController();
    const { port } = server.address() as AddressInfo;
    const reading = openMgit(join(scratchFolder(), 'cache')).readFile(
      { id: 'web/a/b', cloneUrl: `http://127.0.0.1:${port}/a/b.git` },
      '1'.repeat(40),
      'a',
      { signal: controller.signal },
    );
    const [socket] = (await once(server, 'connection')) as [{ destroyed: boolean }];
    controller.abort(new Error('stop'));
    await expect(reading).rejects.toThrow('stop');
    await vi.waitFor(() => expect(socket.destroyed).toBe(true), { timeout: 5_000 });
  });
});
