import {
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RepositoryAddress } from '../../../domain/git/repository.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { QuarantineEntry } from '../../../domain/workspace/quarantine.schema.ts';
import { copyTree } from '../../../platform/copy-tree.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { holdFolder } from '../../../platform/held-folder.ts';
import { sha256OfFile } from '../../../platform/sha256.ts';
import { removeTemporaries, temporaryPath } from '../../../platform/temporary.ts';
import { createBareRepository, type Git, type GitOptions } from '../../git/git.ts';
import type { Mgit } from '../../mgit/index.ts';
import { NO_PROGRAMS } from '../repo-git-state.ts';
import { damaged, putBackFiles } from './kept-files.ts';
import { BUNDLE, KEPT_FILES, KEPT_GIT, quarantineFolder, STAGED } from './quarantine-folder.ts';
import type { QuarantineTools } from './quarantine-repository.ts';
import { readWorkState, STASH } from './work-state.ts';

/** What a repository is restored with. */
export interface RestoreTools extends QuarantineTools {
  readonly mgit: Pick<Mgit, 'cloneInto'>;
  /** The repository at an address. */
  readonly repositoryOf: (origin: string) => RepositoryAddress;
}

/**
 * Makes a new clone from quarantine, at the place that the repository had: commits, refs, stashes, what was staged, and
 * every file with its bytes. It is made next to its place, compared with what was kept, and renamed. The entry stays. Uses
 * the remote for a clone without the contents of old commits only. Throws `PlanPreconditionFailed` when something is in the
 * place, `DiskFailed` when the entry is damaged.
 */
export async function restoreRepository(tools: RestoreTools, entry: QuarantineEntry): Promise<string> {
  const { git, options } = tools;
  const place = join(entry.root, entry.path);
  if ((await lstat(place).catch(absent)) !== null)
    throw new LonghaulError('PlanPreconditionFailed', `There is something at ${place}: move it away first.`);
  const kept = join(quarantineFolder(tools.dataDir), entry.id);
  for (const [name, digest] of [
    [BUNDLE, entry.bundle],
    [STAGED, entry.staged],
  ] as const) {
    if (digest !== null && (await sha256OfFile(join(kept, name))) !== digest) throw damaged(join(kept, name));
  }
  const around = dirname(entry.path) === '.' ? '' : dirname(entry.path);
  await mkdir(join(entry.root, around), { recursive: true });
  await removeTemporaries(join(entry.root, around));
  const making = temporaryPath(place);
  try {
    await makeObjects(tools, entry, making, kept);
    await makeRefs(git, entry, making, options.signal);
    await makeFiles(git, entry, making, kept, options.signal);
    for (const name of await readdir(join(kept, KEPT_GIT))) {
      const to = join(making, '.git', name);
      await rm(to, { recursive: true, force: true });
      await copyEntry(join(kept, KEPT_GIT, name), to);
    }
    await useRefFiles(git, join(making, '.git', 'config'), options.signal);
    const { fingerprint } = await readWorkState(git, making, options);
    if (fingerprint !== entry.fingerprint)
      throw new LonghaulError(
        'DiskFailed',
        `What was restored of ${place} is not what ${kept} has: nothing was put there.`,
      );
    // only at the last moment: no folder of the path may be a link
    const folder = await holdFolder(entry.root, around);
    try {
      const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
      await rename(making, folder.at(name)).catch((error: unknown) => {
        if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error;
        throw new LonghaulError('PlanPreconditionFailed', `There is something at ${place}: move it away first.`);
      });
      await folder.sync();
    } finally {
      await folder.close();
    }
    return place;
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    throw error;
  }
}

/** Makes the repository with its objects. */
async function makeObjects(
  { git, mgit, repositoryOf, options: { signal } }: RestoreTools,
  { format, isComplete, origin, bundle, prerequisites, head, refs }: QuarantineEntry,
  making: string,
  kept: string,
): Promise<void> {
  const gitDir = join(making, '.git');
  if (isComplete) {
    await mkdir(making);
    await createBareRepository(gitDir, format);
  } else {
    if (origin === null) throw new LonghaulError('PlanPreconditionFailed', `${kept} needs a remote, and names none.`);
    const repository = repositoryOf(origin);
    const at = (commit: string, folder: string): Promise<void> =>
      mgit.cloneInto(
        repository,
        { commit, branch: null, from: null, isFromDefault: false },
        folder,
        signal ? { signal } : {},
      );
    const [first, ...others] = nearestFirst(prerequisites, head, refs);
    if (first === undefined) throw damaged(kept);
    // the cache gets what each of them needs, and the last clone has all of the cache
    for (const commit of others) {
      await at(commit, making);
      await rm(making, { recursive: true });
    }
    await at(first, making);
    await git.run(['update-ref', '-d', 'refs/longhaul/cloned'], { about: making, gitDir, signal });
  }
  const shallow = join(kept, KEPT_GIT, 'shallow');
  if ((await lstat(shallow).catch(absent)) !== null) await copyEntry(shallow, join(gitDir, 'shallow'));
  if (bundle !== null) await git.run(['bundle', 'unbundle', join(kept, BUNDLE)], { about: making, gitDir, signal });
}

/** The commits of the remote, first the one that is checked out, if it is one of them. */
function nearestFirst(commits: readonly string[], head: string, refs: QuarantineEntry['refs']): readonly string[] {
  const at = refs.find(({ name }) => `ref: ${name}` === head)?.oid ?? head;
  return commits.toSorted((a, b) => Number(b === at) - Number(a === at));
}

/** Makes refs, stashes and HEAD. Refs of the remote whose commits are not there are left to the next fetch. */
async function makeRefs(
  git: Git,
  { refs, stashes, head }: QuarantineEntry,
  making: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const gitDir = join(making, '.git');
  const about: GitOptions = {
    about: making,
    gitDir,
    signal,
    config: [
      ['user.name', 'longhaul'],
      ['user.email', 'longhaul@localhost'],
    ],
  };
  const oids = [...new Set(refs.map(({ oid }) => oid))];
  const answers = await git.run(['cat-file', '--batch-check'], {
    ...about,
    input: oids.map((oid) => `${oid}\n`).join(''),
  });
  const missing = new Set(
    answers
      .toString('utf8')
      .split('\n')
      .flatMap((line) => /^([0-9a-f]+) missing$/.exec(line)?.[1] ?? []),
  );
  const made = refs.filter(
    ({ name, oid }) => name !== STASH && !(name.startsWith('refs/remotes/') && missing.has(oid)),
  );
  const direct = made.filter(({ symref }) => symref === null);
  await git.run(['update-ref', '--stdin', '-z'], {
    ...about,
    input: direct.map(({ name, oid }) => `update ${name}\0${oid}\0\0`).join(''),
  });
  for (const { name, symref } of made) if (symref !== null) await git.run(['symbolic-ref', name, symref], about);
  for (const { oid, message } of stashes.toReversed())
    await git.run(['update-ref', '--create-reflog', '-m', message, STASH, oid], about);
  await writeFile(join(gitDir, 'HEAD'), `${head}\n`);
}

/** Checks HEAD out, and makes the index and the files as they were. */
async function makeFiles(
  git: Git,
  { head, refs, staged, changed, files }: QuarantineEntry,
  making: string,
  kept: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const gitDir = join(making, '.git');
  const about: GitOptions = {
    about: making,
    gitDir,
    workTree: making,
    indexFile: join(gitDir, 'index'),
    signal,
    config: [...NO_PROGRAMS, ['core.bare', 'false']],
  };
  const isUnborn = head.startsWith('ref: ') && !refs.some(({ name }) => `ref: ${name}` === head);
  await git.run(isUnborn ? ['read-tree', '--empty'] : ['read-tree', 'HEAD'], about);
  if (staged !== null)
    await git.run(['apply', '--cached', '--whitespace=nowarn', '--unidiff-zero', join(kept, STAGED)], about);
  // what cloneInto has checked out, if anything
  for (const name of await readdir(making)) if (name !== '.git') await rm(join(making, name), { recursive: true });
  await git.run(['checkout-index', '--all', '--force', '--index'], about);
  for (const path of changed) {
    await unlink(join(making, path)).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EPERM')) throw error;
    });
    // a file may have taken the place of a folder
    for (let around = dirname(path); around !== '.'; around = dirname(around)) {
      const isGone = await rmdir(join(making, around)).then(
        () => true,
        () => false,
      );
      if (!isGone) break;
    }
  }
  await putBackFiles(join(kept, KEPT_FILES), making, files);
}

/** Refs are restored as files, also where the configuration that was kept says that they are not (reftable). */
async function useRefFiles(git: Git, config: string, signal: AbortSignal | undefined): Promise<void> {
  if (!/^\s*refStorage\b/im.test(await readFile(config, 'utf8'))) return;
  await git.run(['config', '--file', config, '--unset-all', 'extensions.refStorage'], { about: config, signal });
}

async function copyEntry(from: string, to: string): Promise<void> {
  const info = await lstat(from);
  if (info.isDirectory()) await copyTree(from, to);
  else if (info.isSymbolicLink()) await symlink(await readlink(from), to);
  else await copyFile(from, to);
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
