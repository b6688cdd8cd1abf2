import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { hasCode } from '../../../platform/error-code.ts';
import { bareConfiguration, complaintOf, type Git, type GitOptions, type ObjectFormat } from '../../git/git.ts';
import { CLONED_REF } from '../../mgit/clone-into.ts';
import { syncFile } from './kept-files.ts';
import { BUNDLE } from './quarantine-folder.ts';
import { STASH, type WorkState } from './work-state.ts';

/** The bundle of a repository, as its entry describes it. */
interface WorkBundle {
  readonly format: ObjectFormat;
  /** False when there is nothing that it could have. */
  readonly isWritten: boolean;
  readonly isComplete: boolean;
  readonly prerequisites: readonly string[];
}

/** Refs of a bundle that no repository has: HEAD, and stashes, of which a repository has all but the newest in a log. */
const [HEAD_REF, STASH_REFS] = ['refs/longhaul/head', 'refs/longhaul/stash/'] as const;

/**
 * Writes all commits of a repository, with its stashes, into a bundle (git-bundle). Of a partial clone, whose old contents
 * only the remote has, it has what no remote has. The objects are read from a repository of our own, so that nothing of the
 * person's configuration counts. Throws when git cannot read the bundle again.
 */
export async function writeBundle(
  git: Git,
  folder: string,
  making: string,
  { head, refs, stashes }: WorkState,
  signal: AbortSignal | undefined,
): Promise<WorkBundle> {
  const objects = join(folder, '.git', 'objects');
  const packs = (await readdir(join(objects, 'pack')).catch(absent)) ?? [];
  const isComplete = !packs.some((name) => name.endsWith('.promisor'));
  const format = refs.some(({ oid }) => oid.length === 64) ? 'sha256' : 'sha1';
  const gitDir = join(making, 'bundling.git');
  const own: GitOptions = { about: folder, gitDir, store: { objects, format }, signal };
  await mkdir(join(gitDir, 'objects'), { recursive: true });
  await mkdir(join(gitDir, 'refs'));
  const partial = isComplete ? '' : '[extensions]\n\tpartialClone = origin\n[remote "origin"]\n\tpromisor = true\n';
  await writeFile(join(gitDir, 'config'), bareConfiguration(format) + partial);
  await writeFile(join(gitDir, 'HEAD'), 'ref: refs/heads/none\n');
  await copyFile(join(folder, '.git', 'shallow'), join(gitDir, 'shallow')).catch(absent);
  const listed = [
    ...refs.filter(({ name, symref }) => symref === null && name !== STASH),
    ...(head.startsWith('ref: ') ? [] : [{ name: HEAD_REF, oid: head }]),
    ...stashes.map(({ oid }, at) => ({ name: `${STASH_REFS}${at}`, oid })),
  ];
  await writeFile(join(gitDir, 'packed-refs'), listed.map(({ oid, name }) => `${oid} ${name}\n`).join(''));
  const remote = listed.filter(({ name }) => isOfRemote(name));
  const wanted = isComplete ? listed : listed.filter(({ name }) => !isOfRemote(name));
  const input = [...wanted.map(({ name }) => name), ...(isComplete ? [] : remote.map(({ oid }) => `^${oid}`)), ''].join(
    '\n',
  );
  const file = join(making, BUNDLE);
  const isWritten =
    wanted.length > 0 && (await isMade(git.run(['bundle', 'create', '--quiet', file, '--stdin'], { ...own, input })));
  const header = isWritten ? await headerOf(file) : { refs: [], prerequisites: [] };
  if (isWritten) {
    await git.run(['bundle', 'verify', '--quiet', file], own);
    await syncFile(file);
  }
  await rm(gitDir, { recursive: true, force: true });
  const left = isComplete ? [] : wanted.filter(({ name }) => !header.refs.includes(name)).map(({ oid }) => oid);
  return { format, isWritten, isComplete, prerequisites: [...new Set([...header.prerequisites, ...left])] };
}

function isOfRemote(name: string): boolean {
  return name.startsWith('refs/remotes/') || name === CLONED_REF;
}

/** False when there is nothing for a bundle, because the remote has everything. */
async function isMade(creating: Promise<unknown>): Promise<boolean> {
  try {
    await creating;
    return true;
  } catch (error) {
    if (/empty bundle/.test(complaintOf(error))) return false;
    throw error;
  }
}

/** What the header of a bundle names (gitformat-bundle). */
async function headerOf(file: string): Promise<{ readonly refs: string[]; readonly prerequisites: string[] }> {
  const [refs, prerequisites]: [string[], string[]] = [[], []];
  for await (const line of createInterface({ input: createReadStream(file, 'latin1') })) {
    if (line === '') break;
    const [, isNeeded, oid = '', name = ''] = /^(-?)([0-9a-f]{40,64}) ?(.*)$/.exec(line) ?? [];
    if (isNeeded === '-') prerequisites.push(oid);
    else if (isNeeded === '') refs.push(name);
  }
  return { refs, prerequisites };
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
