import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { unpackCommit } from '../git/checkout.ts';
import { createBareRepository, type Git, type GitOptions } from '../git/git.ts';
import { formatOf, hasCommit } from './diff.ts';
import {
  checkRefName,
  pushNewRef,
  pushPlace,
  pushRefusal,
  type PushTools,
  type Removal,
  removeRef,
  type WantedRef,
} from './push-ref.ts';
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

/** A tag as {@link pushTag} returned it. */
export interface KnownTag {
  readonly name: string;
  /** Oid of the tag object. */
  readonly object: string;
}

/**
 * Pushes a tag, and the commit if the remote does not have it. Never replaces anything: a remote that has this very tag is
 * left as it is. `openPack` gives the pack of the commit; without it the remote must have the commit. Throws
 * `TagConflict` when the remote has another object with this name, `PushRefused` when it does not take the tag.
 */
export async function pushTag(
  { git, cacheDir }: PushTools,
  access: Access,
  tag: AnnotatedTag,
  openPack: (() => Promise<Readable>) | null,
): Promise<PushedTag> {
  const { id: about, signal } = access;
  checkRefName(tag.name);
  const format = formatOf(tag.commit) ?? 'sha1';
  await mkdir(cacheDir, { recursive: true });
  const scratch = await mkdtemp(join(cacheDir, 'push-'));
  const path = join(scratch, 'commit.git');
  try {
    if (openPack === null) {
      await createBareRepository(path, format);
    } else {
      await unpackCommit(git, path, tag.commit, openPack, { about, signal });
      // for a push the history does not end here: the remote has the rest of it
      await rm(join(path, 'shallow'));
    }
    return await withSource(git, cacheDir, access, format, async (source) => {
      const before = openPack === null ? [tag.commit] : await commitsBefore(git, path, { about, signal });
      for (const commit of before) {
        const isHere = await hasCommit(git, source.store, commit, { about, signal });
        if (!isHere && !(await source.fetchCommit(commit))) {
          const why = `it does not have the commit ${commit.slice(0, 12)}${openPack === null ? '' : ' before it'}`;
          throw pushRefusal(wantedTag({ ...tag, object: '' }), access, `${why}: push your branch`);
        }
      }
      const place = await pushPlace(git, access, { gitDir: path, store: source.store });
      const input = bytesOf(tag);
      const written = await git.run(['hash-object', '-t', 'tag', '-w', '--stdin'], { ...place.options, input });
      const object = written.toString('latin1').trim();
      const isNew = await pushNewRef(place, wantedTag({ ...tag, object }), (found) => {
        throw new LonghaulError('TagConflict', `${about} has another tag ${tag.name}: ${found}, not ${object}.`);
      });
      return { object, isNew };
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Oid of the object that {@link pushTag} pushes: it follows from the fields. */
export function objectOfTag(tag: AnnotatedTag): string {
  const bytes = bytesOf(tag);
  return createHash(formatOf(tag.commit) ?? 'sha1')
    .update(`tag ${Buffer.byteLength(bytes)}\0${bytes}`)
    .digest('hex');
}

/** Removes a tag from the remote if it is this very object there. Throws `PushRefused` when the remote refuses. */
export async function removeTag({ git }: PushTools, access: Access, tag: KnownTag): Promise<Removal> {
  checkRefName(tag.name);
  return removeRef(await pushPlace(git, access), wantedTag(tag));
}

function wantedTag({ name, object }: KnownTag): WantedRef {
  return { ref: `refs/tags/${name}`, object, called: `the tag ${name}` };
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
