import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openMgit } from '../../support/mgit.ts';
import { git, initRepository, SCRATCH_ENV, scratchFolder } from '../../support/scratch-git.ts';

/** Writes an object exactly so. */
function written(repository: string, type: 'blob' | 'tree', content: Uint8Array): string {
  const args = ['hash-object', '-t', type, '--literally', '-w', '--stdin'];
  return execFileSync('git', args, { cwd: repository, env: SCRATCH_ENV, input: content }).toString().trim();
}

function tree(repository: string, ...entries: readonly (readonly [mode: string, name: string, oid: string])[]): string {
  const parts = entries.map(([mode, name, oid]) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]),
  );
  return written(repository, 'tree', Buffer.concat(parts));
}

test('trees of old programs, with zeros before modes and other permissions, are read as git reads them, and names with a slash', async () => {
  const folder = scratchFolder();
  const path = initRepository(join(folder, 'api'));
  const attributes = written(path, 'blob', Buffer.from('*.ts linguist-generated\n'));
  const blob = written(path, 'blob', Buffer.from('let a = 1;\n'));
  const lib = tree(path, ['100664', '.gitattributes', attributes], ['100644', 'made.ts', blob]);
  const root = tree(
    path,
    ['0100644', 'a.ts', blob],
    ['100775', 'b.sh', blob],
    ['040000', 'lib', lib],
    ['120777', 'link', blob],
    ['100644', 'one/name.ts', blob],
  );
  const commit = git(path, 'commit-tree', root, '-m', 'old');
  git(path, 'update-ref', 'refs/heads/main', commit);
  const mgit = openMgit(join(folder, 'cache'));
  const repository = { id: 'local/acme/api', cloneUrl: path };

  const listed = await mgit.listFiles(repository, commit);
  const expected = git(path, 'ls-tree', '-r', commit)
    .split('\n')
    .map((line) => line.split(/\s/));
  expect(listed.map(({ mode, oid, path: name }) => [mode, 'blob', oid, name])).toEqual(expected);
  for (const { path: name, mode, oid } of listed)
    expect(await mgit.readFile(repository, commit, name)).toMatchObject({ mode, oid });
  expect(await mgit.readFile(repository, commit, 'lib')).toMatchObject({ mode: '040000', content: null });

  const skips = async (since: string | null): Promise<(string | undefined)[]> => {
    const from = since === null ? null : await mgit.snapshot(repository, since);
    const found: (string | undefined)[] = [];
    const diff = await mgit.diff(repository, from, { target: await mgit.snapshot(repository, commit) });
    for await (const change of diff.changes())
      if (change.path === 'lib/made.ts' && change.op !== 'delete') found.push(change.skip);
    return found;
  };
  expect(await skips(null)).toEqual(['generated']);
  const other = tree(path, ['100644', '.gitattributes', attributes], ['100644', 'made.ts', attributes]);
  const before = git(path, 'commit-tree', tree(path, ['040000', 'lib', other]), '-m', 'before');
  git(path, 'update-ref', 'refs/heads/before', before);
  expect(await skips(before)).toEqual(['generated']);
});
