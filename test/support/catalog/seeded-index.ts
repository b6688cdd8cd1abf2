import pLimit from 'p-limit';
import type { IndexTools } from '../../../activities/catalog/catalog.ts';
import { isIndexable, objectsOf } from '../../../activities/index/ingest.ts';
import { objectIds } from '../../../activities/index/store/object-id.ts';
import type { Change } from '../../../domain/git/change.ts';
import { blankReceipt, NO_OBJECTS, type Receipt, xorIds } from '../../../domain/catalog/index/receipt.ts';
import { DEFAULT_REF } from '../../../domain/git/snapshot.ts';
import type { RepositoryAddress } from '../../../domain/git/repository.ts';

const LANES = 16;

/**
 * Writes the index of many repositories at the commit of a template, as an onboarding would: files are read and
 * analysed once, instead of once for each.
 */
export async function indexLikeTemplate(
  { mgit, store, analyzer, digest }: IndexTools,
  template: string,
  repositories: readonly RepositoryAddress[],
): Promise<void> {
  const delta = await mgit.diff({ id: 'template/template', cloneUrl: template }, null);
  const changes: Change[] = [];
  for await (const change of delta.changes()) changes.push(change);
  const files = changes.filter(isIndexable);
  const analysis = await analyzer.analyze(
    files.map(({ path, content }) => ({ path, content })),
    { signal: new AbortController().signal },
  );
  const analyzed = files.flatMap((file, at) => {
    const found = analysis.files[at];
    return found && found.chunks.length > 0 ? [{ file, found }] : [];
  });
  const seeds = repositories.map((repository) => {
    const objects = analyzed.flatMap(({ file, found }) => {
      const key = { digest, repository: repository.id, path: file.path, blob: file.blob.oid };
      return objectsOf(repository.id, DEFAULT_REF, file, found, objectIds(key, found.chunks.length));
    });
    const receipt: Receipt = {
      ...blankReceipt(repository, digest),
      ...delta.to,
      files: analyzed.length,
      objects: objects.length,
      xor: objects.reduce((xor, { id }) => xorIds(xor, id), NO_OBJECTS),
      indexedAt: new Date().toISOString(),
    };
    return { objects, receipt };
  });
  await store.write(seeds.flatMap(({ objects }) => objects));
  await pLimit(LANES).map(seeds, ({ receipt }) => store.writeReceipt(receipt));
}
