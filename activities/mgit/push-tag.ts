import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { unpackCommit } from '../git/checkout.ts';
import { complaintOf, type Git, type GitOptions } from '../git/git.ts';
import { formatOf, hasCommit } from './diff.ts';
import { withSource } from './resolve-remote.ts';
import type { Access } from './source.ts';

/** An annotated tag. Its bytes follow from these fields, so a repetition makes the same object. */
export interface AnnotatedTag {
  /** `v1.5.0-rc.1` */
  readonly name: string;
  /** Full oid of the commit. */
  readonly commit: string;
  readonly message: string;
  /** Seconds since 1970. */
  readonly time: number;
}

/** A tag on a remote. */
export interface PushedTag {
  /** Oid of the tag object. */
  readonly object: string;
  /** False when the remote had it already. */
  readonly isNew: boolean;
}

/**
 * Pushes a tag, and the commit if the remote does not have it. Never replaces anything: a remote that has this very tag is
 * left as it is. `openPack` gives the pack of the commit. Throws `TagConflict` when the remote has another object with
 * this name, `PushRefused` when it does not take the tag.
 */
export async function pushTag(
  { git, cacheDir }: PushTools,
  access: Access,
  config: readonly (readonly [string, string])[],
  tag: AnnotatedTag,
  openPack: () => Promise<Readable>,
): Promise<PushedTag> {
  const { id: about, signal } = access;
  await mkdir(cacheDir, { recursive: true });
  const scratch = await mkdtemp(join(cacheDir, 'push-'));
  try {
    const { path } = await unpackCommit(git, join(scratch, 'commit.git'), tag.commit, openPack, { about, signal });
    // for a push the history does not end here: the remote has the rest of it
    await rm(join(path, 'shallow'));
    return await withSource(git, cacheDir, access, formatOf(tag.commit) ?? 'sha1', async (source) => {
      const before = await commitsBefore(git, path, { about, signal });
      for (const commit of before) {
        const isHere = await hasCommit(git, source.store, commit, { about, signal });
        if (!isHere && !(await source.fetchCommit(commit))) {
          throw refusal(tag, about, `it does not have the commit ${commit.slice(0, 12)} before it: push your branch`);
        }
      }
      return push(git, access, { about, signal, gitDir: path, config, store: source.store }, tag);
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What a push needs. */
export interface PushTools {
  readonly git: Git;
  readonly cacheDir: string;
}

async function push(git: Git, { turn }: Access, options: GitOptions, tag: AnnotatedTag): Promise<PushedTag> {
  const { about, signal } = options;
  const ref = `refs/tags/${tag.name}`;
  const written = await git.run(['hash-object', '-t', 'tag', '-w', '--stdin'], { ...options, input: bytesOf(tag) });
  const object = written.toString('latin1').trim();
  const isThere = async (): Promise<boolean> => {
    const printed = await turn(() => git.run(['ls-remote', 'origin', ref], options));
    const found = /^([0-9a-f]+)\t/.exec(printed.toString('latin1'))?.[1];
    if (found === undefined || found === object) return found === object;
    throw new LonghaulError('TagConflict', `${about} has another tag ${tag.name}: ${found}, not ${object}.`);
  };
  if (await isThere()) return { object, isNew: false };
  try {
    // the remote must not have the tag: it may have been pushed since
    const args = ['push', '--quiet', `--force-with-lease=${ref}:`, 'origin', `${object}:${ref}`];
    await turn(() => git.run(args, options));
    return { object, isNew: true };
  } catch (error) {
    signal?.throwIfAborted();
    // its answer may have been lost
    if (await isThere()) return { object, isNew: true };
    const said = complaintOf(error);
    throw said === '' ? error : refusal(tag, about, said, error);
  }
}

/** The parents of the commits in a repository that it does not have itself. */
export async function commitsBefore(
  git: Git,
  gitDir: string,
  options: Pick<GitOptions, 'about' | 'signal'>,
): Promise<string[]> {
  const args = ['cat-file', '--batch-all-objects', '--batch-check=%(objectname) %(objecttype)'];
  const listed = (await git.run(args, { ...options, gitDir })).toString('latin1');
  const commits = [...listed.matchAll(/^([0-9a-f]+) commit$/gm)].map(([, oid = '']) => oid);
  const input = commits.map((oid) => `${oid}\n`).join('');
  const texts = (await git.run(['cat-file', '--batch'], { ...options, gitDir, input })).toString('latin1');
  const parents = [...texts.matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, oid = '']) => oid);
  return [...new Set(parents)].filter((oid) => !commits.includes(oid));
}

/** A tag object as git stores it. */
function bytesOf({ name, commit, message, time }: AnnotatedTag): string {
  return `object ${commit}\ntype commit\ntag ${name}\ntagger Longhaul <longhaul@localhost> ${time} +0000\n\n${message}\n`;
}

function refusal({ name }: AnnotatedTag, about: string, why: string, cause?: unknown): LonghaulError {
  return new LonghaulError('PushRefused', `${about} does not take the tag ${name}: ${why}.`, { cause });
}
