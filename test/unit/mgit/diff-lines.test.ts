import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { expect, test } from 'vitest';
import { diffLines } from '../../../activities/mgit/index.ts';
import { parseChangeLine } from '../../../domain/git/change-line.ts';
import { failureOf, openMgit } from '../../support/mgit.ts';
import { commitTree, files, git, initRepository, scratchFolder } from '../../support/scratch-git.ts';

test('the stream has the documented format, can be parsed again, and starts at the given commit', async () => {
  const folder = scratchFolder();
  const path = initRepository(join(folder, 'api'));
  const large = 'line\n'.repeat(30_000);
  const first = commitTree(path, files({ 'small.py': 'a = 1\n', 'gone.ts': '1\n', 'old name.ts': 'x\n' }));
  const second = commitTree(
    path,
    files({
      'small.py': 'a = 2\n',
      'new name.ts': 'x\n',
      'mid.md': 'm\n'.repeat(10_000),
      'large.md': large,
      'b.png': new Uint8Array([0, 1]),
    }),
  );
  const mgit = openMgit(join(folder, 'cache'));
  const repository = { id: 'local/acme/api', cloneUrl: path };
  const read = async (since: string | null): Promise<Record<string, unknown>[]> => {
    const lines: Record<string, unknown>[] = [];
    for await (const line of diffLines(mgit, repository, { since })) {
      expect(line).not.toContain('\n');
      expect(parseChangeLine(line, lines.length + 1)).not.toBeNull();
      lines.push(JSON.parse(line) as Record<string, unknown>);
    }
    return lines;
  };

  const lines = await read(first.slice(0, 10));
  expect(lines.map(({ op, path: name }) => [op, name])).toEqual([
    ['add', 'b.png'],
    ['delete', 'gone.ts'],
    ['add', 'large.md'],
    ['add', 'mid.md'],
    ['rename', 'new name.ts'],
    ['modify', 'small.py'],
    [undefined, undefined],
  ]);
  const [png, , spooled, middle, renamed, modified, last] = lines;
  expect(png).toMatchObject({ skip_index: true, skip_reason: 'binary', size: 2, size_bytes: 2, mime: 'image/png' });
  expect(png).not.toHaveProperty('content');
  expect(Buffer.from(String(middle?.['content_base64']), 'base64').toString()).toBe('m\n'.repeat(10_000));
  expect(isAbsolute(String(spooled?.['content_ref']))).toBe(true);
  expect(readFileSync(String(spooled?.['content_ref']), 'utf8')).toBe(large);
  expect(spooled?.['content_hash']).toBe(createHash('sha256').update(large).digest('hex'));
  expect(renamed).toMatchObject({ old_path: 'old name.ts', content: 'x\n' });
  expect(modified).toMatchObject({
    repo: 'acme/api',
    repo_id: 'local/acme/api',
    content: 'a = 2\n',
    mime_type: 'text/x-python',
  });
  expect(last).toEqual({
    repo: 'acme/api',
    repo_id: 'local/acme/api',
    new_changeset: {
      commit: second,
      parent: first,
      branch: 'main',
      tree_hash: git(path, 'rev-parse', 'main^{tree}'),
      timestamp: new Date(git(path, 'log', '-1', '--format=%cI')).toISOString(),
    },
  });

  expect((await read(null)).map(({ op }) => op)).toEqual(['add', 'add', 'add', 'add', 'add', undefined]);
  expect(await read(second)).toMatchObject([{ new_changeset: { commit: second, parent: second } }]);
  for (const wrong of ['f'.repeat(40), 'main', '--all', '', 'ABC']) {
    expect(await failureOf(read(wrong))).toMatch(/^InvalidInput: .*has no commit/);
  }
});
