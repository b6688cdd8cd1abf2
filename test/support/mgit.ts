import { execFileSync } from 'node:child_process';
import { createMgit, type Differential, type Mgit } from '../../activities/mgit/index.ts';
import type { Change, FilePath } from '../../domain/git/change.ts';
import type { Snapshot } from '../../domain/git/snapshot.ts';
import type { ProviderConfig } from '../../domain/config/providers.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { SCRATCH_ENV } from './scratch-git.ts';

/** mgit with its own cache. */
export function openMgit(
  cacheDir: string,
  providers: readonly ProviderConfig[] = [],
  { env = {}, maxFileBytes = 1_000_000 }: { env?: NodeJS.ProcessEnv; maxFileBytes?: number } = {},
): Mgit {
  return createMgit({
    providers,
    cacheDir,
    maxFileBytes,
    env: { PATH: SCRATCH_ENV['PATH'], HOME: '/nonexistent', ...env },
  });
}

/** All changes of a differential. */
export async function changesOf(differential: Differential): Promise<Change[]> {
  const changes: Change[] = [];
  for await (const change of differential.changes()) changes.push(change);
  return changes;
}

/** A path as its bytes, one character each. */
export function exactPath({ path, pathBytes }: FilePath): string {
  return Buffer.from(pathBytes ?? path, pathBytes === undefined ? 'utf8' : 'base64').toString('latin1');
}

/** The result of applying every change: the blob and mode of every path. */
export function applied(
  before: ReadonlyMap<string, string>,
  changes: readonly Change[],
  from: Snapshot | null,
): Map<string, string> {
  const after = new Map(from === null ? [] : before);
  for (const change of changes) {
    if (change.op === 'delete') after.delete(exactPath(change));
    else if (change.op === 'rename' && change.old) after.delete(exactPath(change.old));
  }
  for (const change of changes) {
    if (change.op !== 'delete') after.set(exactPath(change), `${change.blob.mode} ${change.blob.oid}`);
  }
  return after;
}

/** The content of a commit according to git, in the same form. */
export function treeOf(repository: string, commit: string): Map<string, string> {
  if (/^0+$/.test(commit)) return new Map();
  const args = ['ls-tree', '-r', '-z', '--full-tree', commit];
  const printed = execFileSync('git', args, { cwd: repository, env: SCRATCH_ENV, encoding: 'latin1' });
  const entries = printed.split('\0').map((entry) => /^(\d+) \w+ (\w+)\t(.*)$/s.exec(entry));
  return new Map(entries.flatMap((entry) => (entry ? [[entry[3] ?? '', `${entry[1]} ${entry[2]}`]] : [])));
}

/** The failure of a promise, as `type: message`; fails the test when it succeeds, or fails with an unexpected error. */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof LonghaulError) return `${error.type}: ${error.message}`;
    throw error;
  }
  throw new Error('it did not fail');
}
