import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { HOOKS, installHooks } from '../../../scripts/install-hooks.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const COPIED = ['package.json', 'tsconfig.json', 'commitlint.config.mjs', '.oxlintrc.json', '.oxfmtrc.json', 'scripts'];

// each commit starts two programs of Node
vi.setConfig({ testTimeout: 120_000 });

let folder = '';
let repository = '';

/** Runs git without the configuration of the machine. */
async function git(cwd: string, ...args: string[]): Promise<{ exitCode: number; output: string }> {
  const author = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' };
  const env = { ...author, PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1', GIT_EDITOR: 'true' };
  const { exitCode, all } = await execa('git', args, { cwd, env, extendEnv: false, reject: false, all: true });
  return { exitCode: exitCode ?? -1, output: all };
}

function write(name: string, content: string): void {
  mkdirSync(join(repository, 'domain'), { recursive: true });
  writeFileSync(join(repository, name), content);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'longhaul-hooks-'));
  repository = join(folder, 'clone');
  for (const name of COPIED) cpSync(join(ROOT, name), join(repository, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(repository, 'node_modules'));
  writeFileSync(join(repository, '.gitignore'), 'node_modules\n');
  await git(repository, 'init', '--quiet', '--initial-branch=main');
  await git(repository, 'add', '--all');
  await git(repository, 'commit', '--quiet', '-m', 'what was there before the hooks');
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('hooks are installed once, and own hooks of a developer are not replaced', async () => {
  expect(installHooks(repository)).toContain('installed');
  expect(installHooks(repository)).toContain('is in use');
  expect((await git(repository, 'config', 'core.hooksPath')).output).toBe(HOOKS);
  await git(repository, 'config', 'core.hooksPath', '/my/hooks');
  expect(installHooks(repository)).toContain('/my/hooks and was not changed');
  await git(repository, 'config', 'core.hooksPath', HOOKS);
  expect(installHooks(folder)).toContain('not a git checkout');
});

test('a message that is not a conventional commit is rejected, also in a worktree; a conventional one passes', async () => {
  const bad = await git(repository, 'commit', '--allow-empty', '-m', 'Fixed some things.');
  expect(bad).toMatchObject({ exitCode: 1 });
  expect(bad.output).toContain('type-empty');
  expect((await git(repository, 'commit', '--allow-empty', '-m', 'fix(mgit): a mirror is fetched once')).exitCode).toBe(
    0,
  );

  const worktree = join(folder, 'worktree');
  await git(repository, 'worktree', 'add', '-b', 'side', worktree);
  const bare = await git(worktree, 'commit', '--allow-empty', '-m', 'feat: from a worktree');
  expect(bare).toMatchObject({ exitCode: 1 });
  expect(bare.output).toContain('npm run setup');
  symlinkSync(join(ROOT, 'node_modules'), join(worktree, 'node_modules'));
  expect((await git(worktree, 'commit', '--allow-empty', '-m', 'WIP')).exitCode).toBe(1);
  expect((await git(worktree, 'commit', '--allow-empty', '-m', 'feat: from a worktree')).exitCode).toBe(0);
});

test("git's own messages of merges and reverts pass", async () => {
  const merged = await git(repository, 'merge', '--no-ff', '--no-edit', 'side');
  expect(merged, merged.output).toMatchObject({ exitCode: 0 });
  expect((await git(repository, 'log', '-1', '--format=%s')).output).toBe("Merge branch 'side'");
  write('domain/kept.ts', 'export const kept = 1;\n');
  await git(repository, 'add', 'domain/kept.ts');
  await git(repository, 'commit', '-m', 'feat: kept');
  const reverted = await git(repository, 'revert', '--no-edit', 'HEAD');
  expect(reverted, reverted.output).toMatchObject({ exitCode: 0 });
});

test('only staged files are formatted and linted', async () => {
  write('domain/staged.ts', "export   const staged = 'a'\n");
  write('domain/other.ts', "export   const other = 'b'\n");
  await git(repository, 'add', 'domain/staged.ts');
  const committed = await git(repository, 'commit', '-m', 'feat: staged');
  expect(committed, committed.output).toMatchObject({ exitCode: 0 });
  expect((await git(repository, 'show', 'HEAD:domain/staged.ts')).output).toBe("export const staged = 'a';");
  expect(readFileSync(join(repository, 'domain/other.ts'), 'utf8')).toBe("export   const other = 'b'\n");

  write('domain/wrong.ts', "import { hostname } from 'node:os';\n\nexport const name = hostname();\n");
  await git(repository, 'add', 'domain/wrong.ts');
  const refused = await git(repository, 'commit', '-m', 'feat: wrong');
  expect(refused).toMatchObject({ exitCode: 1 });
  expect(refused.output).toContain('domain/ knows no Node');
});
