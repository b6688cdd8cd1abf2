import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fc } from '@fast-check/vitest';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Change } from '../../../domain/git/change.ts';
import type { Snapshot } from '../../../domain/git/snapshot.ts';
import { startForge } from '../../support/forge.ts';
import { applied, changesOf, exactPath, openMgit, treeOf } from '../../support/mgit.ts';
import {
  commitTree,
  files,
  git,
  initRepository,
  type ScratchFile,
  scratchFolder,
  type ScratchTree,
  notebookOf,
} from '../../support/scratch-git.ts';

const text = (content: Uint8Array | null | undefined): string => Buffer.from(content ?? []).toString('utf8');
const latin1 = (utf8: string): string => Buffer.from(utf8).toString('latin1');

/** Why each file is skipped, except the attributes files. */
function skipsOf(changes: readonly Change[]): Record<string, unknown> {
  const others = changes.filter(({ path }) => !path.endsWith('.gitattributes'));
  return Object.fromEntries(others.map((change) => [change.path, change.op === 'delete' ? '' : change.skip]));
}

/** Commits trees one after another and returns the changes that lead to each. */
async function changesBetween(...trees: readonly ScratchTree[]): Promise<Change[][]> {
  const folder = scratchFolder();
  const repository = { id: 'local/acme/api', cloneUrl: initRepository(join(folder, 'api')) };
  const mgit = openMgit(join(folder, 'cache'));
  const steps: Change[][] = [];
  let since: Snapshot | null = null;
  for (const tree of trees) {
    commitTree(repository.cloneUrl, tree);
    const differential = await mgit.diff(repository, since);
    steps.push(await changesOf(differential));
    expect(differential.files).toBe(steps.at(-1)?.length);
    since = differential.to;
  }
  return steps;
}

const HOSTILE_NAMES = [
  'plain.ts',
  'with space.txt',
  ' leading',
  'trailing ',
  'new\nline.ts',
  'tab\t"quotes" and \'more\'.md',
  'back\\slash',
  '-rf',
  '--output=x',
  '$(touch pwned);`x`',
  'a -> b',
  ':(glob)**',
  latin1('café/naïve — 日本語.py'),
  'not-utf8-\xff\xfe.txt',
  'half-\xc3.txt',
  '\x01\x02',
  'x'.repeat(250),
  `${'deep/'.repeat(60)}end`,
];

describe('file names', () => {
  test('every name is preserved exactly', async () => {
    const tree = new Map(
      HOSTILE_NAMES.map((name): [string, ScratchFile] => [name, { mode: '100644', content: `of ${name.length}` }]),
    );
    const [added = [], removed = []] = await changesBetween(tree, new Map());
    expect(added.map(exactPath).sort()).toEqual([...HOSTILE_NAMES].sort());
    expect(removed.filter(({ op }) => op !== 'delete')).toEqual([]);
    expect(removed.map(exactPath).sort()).toEqual([...HOSTILE_NAMES].sort());
    for (const change of added) {
      expect(change).toMatchObject({ op: 'add' });
      expect(text(change.op === 'delete' ? null : change.content)).toBe(`of ${exactPath(change).length}`);
    }
    const shown = added.find((change) => exactPath(change).startsWith('not-utf8'));
    expect(shown).toMatchObject({
      path: 'not-utf8-\\xFF\\xFE.txt',
      pathBytes: Buffer.from('not-utf8-\xff\xfe.txt', 'latin1').toString('base64'),
    });
    expect(added.find(({ path }) => path === 'café/naïve — 日本語.py')).not.toHaveProperty('pathBytes');
  });

  test('a rename of case alone is a rename', async () => {
    const [, changes] = await changesBetween(files({ 'readme.md': '# a\n' }), files({ 'README.md': '# a\n' }));
    expect(changes).toMatchObject([{ op: 'rename', path: 'README.md', old: { path: 'readme.md' } }]);
    expect(changes).toHaveLength(1);
  });

  test('names that differ only by case stay two files', async () => {
    const [changes] = await changesBetween(files({ 'a.ts': '1\n', 'A.ts': '2\n' }));
    expect(changes?.map((change) => [change.path, text(change.op === 'delete' ? null : change.content)])).toEqual([
      ['A.ts', '2\n'],
      ['a.ts', '1\n'],
    ]);
  });

  test('an exact rename is one, a rename with an edit is a deletion and an addition', async () => {
    const [, exact] = await changesBetween(files({ 'a/x.ts': 'x\n' }), files({ 'b/y.ts': 'x\n' }));
    expect(exact).toMatchObject([{ op: 'rename', path: 'b/y.ts', old: { path: 'a/x.ts' } }]);
    const [, edited] = await changesBetween(
      files({ 'a.ts': 'x\n'.repeat(50) }),
      files({ 'b.ts': `${'x\n'.repeat(50)}y\n` }),
    );
    expect(edited?.map(({ op, path }) => [op, path])).toEqual([
      ['delete', 'a.ts'],
      ['add', 'b.ts'],
    ]);
  });

  test('a file becomes a folder and back', async () => {
    const [, there, back] = await changesBetween(files({ a: '1\n' }), files({ 'a/b': '2\n' }), files({ a: '3\n' }));
    expect(there?.map(({ op, path }) => [op, path])).toEqual([
      ['delete', 'a'],
      ['add', 'a/b'],
    ]);
    expect(back?.map(({ op, path }) => [op, path])).toEqual([
      ['add', 'a'],
      ['delete', 'a/b'],
    ]);
  });
});

describe('kinds of files', () => {
  const commit = 'c'.repeat(40);

  test('symlinks and submodules are listed but not read; a change of kind is one change', async () => {
    const file: ScratchFile = { mode: '100644', content: 'x\n' };
    const link: ScratchFile = { mode: '120000', content: '../../etc/passwd' };
    const module: ScratchFile = { mode: '160000', content: commit };
    const [first, second, third] = await changesBetween(
      new Map([
        ['link', link],
        ['lib', module],
        ['a.ts', file],
      ]),
      new Map([
        ['link', file],
        ['lib', file],
        ['a.ts', link],
      ]),
      new Map([
        ['link', module],
        ['lib', link],
        ['a.ts', { ...file, mode: '100755' }],
      ]),
    );
    expect(first).toMatchObject([
      { op: 'add', path: 'a.ts', blob: { mode: '100644' } },
      { op: 'add', path: 'lib', blob: { mode: '160000', oid: commit }, skip: 'submodule', content: null },
      { op: 'add', path: 'link', blob: { mode: '120000' }, skip: 'symlink', content: null },
    ]);
    expect(second).toMatchObject([
      { op: 'modify', path: 'a.ts', skip: 'symlink', content: null, old: { mode: '100644' } },
      { op: 'modify', path: 'lib', blob: { mode: '100644' }, old: { mode: '160000', oid: commit, skip: 'submodule' } },
      { op: 'modify', path: 'link', blob: { mode: '100644' }, old: { mode: '120000', skip: 'symlink' } },
    ]);
    expect(second?.[1]).not.toHaveProperty('skip');
    expect(second?.[0]?.old).not.toHaveProperty('skip');
    expect(third?.map((change) => change.op !== 'delete' && change.skip)).toEqual([undefined, 'symlink', 'submodule']);
  });

  test('a change of mode alone is a change', async () => {
    const [, changes] = await changesBetween(
      new Map([['run.sh', { mode: '100644', content: 'echo\n' }]]),
      new Map([['run.sh', { mode: '100755', content: 'echo\n' }]]),
    );
    expect(changes).toMatchObject([{ op: 'modify', blob: { mode: '100755' }, old: { mode: '100644' } }]);
    const [change] = changes ?? [];
    expect(change?.op !== 'delete' && change?.blob.oid).toBe(change?.old?.oid);
  });

  test('LFS pointers, binary, empty, minified, generated, locked and large files are skipped with the reason', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 99\n`;
    const [changes = []] = await changesBetween(
      files({
        'a.psd': pointer,
        'b.bin': new Uint8Array([1, 0, 2]),
        'c.ts': '',
        'd.js': 'a=1;'.repeat(1_000),
        'e.go': '// Code generated by x. DO NOT EDIT.\npackage e\n',
        'huge.txt': 'x'.repeat(1_000_001),
        'large.txt': 'x\n'.repeat(500_000),
        'plots.ipynb': notebookOf(3_000_000),
        'endless.ipynb': notebookOf(10_000_000),
        'data.ipynb': 'x'.repeat(1_000_001),
        'vendor/x.go': 'package x\n',
        'yarn.lock': '# yarn\n',
        'README.md': '# docs\n',
      }),
    );
    const skips = Object.fromEntries(changes.map((change) => [change.path, change.op === 'delete' ? '' : change.skip]));
    expect(skips).toEqual({
      'a.psd': 'lfs-pointer',
      'b.bin': 'binary',
      'c.ts': 'empty',
      'd.js': 'minified',
      'e.go': 'generated',
      'huge.txt': 'too-large',
      'large.txt': undefined,
      'plots.ipynb': undefined,
      'endless.ipynb': 'too-large',
      'data.ipynb': 'too-large',
      'vendor/x.go': 'vendored',
      'yarn.lock': 'generated',
      'README.md': undefined,
    });
    const huge = changes.find(({ path }) => path === 'huge.txt');
    expect(huge).toMatchObject({ size: 1_000_001, content: null });
    expect(
      changes.filter((change) => change.op !== 'delete' && (change.skip === undefined) === (change.content === null)),
    ).toEqual([]);
  });

  test('a file of 100 MB is never completely in memory', async () => {
    const folder = scratchFolder();
    const path = initRepository(join(folder, 'api'));
    writeFileSync(join(path, 'huge.txt'), 'all work and no play\n'.repeat(5_000_000));
    git(path, 'add', '.');
    git(path, 'commit', '-qm', 'huge');
    const mgit = openMgit(join(folder, 'cache'));
    const before = process.memoryUsage().rss;
    const differential = await mgit.diff({ id: 'local/a/b', cloneUrl: path }, null);
    expect(await changesOf(differential)).toMatchObject([
      { path: 'huge.txt', size: 105_000_000, skip: 'too-large', content: null },
    ]);
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
  });

  test('contents are read on demand, and git ends when reading stops', async () => {
    const folder = scratchFolder();
    const path = initRepository(join(folder, 'api'));
    commitTree(
      path,
      files(Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`f${at}.txt`, `${at} `.repeat(100_000)]))),
    );
    const mgit = openMgit(join(folder, 'cache'));
    const differential = await mgit.diff({ id: 'local/a/b', cloneUrl: path }, null);
    const before = process.memoryUsage().arrayBuffers;
    for await (const change of differential.changes()) {
      expect(change.op).toBe('add');
      if (change.path === 'f50.txt') break;
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
  });
});

describe('.gitattributes', () => {
  test('are followed, root and nested, for both sides', async () => {
    const tree = files({
      '.gitattributes': 'gen/** linguist-generated\n*.dat binary\nvendor/ours/** -linguist-vendored\n',
      'sub/deep/.gitattributes': '*.ts linguist-vendored\n',
      'gen/a.ts': '1\n',
      'x.dat': 'text\n',
      'vendor/ours/a.go': 'package a\n',
      'vendor/theirs/a.go': 'package b\n',
      'sub/deep/er/a.ts': '2\n',
      'sub/a.ts': '3\n',
    });
    const next = new Map(tree);
    for (const [path, file] of tree)
      if (!path.endsWith('.gitattributes')) next.set(path, { ...file, content: `${String(file.content)}//\n` });
    const [added = [], changed = []] = await changesBetween(tree, next);
    const expected = {
      'gen/a.ts': 'generated',
      'x.dat': 'binary',
      'vendor/ours/a.go': undefined,
      'vendor/theirs/a.go': 'vendored',
      'sub/deep/er/a.ts': 'vendored',
      'sub/a.ts': undefined,
    };
    expect(skipsOf(added)).toEqual(expected);
    expect(skipsOf(changed)).toEqual(expected);
    expect(Object.fromEntries(changed.map(({ path, old }) => [path, old?.skip]))).toEqual(expected);
  });

  test('a change of one lists everything', async () => {
    const folder = scratchFolder();
    const repository = { id: 'local/a/b', cloneUrl: initRepository(join(folder, 'api')) };
    const mgit = openMgit(join(folder, 'cache'));
    commitTree(repository.cloneUrl, files({ 'a.ts': '1\n', 'b/c.ts': '2\n' }));
    const { to } = await mgit.diff(repository, null);
    commitTree(
      repository.cloneUrl,
      files({ 'a.ts': '1\n', 'b/c.ts': '2\n', 'b/.gitattributes': '*.ts linguist-generated\n' }),
    );
    const differential = await mgit.diff(repository, to);
    expect(differential).toMatchObject({ full: 'attributes-changed', from: null, files: 3 });
    expect(
      (await changesOf(differential)).map((change) => [change.op, change.path, change.op !== 'delete' && change.skip]),
    ).toEqual([
      ['add', 'a.ts', undefined],
      ['add', 'b/.gitattributes', 'vendored'],
      ['add', 'b/c.ts', 'generated'],
    ]);
  });
});

describe('any two trees', () => {
  const name = fc
    .array(fc.constantFrom('a', 'b', 'B', 'ä', '\xff', ' ', '-', 'c\nd', '"'), { minLength: 1, maxLength: 2 })
    .map((parts) => parts.join(''));
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const file: fc.Arbitrary<ScratchFile> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        mode: fc.constantFrom('100644' as const, '100755' as const),
        content: fc.constantFrom('1\n', '2\n', '3\n', ''),
      }),
    },
    { weight: 1, arbitrary: fc.constant<ScratchFile>({ mode: '120000', content: 'a' }) },
    { weight: 1, arbitrary: fc.constant<ScratchFile>({ mode: '160000', content: 'd'.repeat(40) }) },
  );
  const tree = fc.dictionary(path, file, { maxKeys: 8 }).map((found) => {
    const paths = Object.keys(found);
    return new Map(Object.entries(found).filter(([own]) => !paths.some((other) => own.startsWith(`${other}/`))));
  });

  test('the changes lead from one to the other: in place, and over the network', async () => {
    const folder = scratchFolder();
    const forge = await startForge(join(folder, 'forge'));
    onTestFinished(() => forge.close());
    const mgit = openMgit(join(folder, 'cache'));
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(tree, { minLength: 2, maxLength: 3 }), async (trees) => {
        const bare = join(forge.root, 'acme', `r${++number}.git`);
        mkdirSync(bare, { recursive: true });
        initRepository(bare, '--bare');
        git(bare, 'update-server-info');
        const repositories = [
          { id: `local/acme/r${number}`, cloneUrl: bare },
          { id: `web/acme/r${number}`, cloneUrl: `${forge.url}/acme/r${number}.git` },
        ];
        const held = repositories.map(() => ({ since: null as Snapshot | null, files: new Map<string, string>() }));
        for (const wanted of trees) {
          const head = commitTree(bare, wanted);
          for (const [at, repository] of repositories.entries()) {
            const state = held[at];
            if (state === undefined) continue;
            const differential = await mgit.diff(repository, state.since);
            expect(differential.to.commit).toBe(head);
            const changes = await changesOf(differential);
            state.files = applied(state.files, changes, differential.from);
            expect(state.files).toEqual(treeOf(bare, head));
            const paths = changes.map(exactPath);
            expect(paths).toEqual(
              [...paths].sort((a, b) => Buffer.compare(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'))),
            );
            state.since = differential.to;
          }
        }
      }),
      { numRuns: 8 },
    );
  }, 120_000);
});
