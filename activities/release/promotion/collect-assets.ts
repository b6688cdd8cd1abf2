import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { parsePathFilter } from '../../../domain/git/path-filter.ts';
import {
  ASSET_NAME,
  type CollectedAssets,
  MOST_ASSETS,
  type ReleaseAsset,
  type WantedAssets,
} from '../../../domain/release/promotion/publication.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';

/**
 * See `CommitActivities.collectAssets`. The name of an asset is that of its file, without folders: a forge has no others.
 */
export async function collectAssets(
  blobs: BlobStore,
  { patterns, archives }: WantedAssets,
  signal: AbortSignal,
): Promise<CollectedAssets> {
  const unwanted = patterns.filter((text) => text.startsWith('!')).map((text) => parsePathFilter(text.slice(1)));
  const wanted = patterns
    .filter((text) => !text.startsWith('!'))
    .map((text) => ({ text, matches: parsePathFilter(text).matches, isUsed: false }));
  const found = new Map<string, ReleaseAsset & { readonly path: string }>();
  const problems = new Set<string>();

  /** Returns whether it has read the content. */
  const take = async (path: string, content: AsyncIterable<Buffer>): Promise<boolean> => {
    signal.throwIfAborted();
    const selecting = wanted.filter(({ matches }) => matches(path));
    if (selecting.length === 0 || unwanted.some(({ matches }) => matches(path))) return false;
    for (const pattern of selecting) pattern.isUsed = true;
    const name = posix.basename(path);
    if (!ASSET_NAME.test(name)) {
      problems.add(`The asset ${path} needs a name of letters, digits, ".", "_" and "-": forges change others.`);
      return false;
    }
    const { digest, size } = await blobs.put(content);
    const known = found.get(name);
    if (known === undefined) found.set(name, { name, digest, size, path });
    else if (known.digest !== digest)
      problems.add(`Two artifacts would be the asset ${name}: ${known.path} and ${path}.`);
    return true;
  };

  for (const digest of archives) {
    const archive = extract();
    archive.on('entry', ({ name, type }, entry, proceed) => {
      // the archive gets the error too; without a listener here it would end the process
      entry.on('error', () => undefined);
      const content = entry as AsyncIterable<Buffer>;
      const taken = type === 'file' ? take(posix.normalize(name), content) : Promise.resolve(false);
      taken
        // an entry that is not taken has to be read all the same
        .then((isRead) => (isRead ? proceed() : entry.on('end', proceed).resume()))
        .catch((error: Error) => archive.destroy(error));
    });
    await pipeline(await blobs.open(digest), archive);
  }
  for (const { text, isUsed } of wanted) {
    if (!isUsed) problems.add(`No artifact of the runs on this tree is the asset ${text}.`);
  }
  if (found.size > MOST_ASSETS) problems.add(`The release would have ${found.size} assets: at most ${MOST_ASSETS}.`);
  const assets = [...found.values()].map(({ name, digest, size }) => ({ name, digest, size }));
  return {
    assets: assets.toSorted((a, b) => (a.name < b.name ? -1 : 1)).slice(0, MOST_ASSETS),
    problems: [...problems],
  };
}
