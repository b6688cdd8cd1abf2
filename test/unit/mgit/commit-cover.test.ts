import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { CommitCover } from '../../../activities/mgit/commit-cover.ts';
import type { Mgit } from '../../../activities/mgit/index.ts';
import { openMgit } from '../../support/mgit.ts';
import { commitTree, files, git, initRepository, scratchFolder } from '../../support/scratch-git.ts';

const ID = 'disk/acme/api';

interface Place {
  readonly mgit: Mgit;
  readonly remote: string;
  readonly clone: string;
  /** How the commit of the clone contains the others. */
  cover(commit: string, commits: readonly string[], patches?: boolean): Promise<CommitCover[]>;
}

/** A bare remote, behind an address that git fetches from, and a clone of it. */
function place(): Place {
  const folder = scratchFolder();
  const remote = initRepository(join(folder, 'api.git'), '--bare');
  commitTree(remote, files({ a: '1\n' }));
  const clone = join(folder, 'clone');
  git(folder, 'clone', '--quiet', remote, clone);
  const mgit = openMgit(join(folder, 'cache'));
  const address = { id: ID, cloneUrl: `file://${remote}` };
  return {
    mgit,
    remote,
    clone,
    async cover(commit, commits, patches = true) {
      const pushed = git(clone, 'for-each-ref', '--format=%(objectname)', 'refs/remotes').split('\n');
      const local = { id: ID, cloneUrl: clone };
      const pack = await mgit.withCommitPack(local, commit, (found) => buffer(Readable.from(found.pack)), { pushed });
      const question = { commit, openPack: () => Promise.resolve(Readable.from([pack])), commits, patches };
      return mgit.withHistory(address, question, async (history) => {
        const found = await history.cover();
        return commits.map((each) => found.get(each) ?? 'unknown');
      });
    },
  };
}

/** Commits a file on a new branch from `from`. */
function branch(clone: string, name: string, from: string, tree: Readonly<Record<string, string>>): string {
  git(clone, 'branch', '--force', name, from);
  return commitTree(clone, files(tree), { branch: name });
}

describe('a commit contains another one', () => {
  test('that is its ancestor, on the remote or only in its pack; a merge contains both sides', async () => {
    const { clone, cover } = place();
    const base = git(clone, 'rev-parse', 'main');
    const left = branch(clone, 'left', base, { a: '1\n', l: 'l\n' });
    const right = branch(clone, 'right', base, { a: '1\n', r: 'r\n' });
    git(clone, 'checkout', '--quiet', 'left');
    git(clone, 'merge', '--quiet', '--no-edit', 'right');
    const merged = git(clone, 'rev-parse', 'HEAD');
    expect(await cover(merged, [base, left, right, merged])).toEqual(['ancestor', 'ancestor', 'ancestor', 'ancestor']);
    expect(await cover(left, [right])).toEqual(['unknown']);
  });

  test('whose patch was rebased, picked or squashed; not one whose patch was changed', async () => {
    const { clone, cover } = place();
    const base = git(clone, 'rev-parse', 'main');
    const text = Array.from({ length: 40 }, (_, line) => `line ${line}`);
    const first = branch(clone, 'topic', base, { a: '1\n', f: `${text.join('\n')}\n` });
    const second = commitTree(clone, files({ a: '1\n', f: `${text.with(20, 'changed').join('\n')}\n` }), {
      branch: 'topic',
    });
    const other = branch(clone, 'other', base, { a: '1\n', o: 'o\n' });
    git(clone, 'push', '--quiet', 'origin', 'topic', 'other');
    git(clone, 'checkout', '--quiet', 'main');
    commitTree(clone, files({ a: '1\n', m: 'm\n' }));
    git(clone, 'reset', '--quiet', '--hard');
    git(clone, 'cherry-pick', first, second);
    const picked = git(clone, 'rev-parse', 'HEAD');
    expect(await cover(picked, [second, first, other])).toEqual(['patch', 'patch', 'absent']);
    expect(await cover(picked, [second], false)).toEqual(['absent']);

    git(clone, 'reset', '--quiet', '--hard', 'HEAD~2');
    git(clone, 'merge', '--quiet', '--squash', 'topic');
    git(clone, 'commit', '--quiet', '-m', 'squashed');
    const squashed = git(clone, 'rev-parse', 'HEAD');
    expect(await cover(squashed, [second, other])).toEqual(['patch', 'absent']);

    git(clone, 'reset', '--quiet', '--hard', 'HEAD~1');
    const changed = commitTree(clone, files({ a: '1\n', m: 'm\n', f: `${text.with(20, 'otherwise').join('\n')}\n` }));
    expect(await cover(changed, [second])).toEqual(['absent']);
  });

  test('unless neither the remote nor its pack has it', async () => {
    const { clone, cover } = place();
    expect(await cover(git(clone, 'rev-parse', 'main'), ['1'.repeat(40)])).toEqual(['unknown']);
  });
});

test('the log has the commits since another one, with all authors, newest first', async () => {
  const { clone, mgit, remote } = place();
  const base = git(clone, 'rev-parse', 'main');
  const messages = ['feat: a\n\nCo-authored-by: Grace <Grace@Example.com>', 'fix(api): b\n\nBREAKING CHANGE: c'];
  for (const message of messages) git(clone, 'commit', '--quiet', '--allow-empty', '-m', message);
  git(clone, 'push', '--quiet', 'origin', 'main');
  const commit = git(clone, 'rev-parse', 'HEAD');
  const address = { id: ID, cloneUrl: `file://${remote}` };
  const pack = await mgit.withCommitPack(address, commit, (found) => buffer(Readable.from(found.pack)));
  const openPack = () => Promise.resolve(Readable.from([pack]));
  const log = await mgit.withHistory(address, { commit, openPack, commits: [], patches: false }, (history) =>
    history.log(base, 100),
  );
  expect(log.map(({ message }) => message.trim())).toEqual(messages.toReversed());
  expect(log.map(({ authors }) => authors)).toEqual([['a@example.com'], ['a@example.com', 'grace@example.com']]);
});
