import { CommitParser } from 'conventional-commits-parser';
import { Readable } from 'node:stream';
import { type NotedCommit, releaseNotes } from '../../../domain/release/promotion/notes.ts';
import type { ReleaseCommit } from '../../../domain/release/promotion/promotion.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Mgit } from '../../mgit/index.ts';
import { readJson } from '../pipelines/stored-plan.ts';
import type { StoredProofs } from './prepare-promotion.ts';
import { releaseBegins } from '../../../domain/release/promotion/release-before.ts';
import { readRelease } from './read-release.ts';

/** Asks for the notes of a release. */
export interface WriteNotes extends ReleaseCommit {
  /** Digest of the proofs, which say where the release begins. */
  readonly proofs: string;
}

/** Commits that notes are made from. */
const MOST_COMMITS = 2_000;

const parser = new CommitParser({
  headerPattern: /^(\w+)(?:\(([^()]*)\))?!?: (.*)$/,
  headerCorrespondence: ['type', 'scope', 'subject'],
  breakingHeaderPattern: /^(\w+)(?:\(([^()]*)\))?!: (.*)$/,
  noteKeywords: ['BREAKING CHANGE', 'BREAKING-CHANGE'],
});

/** See `CommitActivities.writeNotes`. */
export async function writeNotes(
  { mgit, blobs }: { readonly mgit: Mgit; readonly blobs: BlobStore },
  { proofs, ...released }: WriteNotes,
  signal: AbortSignal,
): Promise<{ readonly notes: string }> {
  const {
    repository: id,
    version,
    packed: { commit, pack },
  } = released;
  const { generation } = await readRelease(blobs, released);
  const before = (await readJson(blobs, proofs)) as StoredProofs;
  const repository = await mgit.find(id, { signal });
  const { notes: since } = releaseBegins(version, before, await mgit.findTags(repository, 'v', { signal }));
  const question = { commit, openPack: () => blobs.open(pack), commits: [], patches: false };
  const log = await mgit.withHistory(repository, question, (history) => history.log(since, MOST_COMMITS), { signal });
  const { description, changes } = generation;
  const commits = log.map((each) => noted(each.commit, each.message));
  const text = releaseNotes({ version, description, changes, commits });
  const { digest } = await blobs.put(Readable.from([Buffer.from(text)]));
  return { notes: digest };
}

/** Reads the message of a commit. */
export function noted(commit: string, message: string): NotedCommit {
  const { type = null, scope = null, subject, header, notes } = parser.parse(message.trim() || 'no message');
  return {
    commit,
    type: type?.toLowerCase() ?? null,
    scope: scope === '' ? null : scope,
    subject: subject ?? header ?? '',
    breaking: notes[0]?.text ?? null,
  };
}
