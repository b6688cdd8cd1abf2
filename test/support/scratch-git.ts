import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

/** A file of a commit: its bytes, or the commit of a submodule. */
export interface ScratchFile {
  readonly mode: '100644' | '100755' | '120000' | '160000';
  /** The content; for a submodule the name of its commit. */
  readonly content: Uint8Array | string;
}

/** The files of a commit by their paths, one character of a path a byte of it. */
export type ScratchTree = ReadonlyMap<string, ScratchFile>;

/** A temporary folder that is removed after the test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-mgit-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }), 60_000);
  return folder;
}

/** An environment in which git uses only the settings of the test. */
export const SCRATCH_ENV: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'c',
  GIT_COMMITTER_EMAIL: 'c@example.com',
};

/** Runs the installed git in a folder and returns what it prints. */
export function git(folder: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd: folder,
    env: SCRATCH_ENV,
    encoding: 'utf8',
    maxBuffer: 1e9,
    stdio: 'pipe',
  }).trimEnd();
}

/** Like {@link git}, without blocking the servers of the test. */
export async function gitAsync(folder: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', args, { cwd: folder, env: SCRATCH_ENV, maxBuffer: 1e9 });
  return stdout.trimEnd();
}

/** An empty repository. */
export function initRepository(path: string, ...options: string[]): string {
  mkdirSync(path, { recursive: true });
  git(path, 'init', '--quiet', '--initial-branch=main', ...options);
  return path;
}

let clock = 1_700_000_000;

/**
 * Makes a commit of exactly these files on a branch, on top of what the branch has or as its first; returns its name.
 */
export function commitTree(
  repository: string,
  tree: ScratchTree,
  { branch = 'main', orphan = false }: { branch?: string; orphan?: boolean } = {},
): string {
  const ref = `refs/heads/${branch}`;
  const known = git(repository, 'for-each-ref', '--format=%(objectname)', ref);
  const head = [
    `commit ${ref}`,
    `committer c <c@example.com> ${clock++} +0100`,
    'data 0',
    ...(known && !orphan ? [`from ${known}`] : []),
    'deleteall',
  ].join('\n');
  const parts: Uint8Array[] = [Buffer.from(`${head}\n`)];
  for (const [path, { mode, content }] of tree) {
    const name = quoted(path);
    if (mode === '160000') {
      parts.push(Buffer.from(`M 160000 ${String(content)} ${name}\n`));
    } else {
      const bytes = Buffer.from(content);
      parts.push(Buffer.from(`M ${mode} inline ${name}\ndata ${bytes.length}\n`), bytes, Buffer.from('\n'));
    }
  }
  execFileSync('git', ['fast-import', '--quiet', '--force'], {
    cwd: repository,
    env: SCRATCH_ENV,
    input: Buffer.concat(parts),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return git(repository, 'rev-parse', ref);
}

/** Ordinary files. */
export function files(contents: Readonly<Record<string, string | Uint8Array>>): Map<string, ScratchFile> {
  return new Map(Object.entries(contents).map(([path, content]) => [path, { mode: '100644', content }]));
}

function quoted(path: string): string {
  const bytes = [...Buffer.from(path, 'latin1')];
  return `"${bytes.map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}"`;
}

/** A notebook with one line of code and an output of so many bytes. */
export function notebookOf(outputBytes: number): string {
  const outputs = [{ output_type: 'display_data', data: { 'image/png': 'A'.repeat(outputBytes) } }];
  return JSON.stringify({ nbformat: 4, metadata: {}, cells: [{ cell_type: 'code', source: 'plot()', outputs }] });
}
