import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createGit } from '../../../activities/git/git.ts';
import { readWorkTrees } from '../../../activities/workspace/repo-git-state.ts';
import { git, initRepository, scratchFolder, SCRATCH_ENV } from '../../support/scratch-git.ts';
import { committedRepository, packageJson, runWorkspace } from '../../support/workspace/run-workspace.ts';

/** What is read about one repository. */
async function stateOf(scratch: string, folder: string, excludes: string | null = null) {
  const [tree] = await readWorkTrees(createGit(join(scratch, 'cache'), SCRATCH_ENV), [{ name: 'x', folder }], {
    excludes,
  });
  if (tree === undefined) throw new Error('nothing was read');
  return { ...tree.state, origin: tree.origin };
}

test('branch, upstream, commits and changes are those of git', async () => {
  const scratch = scratchFolder();
  const origin = committedRepository(join(scratch, 'origin'), { a: '1\n' });
  const clone = join(scratch, 'clone');
  git(scratch, 'clone', '--quiet', origin, 'clone');
  git(origin, 'commit', '--quiet', '--allow-empty', '--message', 'theirs');
  git(clone, 'commit', '--quiet', '--allow-empty', '--message', 'mine');
  git(clone, 'commit', '--quiet', '--allow-empty', '--message', 'mine too');
  git(clone, 'fetch', '--quiet');
  const head = git(clone, 'rev-parse', 'HEAD');
  const clean = {
    branch: 'main',
    head_sha: head,
    upstream: 'origin/main',
    ahead: 2,
    behind: 1,
    'dirty?': false,
    error: null,
  };
  expect(await stateOf(scratch, clone)).toMatchObject({ ...clean, origin, in_progress: 'none', 'is_git_repo?': true });

  // a changed time is no change, a changed byte is
  utimesSync(join(clone, 'a'), 1, 1);
  expect(await stateOf(scratch, clone)).toMatchObject(clean);
  writeFileSync(join(clone, 'a'), '2\n');
  expect(await stateOf(scratch, clone)).toMatchObject({ ...clean, 'dirty?': true });
  git(clone, 'checkout', '--quiet', '--', 'a');
  writeFileSync(join(clone, 'new'), '');
  expect(await stateOf(scratch, clone)).toMatchObject({ ...clean, 'dirty?': true });
  writeFileSync(join(scratch, 'ignore'), 'new\n');
  expect(await stateOf(scratch, clone, join(scratch, 'ignore'))).toMatchObject(clean);

  git(clone, 'checkout', '--quiet', '--detach');
  expect(await stateOf(scratch, clone)).toMatchObject({
    branch: null,
    'detached_head?': true,
    head_sha: head,
    upstream: null,
  });
  const empty = initRepository(join(scratch, 'empty'));
  expect(await stateOf(scratch, empty)).toMatchObject({
    branch: 'main',
    head_sha: null,
    origin: null,
    'dirty?': false,
  });
});

test('operations that wait for their end are named', async () => {
  const scratch = scratchFolder();
  const repository = committedRepository(join(scratch, 'x'), { a: '1\n' });
  const commit = (content: string): void => {
    writeFileSync(join(repository, 'a'), content);
    git(repository, 'commit', '--quiet', '--all', '--message', content);
  };
  git(repository, 'checkout', '--quiet', '-b', 'topic');
  commit('topic\n');
  git(repository, 'checkout', '--quiet', 'main');
  commit('main\n');
  const stopped = async (...args: string[]) => {
    expect(() => git(repository, ...args)).toThrow('Command failed');
    const { in_progress } = await stateOf(scratch, repository);
    git(repository, args[0] ?? '', '--abort');
    return in_progress;
  };
  expect(await stopped('merge', 'topic')).toBe('merge');
  expect(await stopped('rebase', 'topic')).toBe('rebase');
  expect(await stopped('rebase', '--apply', 'topic')).toBe('rebase');
  expect(await stopped('cherry-pick', 'topic')).toBe('cherry_pick');
  git(repository, 'bisect', 'start');
  expect((await stateOf(scratch, repository)).in_progress).toBe('bisect');
});

test('no program that a repository names is run, and other repositories are read all the same', async () => {
  const scratch = scratchFolder();
  const ran = join(scratch, 'ran');
  const evil = committedRepository(join(scratch, 'evil'), { a: '1\n', '.gitattributes': '* filter=x\n' });
  const program = `sh -c 'touch ${ran}; cat'`;
  git(evil, 'config', 'filter.x.clean', program);
  git(evil, 'config', 'filter.x.required', 'true');
  git(evil, 'config', 'core.fsmonitor', program);
  writeFileSync(join(evil, 'a'), '2\n');
  // the same settings in a file that the configuration includes
  const second = committedRepository(join(scratch, 'second'), { a: '1\n', '.gitattributes': '* filter=x\n' });
  renameSync(join(evil, '.git', 'config'), join(scratch, 'shared'));
  writeFileSync(join(evil, '.git', 'config'), readFileSync(join(scratch, 'shared')));
  writeFileSync(join(second, '.git', 'config'), `[include]\n\tpath = ${join(scratch, 'shared')}\n`);
  writeFileSync(join(second, 'a'), '2\n');
  // git itself runs it
  git(second, 'status');
  expect(existsSync(ran)).toBe(true);
  renameSync(ran, `${ran}-by-git`);

  // a section that follows another one on its line
  const third = committedRepository(join(scratch, 'third'), { a: '1\n', '.gitattributes': '* filter=x\n' });
  appendFileSync(join(third, '.git', 'config'), `[core] [filter "x"]\n\tclean = ${JSON.stringify(program)}\n`);
  writeFileSync(join(third, 'a'), '2\n');
  git(third, 'status');
  renameSync(ran, `${ran}-by-git-again`);

  const broken = committedRepository(join(scratch, 'broken'), { a: '1\n' });
  writeFileSync(join(broken, '.git', 'index'), 'no index');
  const folders = [evil, second, third, broken, committedRepository(join(scratch, 'good'), { a: '1\n' })];
  const trees = await readWorkTrees(
    createGit(join(scratch, 'cache'), SCRATCH_ENV),
    folders.map((folder) => ({ name: folder, folder })),
    { excludes: null },
  );
  expect(existsSync(ran)).toBe(false);
  expect(trees.map(({ state }) => [state['dirty?'], state.error])).toEqual([
    [true, null],
    [true, null],
    [true, null],
    [false, expect.stringContaining('index')],
    [false, null],
  ]);
});

test('many repositories in one process have their own states', async () => {
  const scratch = scratchFolder();
  const first = committedRepository(join(scratch, 'first'), { a: '1\n' });
  const repos = Array.from({ length: 60 }, (_, at) => {
    const folder = join(scratch, `it is\n"${at}"`);
    cpSync(first, folder, { recursive: true, preserveTimestamps: true });
    if (at % 3 === 0) writeFileSync(join(folder, '# branch.head x'), '');
    if (at % 4 === 0) git(folder, 'checkout', '--quiet', '-b', `topic-${at}`);
    if (at % 7 === 0) writeFileSync(join(folder, '.git', 'index'), 'no index');
    return { name: String(at), folder };
  });
  const trees = await readWorkTrees(createGit(join(scratch, 'cache'), SCRATCH_ENV), repos, { excludes: null });
  const found = trees.map(({ state }) => [state.repo, state.branch, state['dirty?'], state.error === null]);
  expect(found).toEqual(
    repos.map(({ name }, at) =>
      at % 7 === 0 ? [name, null, false, false] : [name, at % 4 === 0 ? `topic-${at}` : 'main', at % 3 === 0, true],
    ),
  );
});

test('credentials in the address of the remote are left out', async () => {
  const scratch = scratchFolder();
  const repository = committedRepository(join(scratch, 'x'), { a: '1\n' });
  git(repository, 'remote', 'add', 'upstream', 'https://git.example/other.git');
  git(repository, 'remote', 'add', 'origin', 'https://ada:secret@git.example/x.git');
  expect((await stateOf(scratch, repository)).origin).toBe('https://git.example/x.git');
});

test('without a manifest, the repositories below the root are found, also worktrees, but no bare ones', async () => {
  const scratch = scratchFolder();
  const root = join(scratch, 'root');
  const api = committedRepository(join(root, 'acme', 'api'), {
    'package.json': packageJson('api', '1.0.0', { lib: '^2.0.0' }),
  });
  committedRepository(join(root, 'lib'), { 'package.json': packageJson('lib', '1.5.0') });
  git(api, 'worktree', 'add', '--quiet', join(root, 'other', 'api'));
  git(root, 'clone', '--quiet', '--bare', api, 'bare.git');
  mkdirSync(join(root, 'notes'));
  const { code, out } = await runWorkspace(scratch, ['status', '--root', root, '--snapshot', join(scratch, 's.json')]);
  expect(code).toBe(0);
  const snapshot = JSON.parse(readFileSync(join(scratch, 's.json'), 'utf8')) as {
    readonly repos: readonly { readonly name: string; readonly path: string }[];
    readonly topology: { readonly providers: object };
    readonly diagnostics: readonly { readonly kind: string; readonly message: string }[];
  };
  expect(snapshot.repos.map(({ name, path }) => [name, path])).toEqual([
    ['acme.api', 'acme/api'],
    ['lib', 'lib'],
    ['other.api', 'other/api'],
  ]);
  expect(snapshot.topology.providers).toEqual({ 'acme.api': ['lib'], lib: [], 'other.api': ['lib'] });
  expect(snapshot.diagnostics).toContainEqual(
    expect.objectContaining({
      kind: 'version_does_not_fit',
      message: 'package.json needs lib ^2.0.0, and lib has 1.5.0.',
    }),
  );
  expect(out).toMatch(/acme\.api \(acme\/api\) *│ main/);
});

test('a repository whose index is damaged is a remark, and the others are read', async () => {
  const root = scratchFolder();
  const bad = committedRepository(join(root, 'bad'), { 'package.json': packageJson('bad', '1.0.0') });
  committedRepository(join(root, 'good'), { 'package.json': packageJson('good', '1.0.0', { x: '1.0.0' }) });
  writeFileSync(join(bad, '.git', 'index'), 'no index');
  const { code, out } = await runWorkspace(root, ['status', '--root', root, '--json']);
  const { repos } = JSON.parse(out) as { readonly repos: readonly object[] };
  expect(code).toBe(0);
  expect(repos).toMatchObject([
    { name: 'bad', deps: { hex: 0 }, git: { error: expect.stringContaining('index') } },
    { name: 'good', deps: { hex: 1 }, git: { error: null, dirty: false } },
  ]);
  const { out: text } = await runWorkspace(root, ['status', '--root', root]);
  expect(text).toMatch(/error bad: .*index.*\nerror bad: .*index/);
});

test('a root that is not there, and a manifest that is wrong, are refused', async () => {
  const scratch = scratchFolder();
  const missing = await runWorkspace(scratch, ['status', '--root', join(scratch, 'nothing')]);
  expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('There is no folder')]);
  writeFileSync(join(scratch, 'graft.exs'), '%{siblings: [%{name: :a, path: "../b"}]}');
  const graft = await runWorkspace(scratch, ['status', '--root', scratch]);
  expect([graft.code, graft.err]).toEqual([
    2,
    expect.stringContaining('graft.exs: siblings.0.path must be a folder below the root'),
  ]);
  writeFileSync(join(scratch, 'longhaul.workspace.yaml'), 'repositories: [{ name: a, origin: "ext::sh -c x" }]');
  const yaml = await runWorkspace(scratch, ['status', '--root', scratch]);
  expect(yaml.code).toBe(2);
});
